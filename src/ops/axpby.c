/* axpby.c: y = w[0] · y + w[1] · x, in place: sums over several steps (1, 1), running averages (1 - rate, rate).
 * SPDX-License-Identifier: MIT
 *
 * With w[0] = 0 a sum begins anew, whatever y was: what is no number stays none if it is multiplied by 0. */
#include "ops/check.h"

static skp_status infer(struct skp_sig *sig) {
  SKP_TRY(skp__check_rank(sig, 0, sig->in[0].rank));
  SKP_TRY(skp__check_shape(sig, 1, sig->in[0], "the shape of y"));
  SKP_TRY(skp__check_shape(sig, 2, skp__shape1(2), "one for y, one for x"));
  sig->out[0] = sig->in[0];
  return SKP_OK;
}

static double flops(const struct skp_sig *sig) { return 3 * (double)skp__shape_count(&sig->in[0]); }

static void reference(const struct skp_call *call) {
  const float *y = call->in[0], *x = call->in[1], *w = call->in[2];
  float *new_y = call->out[0];
  for (int64_t i = 0; i < skp__shape_count(&call->sig->in[0]); i++)
    new_y[i] = (float)((w[0] == 0 ? 0 : (double)w[0] * y[i]) + (double)w[1] * x[i]);
}

const struct skp_op skp__op_axpby = {
    .name = "axpby",
    .kind = SKP_KIND_UPDATE,
    .n_in = 3,
    .n_out = 1,
    .in = {{"y"}, {"x"}, {"w"}},
    .out = {{"new_y"}},
    .alias = {1},
    .infer = infer,
    .flops = flops,
    .reference = reference,
};
