/* layernorm.c: normalisation of each pixel, or row, over its channels (Ba et al. 2016), and its gradient.
 * SPDX-License-Identifier: MIT
 *
 *   mean[i] = mean over c of x[i,c],  rstd[i] = 1 / sqrt(mean over c of (x[i,c] - mean[i])² + eps)
 *   y[i,c] = gamma[c] · z[i,c] + beta[c],  z[i,c] = (x[i,c] - mean[i]) · rstd[i]
 *   dx[i,c] = rstd[i] · (g[i,c] - mean over c of g[i] - z[i,c] · mean over c of g[i] · z[i]),  g = dy · gamma
 *   dgamma[c] = sum over i of dy[i,c] · z[i,c],  dbeta[c] = sum over i of dy[i,c] */
#include "ops/check.h"
#include <math.h>

static const struct skp_attr attrs[] = {
    {"eps", SKP_ATTR_FLOAT, offsetof(struct skp_layernorm_attrs, eps), 1e-5, NULL},
    {0},
};

/* ---- shapes ------------------------------------------------------------------------------------------------------ */

static skp_status check_image(const struct skp_sig *sig, int i) {
  return sig->in[i].rank == 2 ? skp__check_rank(sig, i, 2) : skp__check_rank(sig, i, 4);
}

static struct skp_shape each_row(const struct skp_shape *x) {
  return skp__shape1(skp__shape_count(x) / skp__channels(x));
}

static skp_status infer(struct skp_sig *sig) {
  const struct skp_shape *x = &sig->in[0];
  SKP_TRY(check_image(sig, 0));
  for (int i = 1; i <= 2; i++)
    SKP_TRY(skp__check_shape(sig, i, skp__shape1(skp__channels(x)), "one for each channel of x"));
  SKP_TRY(skp__check_within(sig, "eps", (double)sig->attrs.layernorm.eps, 0, 1e6));
  sig->out[0] = *x;
  sig->out[1] = sig->out[2] = each_row(x);
  return SKP_OK;
}

static skp_status infer_dx(struct skp_sig *sig) {
  const struct skp_shape *x = &sig->in[1];
  SKP_TRY(check_image(sig, 0));
  SKP_TRY(skp__check_shape(sig, 1, sig->in[0], "the shape of dy"));
  SKP_TRY(skp__check_shape(sig, 2, skp__shape1(skp__channels(x)), "one for each channel of x"));
  for (int i = 3; i <= 4; i++) SKP_TRY(skp__check_shape(sig, i, each_row(x), "one for each pixel of x"));
  sig->out[0] = *x;
  sig->out[1] = sig->out[2] = skp__shape1(skp__channels(x));
  return SKP_OK;
}

/* ---- gradient and cost ------------------------------------------------------------------------------------------- */

static skp_status gradient(struct skp_grad *g) {
  const skp_value in[] = {g->dout[0], g->in[0], g->in[1], g->out[1], g->out[2]};
  return g->emit(g, SKP_OP_layernorm_dx, &g->sig->attrs, in, g->need, g->din);
}

static double flops(const struct skp_sig *sig) { return 8 * (double)skp__shape_count(&sig->in[0]); }

/* ---- reference --------------------------------------------------------------------------------------------------- */

static void reference(const struct skp_call *call) {
  const struct skp_shape *X = &call->sig->in[0];
  const float *x = call->in[0], *gamma = call->in[1], *beta = call->in[2];
  float *y = call->out[0], *means = call->out[1], *rstds = call->out[2];
  const int64_t C = skp__channels(X);
  for (int64_t i = 0; i < skp__shape_count(X) / C; i++, x += C, y += C) {
    double mean = 0, square = 0;
    for (int64_t c = 0; c < C; c++) mean += (double)x[c] / (double)C;
    for (int64_t c = 0; c < C; c++) square += (x[c] - mean) * (x[c] - mean) / (double)C;
    const double rstd = 1 / sqrt(square + (double)call->sig->attrs.layernorm.eps);
    for (int64_t c = 0; c < C; c++) y[c] = (float)(gamma[c] * (x[c] - mean) * rstd + beta[c]);
    if (means) means[i] = (float)mean;
    if (rstds) rstds[i] = (float)rstd;
  }
}

static void reference_dx_row(float *dx, const float *dy, const float *x, const float *gamma, double mean, double rstd,
                             int64_t C) {
  double g = 0, gz = 0; /* the means */
  for (int64_t c = 0; c < C; c++) {
    g += (double)dy[c] * gamma[c] / (double)C;
    gz += (double)dy[c] * gamma[c] * (x[c] - mean) * rstd / (double)C;
  }
  for (int64_t c = 0; c < C; c++) dx[c] = (float)(rstd * ((double)dy[c] * gamma[c] - g - (x[c] - mean) * rstd * gz));
}

static void reference_dx(const struct skp_call *call) {
  const struct skp_shape *X = &call->sig->in[1];
  const float *dy = call->in[0], *x = call->in[1], *gamma = call->in[2], *mean = call->in[3], *rstd = call->in[4];
  float *dx = call->out[0], *dgamma = call->out[1], *dbeta = call->out[2];
  const int64_t C = skp__channels(X), rows = skp__shape_count(X) / C;
  for (int64_t i = 0; dx && i < rows; i++)
    reference_dx_row(dx + i * C, dy + i * C, x + i * C, gamma, (double)mean[i], (double)rstd[i], C);
  for (int64_t c = 0; (dgamma || dbeta) && c < C; c++) {
    double of_gamma = 0, of_beta = 0;
    for (int64_t i = 0; i < rows; i++) {
      of_gamma += (double)dy[i * C + c] * ((double)x[i * C + c] - (double)mean[i]) * (double)rstd[i];
      of_beta += (double)dy[i * C + c];
    }
    if (dgamma) dgamma[c] = (float)of_gamma;
    if (dbeta) dbeta[c] = (float)of_beta;
  }
}

const struct skp_op skp__op_layernorm = {
    .name = "layernorm",
    .kind = SKP_KIND_LAYERNORM,
    .n_in = 3,
    .n_out = 3,
    .in = {{"x"}, {"gamma"}, {"beta"}},
    .out = {{"y"}, {"mean", SKP_OPTIONAL}, {"rstd", SKP_OPTIONAL}},
    .attrs = attrs,
    .infer = infer,
    .gradient = gradient,
    .flops = flops,
    .reference = reference,
};

const struct skp_op skp__op_layernorm_dx = {
    .name = "layernorm_dx",
    .kind = SKP_KIND_LAYERNORM,
    .n_in = 5,
    .n_out = 3,
    .in = {{"dy"}, {"x"}, {"gamma"}, {"mean"}, {"rstd"}},
    .out = {{"dx", SKP_OPTIONAL}, {"dgamma", SKP_OPTIONAL}, {"dbeta", SKP_OPTIONAL}},
    .attrs = attrs,
    .infer = infer_dx,
    .flops = flops,
    .reference = reference_dx,
};
