/* relu.c: y = max(x, 0), and its gradient. SPDX-License-Identifier: MIT
 *
 *   dx = dy where y > 0, else 0 */
#include "ops/check.h"

static skp_status infer(struct skp_sig *sig) {
  SKP_TRY(skp__check_rank(sig, 0, sig->in[0].rank));
  sig->out[0] = sig->in[0];
  return SKP_OK;
}

static skp_status infer_dx(struct skp_sig *sig) {
  SKP_TRY(skp__check_shape(sig, 1, sig->in[0], "the shape of dy"));
  return infer(sig);
}

static skp_status gradient(struct skp_grad *g) {
  const skp_value in[] = {g->dout[0], g->out[0]};
  return g->emit(g, SKP_OP_relu_dx, NULL, in, NULL, &g->din[0]);
}

static void reference(const struct skp_call *call) {
  const float *x = call->in[0];
  float *y = call->out[0];
  for (int64_t i = 0; i < skp__shape_count(&call->sig->in[0]); i++) y[i] = x[i] < 0 ? 0 : x[i];
}

static void reference_dx(const struct skp_call *call) {
  const float *dy = call->in[0], *y = call->in[1];
  float *dx = call->out[0];
  for (int64_t i = 0; i < skp__shape_count(&call->sig->in[0]); i++) dx[i] = y[i] > 0 ? dy[i] : 0;
}

const struct skp_op skp__op_relu = {
    .name = "relu",
    .n_in = 1,
    .n_out = 1,
    .in = {{"x", SKP_MAP}},
    .out = {{"y", SKP_MAP}},
    .order = SKP_ORDER_SAME,
    .infer = infer,
    .gradient = gradient,
    .reference = reference,
};

const struct skp_op skp__op_relu_dx = {
    .name = "relu_dx",
    .n_in = 2,
    .n_out = 1,
    .in = {{"dy", SKP_MAP}, {"y", SKP_MAP}},
    .out = {{"dx", SKP_MAP}},
    .infer = infer_dx,
    .reference = reference_dx,
};
