/* upsample_nearest.c: each pixel becomes a square of scale × scale pixels, and its gradient.
 * SPDX-License-Identifier: MIT
 *
 *   y[n,h,w,c] = x[n, h / scale, w / scale, c];   dx[n,p,q,c] = sum over that square of dy */
#include "ops/check.h"

static const struct skp_attr attrs[] = {
    {"scale", SKP_ATTR_INT, offsetof(struct skp_upsample_attrs, scale), 2, NULL},
    {0},
};

static skp_status infer(struct skp_sig *sig) {
  const struct skp_shape *x = &sig->in[0];
  const int64_t scale = sig->attrs.upsample.scale;
  SKP_TRY(skp__check_rank(sig, 0, 4));
  SKP_TRY(skp__check_least(sig, "scale", (int)scale, 1));
  sig->out[0] = skp__shape4(x->dim[0], x->dim[1] * scale, x->dim[2] * scale, x->dim[3]);
  return SKP_OK;
}

static skp_status infer_dx(struct skp_sig *sig) {
  const struct skp_shape *dy = &sig->in[0];
  const int scale = sig->attrs.upsample.scale;
  SKP_TRY(skp__check_rank(sig, 0, 4));
  SKP_TRY(skp__check_least(sig, "scale", scale, 1));
  if (dy->dim[1] % scale || dy->dim[2] % scale)
    return skp__op_fail(sig, "dy of %lld×%lld pixels does not consist of squares of %d.", (long long)dy->dim[1],
                        (long long)dy->dim[2], scale);
  sig->out[0] = skp__shape4(dy->dim[0], dy->dim[1] / scale, dy->dim[2] / scale, dy->dim[3]);
  return SKP_OK;
}

static skp_status gradient(struct skp_grad *g) {
  return g->emit(g, SKP_OP_upsample_nearest_dx, &g->sig->attrs, &g->dout[0], NULL, &g->din[0]);
}

static double flops_dx(const struct skp_sig *sig) { return (double)skp__shape_count(&sig->in[0]); }

static void reference(const struct skp_call *call) {
  const struct skp_shape *X = &call->sig->in[0], *Y = &call->sig->out[0];
  const int64_t scale = call->sig->attrs.upsample.scale;
  const float *x = call->in[0];
  float *y = call->out[0];
  for (int64_t n = 0; n < Y->dim[0]; n++)
    for (int64_t h = 0; h < Y->dim[1]; h++)
      for (int64_t w = 0; w < Y->dim[2]; w++)
        for (int64_t c = 0; c < Y->dim[3]; c++) y[skp__at(Y, n, h, w, c)] = x[skp__at(X, n, h / scale, w / scale, c)];
}

static void reference_dx(const struct skp_call *call) {
  const struct skp_shape *Y = &call->sig->in[0], *X = &call->sig->out[0];
  const int64_t scale = call->sig->attrs.upsample.scale;
  const float *dy = call->in[0];
  float *dx = call->out[0];
  for (int64_t n = 0; n < X->dim[0]; n++)
    for (int64_t p = 0; p < X->dim[1]; p++)
      for (int64_t q = 0; q < X->dim[2]; q++)
        for (int64_t c = 0; c < X->dim[3]; c++) {
          double sum = 0;
          for (int64_t i = 0; i < scale * scale; i++)
            sum += dy[skp__at(Y, n, p * scale + i / scale, q * scale + i % scale, c)];
          dx[skp__at(X, n, p, q, c)] = (float)sum;
        }
}

const struct skp_op skp__op_upsample_nearest = {
    .name = "upsample_nearest",
    .n_in = 1,
    .n_out = 1,
    .in = {{"x"}},
    .out = {{"y"}},
    .attrs = attrs,
    .infer = infer,
    .gradient = gradient,
    .reference = reference,
};

const struct skp_op skp__op_upsample_nearest_dx = {
    .name = "upsample_nearest_dx",
    .n_in = 1,
    .n_out = 1,
    .in = {{"dy"}},
    .out = {{"dx"}},
    .attrs = attrs,
    .infer = infer_dx,
    .flops = flops_dx,
    .reference = reference_dx,
};
