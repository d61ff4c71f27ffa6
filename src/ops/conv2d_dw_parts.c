/* conv2d_dw_parts.c: the weight gradient of a convolution as sums over parts of the pixels, which sum_parts adds.
 * SPDX-License-Identifier: MIT
 *
 *   parts[j, (r·S + s)·C/groups + c, k] = what conv2d_dw has as dw[r,s,c,k], of the pixels j·L to (j + 1)·L - 1 of
 *                                         dy alone, as far as there are so many;  L = N·P·Q / parts, rounded up
 *
 * No network asks for it: plan/parts.c puts it in the place of a conv2d_dw whose method adds such parts. */
#include "ops/check.h"

#define ATTR(field, fallback)                                                                                          \
  { #field, SKP_ATTR_INT, offsetof(struct skp_conv2d_attrs, field), fallback, NULL }
static const struct skp_attr attrs[] = {ATTR(stride, 1), ATTR(pad, 0), ATTR(dilation, 1), ATTR(groups, 1),
                                        ATTR(h, 0),      ATTR(w, 0),   ATTR(parts, 1),    {0}};

static skp_status infer(struct skp_sig *sig) {
  const int parts = sig->attrs.conv2d.parts;
  struct skp_shape out[2] = {{.rank = 0}};
  struct skp_sig whole = *sig;
  whole.op = &skp__op_conv2d_dw;
  whole.n_out = 2;
  whole.out = out;
  SKP_TRY(skp__check_least(sig, "parts", parts, 1));
  SKP_TRY(whole.op->infer(&whole));
  const int64_t *w = out[0].dim;
  sig->out[0] = skp__shape(SKP_F32, 3, (const int64_t[]){parts, w[0] * w[1] * w[2], w[3]});
  return SKP_OK;
}

static double flops(const struct skp_sig *sig) {
  return 2 * (double)skp__shape_count(&sig->in[1]) * (double)sig->out[0].dim[1];
}

/* What pixel i gives to the sum of row (r, s, c) and column k. */
static double product(const struct skp_call *call, int64_t i, int64_t row, int64_t k) {
  const struct skp_conv2d_attrs *a = &call->sig->attrs.conv2d;
  const struct skp_shape *X = &call->sig->in[0], *Y = &call->sig->in[1];
  const float *x = call->in[0], *dy = call->in[1];
  const int64_t Cg = X->dim[3] / a->groups, group = k / (Y->dim[3] / a->groups), tap = row / Cg;
  const int64_t p = i / Y->dim[2] % Y->dim[1], q = i % Y->dim[2], n = i / Y->dim[2] / Y->dim[1];
  const int64_t h = p * a->stride - a->pad + tap / a->w * a->dilation;
  const int64_t v = q * a->stride - a->pad + tap % a->w * a->dilation;
  if (h < 0 || h >= X->dim[1] || v < 0 || v >= X->dim[2]) return 0;
  return (double)x[skp__at(X, n, h, v, group * Cg + row % Cg)] * dy[i * Y->dim[3] + k];
}

static void reference(const struct skp_call *call) {
  const struct skp_shape *Y = &call->sig->in[1], *out = &call->sig->out[0];
  const int64_t pixels = skp__shape_count(Y) / Y->dim[3], length = (pixels + out->dim[0] - 1) / out->dim[0];
  float *parts = call->out[0];
  for (int64_t e = 0; e < skp__shape_count(out); e++) {
    const int64_t k = e % out->dim[2], row = e / out->dim[2] % out->dim[1],
                  from = e / out->dim[2] / out->dim[1] * length;
    double sum = 0;
    for (int64_t i = from; i < from + length && i < pixels; i++) sum += product(call, i, row, k);
    parts[e] = (float)sum;
  }
}

const struct skp_op skp__op_conv2d_dw_parts = {
    .name = "conv2d_dw_parts",
    .kind = SKP_KIND_CONVOLUTION,
    .pass = SKP_PASS_WEIGHTS,
    .n_in = 2,
    .n_out = 1,
    .in = {{"x"}, {"dy"}},
    .out = {{"parts"}},
    .attrs = attrs,
    .infer = infer,
    .flops = flops,
    .reference = reference,
};
