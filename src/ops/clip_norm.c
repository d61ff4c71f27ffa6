/* clip_norm.c: by what all gradients together are multiplied so that their norm is at
 * most max_norm, as PyTorch's clip_grad_norm_.
 * SPDX-License-Identifier: MIT
 *
 *   scale = min(1, max_norm / (|g| + 1e-6)),  |g| = sqrt(sum of g[i]^2)
 *
 * Pascanu et al. 2013, "On the difficulty of training recurrent neural networks", algorithm 1. A norm that is not a
 * number makes the scale not a number, an infinite one makes it 0. */
#include "ops/check.h"
#include <math.h>

static const struct skp_attr attrs[] = {
    {"max_norm", SKP_ATTR_FLOAT, offsetof(struct skp_clip_attrs, max_norm), 1, NULL},
    {0},
};

static skp_status infer(struct skp_sig *sig) {
  SKP_TRY(skp__check_within(sig, "max_norm", (double)sig->attrs.clip.max_norm, 0, INFINITY));
  SKP_TRY(skp__check_rank(sig, 0, sig->in[0].rank));
  sig->out[0] = skp__shape1(1);
  return SKP_OK;
}

static double flops(const struct skp_sig *sig) { return 2 * (double)skp__shape_count(&sig->in[0]); }

static void reference(const struct skp_call *call) {
  const float *g = call->in[0];
  double sum = 0;
  for (int64_t i = 0; i < skp__shape_count(&call->sig->in[0]); i++) sum += (double)g[i] * (double)g[i];
  double scale = (double)call->sig->attrs.clip.max_norm / (sqrt(sum) + 1e-6);
  *(float *)call->out[0] = scale >= 1 ? 1 : (float)scale;
}

const struct skp_op skp__op_clip_norm = {
    .name = "clip_norm",
    .kind = SKP_KIND_UPDATE,
    .n_in = 1,
    .n_out = 1,
    .in = {{"g"}},
    .out = {{"scale"}},
    .attrs = attrs,
    .infer = infer,
    .flops = flops,
    .reference = reference,
};
