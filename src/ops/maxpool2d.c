/* maxpool2d.c: the largest value of each window, and its gradient. SPDX-License-Identifier: MIT
 *
 *   y[n,p,q,c]     = max over r,s of x[n,h,w,c],  h = p·stride - pad + r, w = q·stride - pad + s, inside the image only
 *   index[n,p,q,c] = h · W + w of the winner: the first in row-major order among equals; NaN beats every number
 *   dx[n,h,w,c]    = sum of the dy of the windows that (h, w) won */
#include "ops/pool.h"
#include <math.h>

#define CEIL                                                                                                           \
  { "ceil", SKP_ATTR_BOOL, offsetof(struct skp_pool_attrs, ceil), 0, NULL }

static const struct skp_attr attrs_forward[] = {
    SKP_POOL_ATTRS,
    CEIL,
    {0},
};
static const struct skp_attr attrs_backward[] = {
    SKP_POOL_ATTRS,
    CEIL,
    SKP_POOL_BACK_ATTRS,
    {0},
};

static skp_status infer(struct skp_sig *sig) {
  SKP_TRY(skp__check_rank(sig, 0, 4));
  SKP_TRY(skp__pool_shape(&sig->out[0], sig, sig->in[0]));
  sig->out[1] = skp__shape_i32(sig->out[0]);
  return SKP_OK;
}

static skp_status infer_dx(struct skp_sig *sig) {
  SKP_TRY(skp__pool_back(sig));
  return skp__check_shape(sig, 1, skp__shape_i32(sig->in[0]), "the shape of dy");
}

static skp_status gradient(struct skp_grad *g) {
  union skp_attrs attrs = g->sig->attrs;
  attrs.pool.h = (int)g->sig->in[0].dim[1];
  attrs.pool.w = (int)g->sig->in[0].dim[2];
  const skp_value in[] = {g->dout[0], g->out[1]};
  return g->emit(g, SKP_OP_maxpool2d_dx, &attrs, in, NULL, &g->din[0]);
}

/* A comparison for each element of a window. */
static double flops(const struct skp_sig *sig) {
  return (double)skp__shape_count(&sig->out[0]) * sig->attrs.pool.kernel * sig->attrs.pool.kernel;
}

static double flops_dx(const struct skp_sig *sig) { return (double)skp__shape_count(&sig->in[0]); }

/* The position h · W + w of the winner of window (p, q) in channel c of image n. */
static int64_t winner(const struct skp_call *call, int64_t n, int64_t p, int64_t q, int64_t c) {
  const struct skp_pool_attrs *a = &call->sig->attrs.pool;
  const struct skp_shape *X = &call->sig->in[0];
  const float *x = call->in[0];
  int64_t best = -1;
  float most = 0;
  for (int64_t h = p * a->stride - a->pad; h < p * a->stride - a->pad + a->kernel; h++)
    for (int64_t w = q * a->stride - a->pad; w < q * a->stride - a->pad + a->kernel; w++) {
      if (h < 0 || h >= X->dim[1] || w < 0 || w >= X->dim[2]) continue;
      const float value = x[skp__at(X, n, h, w, c)];
      if (best >= 0 && !(value > most) && !(isnan(value) && !isnan(most))) continue;
      best = h * X->dim[2] + w;
      most = value;
    }
  return best;
}

static void reference(const struct skp_call *call) {
  const struct skp_shape *X = &call->sig->in[0], *Y = &call->sig->out[0];
  const float *x = call->in[0];
  float *y = call->out[0];
  int32_t *index = call->out[1];
  for (int64_t n = 0; n < Y->dim[0]; n++)
    for (int64_t p = 0; p < Y->dim[1]; p++)
      for (int64_t q = 0; q < Y->dim[2]; q++)
        for (int64_t c = 0; c < Y->dim[3]; c++) {
          const int64_t best = winner(call, n, p, q, c);
          y[skp__at(Y, n, p, q, c)] = x[skp__at(X, n, 0, best, c)];
          if (index) index[skp__at(Y, n, p, q, c)] = (int32_t)best;
        }
}

static void reference_dx(const struct skp_call *call) {
  const struct skp_pool_attrs *a = &call->sig->attrs.pool;
  const struct skp_shape *Y = &call->sig->in[0], *X = &call->sig->out[0];
  const float *dy = call->in[0];
  const int32_t *index = call->in[1];
  float *dx = call->out[0];
  for (int64_t n = 0; n < X->dim[0]; n++)
    for (int64_t h = 0; h < X->dim[1]; h++)
      for (int64_t w = 0; w < X->dim[2]; w++)
        for (int64_t c = 0; c < X->dim[3]; c++) {
          double sum = 0;
          for (int64_t p = skp__pool_first(h, a); p <= skp__pool_last(h, a, Y->dim[1]); p++)
            for (int64_t q = skp__pool_first(w, a); q <= skp__pool_last(w, a, Y->dim[2]); q++)
              if (index[skp__at(Y, n, p, q, c)] == h * X->dim[2] + w) sum += dy[skp__at(Y, n, p, q, c)];
          dx[skp__at(X, n, h, w, c)] = (float)sum;
        }
}

const struct skp_op skp__op_maxpool2d = {
    .name = "maxpool2d",
    .kind = SKP_KIND_POOL,
    .n_in = 1,
    .n_out = 2,
    .in = {{"x", SKP_MAP}},
    .out = {{"y", SKP_MAP}, {"index", SKP_OPTIONAL}},
    .attrs = attrs_forward,
    .infer = infer,
    .gradient = gradient,
    .flops = flops,
    .reference = reference,
};

const struct skp_op skp__op_maxpool2d_dx = {
    .name = "maxpool2d_dx",
    .kind = SKP_KIND_POOL,
    .n_in = 2,
    .n_out = 1,
    .in = {{"dy", SKP_MAP}, {"index"}},
    .out = {{"dx", SKP_MAP}},
    .attrs = attrs_backward,
    .infer = infer_dx,
    .flops = flops_dx,
    .reference = reference_dx,
};
