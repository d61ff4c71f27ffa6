/* add.c: y = a + b, with an optional relu: max(a + b, 0). SPDX-License-Identifier: MIT
 *
 *   da = db = dy, masked by y > 0 when there is a relu */
#include "ops/check.h"

static const struct skp_attr attrs[] = {
    {"relu", SKP_ATTR_BOOL, offsetof(struct skp_add_attrs, relu), 0, NULL},
    {0},
};

static skp_status infer(struct skp_sig *sig) {
  SKP_TRY(skp__check_rank(sig, 0, sig->in[0].rank));
  SKP_TRY(skp__check_shape(sig, 1, sig->in[0], "the shape of a"));
  sig->out[0] = sig->in[0];
  return SKP_OK;
}

static skp_status gradient(struct skp_grad *g) {
  skp_value d = g->dout[0];
  if (g->sig->attrs.add.relu) {
    const skp_value in[] = {g->dout[0], g->out[0]};
    SKP_TRY(g->emit(g, SKP_OP_relu_dx, NULL, in, NULL, &d));
  }
  g->din[0] = g->din[1] = d;
  return SKP_OK;
}

static double flops(const struct skp_sig *sig) {
  return (double)skp__shape_count(&sig->out[0]) * (sig->attrs.add.relu ? 2 : 1);
}

static void reference(const struct skp_call *call) {
  const float *a = call->in[0], *b = call->in[1];
  float *y = call->out[0];
  for (int64_t i = 0; i < skp__shape_count(&call->sig->out[0]); i++) {
    float sum = a[i] + b[i];
    y[i] = call->sig->attrs.add.relu && sum < 0 ? 0 : sum;
  }
}

const struct skp_op skp__op_add = {
    .name = "add",
    .n_in = 2,
    .n_out = 1,
    .in = {{"a", SKP_MAP}, {"b", SKP_MAP}},
    .out = {{"y", SKP_MAP}},
    .attrs = attrs,
    .order = SKP_ORDER_SAME,
    .infer = infer,
    .gradient = gradient,
    .flops = flops,
    .reference = reference,
};
