/* global_avgpool.c: the mean of each channel over the whole image, and its gradient. SPDX-License-Identifier: MIT
 *
 *   y[n,c] = mean over h,w of x[n,h,w,c];   dx[n,h,w,c] = dy[n,c] / (H·W) */
#include "ops/pool.h"

static const struct skp_attr attrs_backward[] = {
    SKP_POOL_BACK_ATTRS,
    {0},
};

static skp_status infer(struct skp_sig *sig) {
  SKP_TRY(skp__check_rank(sig, 0, 4));
  sig->out[0] = skp__shape2(sig->in[0].dim[0], sig->in[0].dim[3]);
  return SKP_OK;
}

static skp_status infer_dx(struct skp_sig *sig) {
  const struct skp_pool_attrs *a = &sig->attrs.pool;
  SKP_TRY(skp__check_rank(sig, 0, 2));
  SKP_TRY(skp__check_least(sig, "h", a->h, 1));
  SKP_TRY(skp__check_least(sig, "w", a->w, 1));
  sig->out[0] = skp__shape4(sig->in[0].dim[0], a->h, a->w, sig->in[0].dim[1]);
  return SKP_OK;
}

static skp_status gradient(struct skp_grad *g) {
  const struct skp_shape *x = &g->sig->in[0];
  const union skp_attrs attrs = {.pool = {.h = (int)x->dim[1], .w = (int)x->dim[2]}};
  return g->emit(g, SKP_OP_global_avgpool_dx, &attrs, &g->dout[0], NULL, &g->din[0]);
}

static double flops(const struct skp_sig *sig) { return (double)skp__shape_count(&sig->in[0]); }

static void reference(const struct skp_call *call) {
  const struct skp_shape *X = &call->sig->in[0];
  const float *x = call->in[0];
  float *y = call->out[0];
  const int64_t C = X->dim[3], pixels = X->dim[1] * X->dim[2];
  for (int64_t n = 0; n < X->dim[0]; n++)
    for (int64_t c = 0; c < C; c++) {
      double sum = 0;
      for (int64_t i = 0; i < pixels; i++) sum += x[(n * pixels + i) * C + c];
      y[n * C + c] = (float)(sum / (double)pixels);
    }
}

static void reference_dx(const struct skp_call *call) {
  const struct skp_shape *X = &call->sig->out[0];
  const float *dy = call->in[0];
  float *dx = call->out[0];
  const int64_t C = X->dim[3], pixels = X->dim[1] * X->dim[2];
  for (int64_t n = 0; n < X->dim[0]; n++)
    for (int64_t i = 0; i < pixels; i++)
      for (int64_t c = 0; c < C; c++) dx[(n * pixels + i) * C + c] = (float)(dy[n * C + c] / (double)pixels);
}

const struct skp_op skp__op_global_avgpool = {
    .name = "global_avgpool",
    .kind = SKP_KIND_POOL,
    .n_in = 1,
    .n_out = 1,
    .in = {{"x", SKP_MAP}},
    .out = {{"y", SKP_MAP}},
    .infer = infer,
    .gradient = gradient,
    .flops = flops,
    .reference = reference,
};

const struct skp_op skp__op_global_avgpool_dx = {
    .name = "global_avgpool_dx",
    .kind = SKP_KIND_POOL,
    .n_in = 1,
    .n_out = 1,
    .in = {{"dy", SKP_MAP}},
    .out = {{"dx", SKP_MAP}},
    .attrs = attrs_backward,
    .infer = infer_dx,
    .reference = reference_dx,
};
