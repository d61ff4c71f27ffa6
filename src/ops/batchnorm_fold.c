/* batchnorm_fold.c: batch normalisation in evaluation as a factor and an addend for each channel, which the convolution
 * before it takes into its own result. SPDX-License-Identifier: MIT
 *
 *   gamma · (x + b - mean) / sqrt(var + eps) + beta  =  scale · x + shift,   b being the convolution's bias
 *
 *   scale = gamma / sqrt(var + eps),  shift = beta + scale · (b - mean) */
#include "ops/check.h"
#include <math.h>

enum { GAMMA, BETA, MEAN, VAR, BIAS };
enum { SCALE, SHIFT };

static const struct skp_attr attrs[] = {
    {"eps", SKP_ATTR_FLOAT, offsetof(struct skp_batchnorm_attrs, eps), 1e-5, NULL},
    {0},
};

static skp_status infer(struct skp_sig *sig) {
  SKP_TRY(skp__check_within(sig, "eps", (double)sig->attrs.batchnorm.eps, 0, INFINITY));
  SKP_TRY(skp__check_rank(sig, GAMMA, 1));
  for (int i = BETA; i <= BIAS; i++)
    if (i < BIAS || sig->in[i].rank) SKP_TRY(skp__check_shape(sig, i, sig->in[GAMMA], "one for each of gamma"));
  sig->out[SCALE] = sig->out[SHIFT] = sig->in[GAMMA];
  return SKP_OK;
}

static void reference(const struct skp_call *call) {
  const float *gamma = call->in[GAMMA], *beta = call->in[BETA], *b = call->in[BIAS];
  const float *mean = call->in[MEAN], *var = call->in[VAR];
  float *scale = call->out[SCALE], *shift = call->out[SHIFT];
  for (int64_t c = 0; c < skp__shape_count(&call->sig->in[GAMMA]); c++) {
    const double factor = gamma[c] / sqrt((double)var[c] + (double)call->sig->attrs.batchnorm.eps);
    scale[c] = (float)factor;
    shift[c] = (float)(beta[c] + factor * ((b ? b[c] : 0) - (double)mean[c]));
  }
}

const struct skp_op skp__op_batchnorm_fold = {
    .name = "batchnorm_fold",
    .kind = SKP_KIND_BATCHNORM,
    .n_in = 5,
    .n_out = 2,
    .in = {{"gamma"}, {"beta"}, {"running_mean"}, {"running_var"}, {"b", SKP_OPTIONAL}},
    .out = {{"scale"}, {"shift"}},
    .attrs = attrs,
    .infer = infer,
    .reference = reference,
};
