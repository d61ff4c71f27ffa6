/* avgpool2d.c: the mean of each window, and its gradient. SPDX-License-Identifier: MIT
 *
 *   y[n,p,q,c]  = (sum over r,s of x[n,h,w,c]) / D[p,q],  h = p·stride - pad + r, w =
 *               q·stride - pad + s, zero outside the image
 *   D[p,q]      = kernel^2 with count_include_pad, else the number of the window's elements inside the image
 *   dx[n,h,w,c] = sum of dy[n,p,q,c] / D[p,q] over the windows that hold (h, w) */
#include "ops/pool.h"

static const struct skp_attr attrs_forward[] = {
    SKP_POOL_ATTRS,
    {"count_include_pad", SKP_ATTR_BOOL, offsetof(struct skp_pool_attrs, count_include_pad), 1, NULL},
    {0},
};
static const struct skp_attr attrs_backward[] = {
    SKP_POOL_ATTRS,
    {"count_include_pad", SKP_ATTR_BOOL, offsetof(struct skp_pool_attrs, count_include_pad), 1, NULL},
    SKP_POOL_BACK_ATTRS,
    {0},
};

static skp_status infer(struct skp_sig *sig) {
  SKP_TRY(skp__check_rank(sig, 0, 4));
  return skp__pool_shape(&sig->out[0], sig, sig->in[0]);
}

static skp_status infer_dx(struct skp_sig *sig) { return skp__pool_back(sig); }

static skp_status gradient(struct skp_grad *g) {
  union skp_attrs attrs = g->sig->attrs;
  attrs.pool.h = (int)g->sig->in[0].dim[1];
  attrs.pool.w = (int)g->sig->in[0].dim[2];
  return g->emit(g, SKP_OP_avgpool2d_dx, &attrs, &g->dout[0], NULL, &g->din[0]);
}

static double flops_of(const struct skp_shape *y, const struct skp_pool_attrs *a) {
  return (double)skp__shape_count(y) * a->kernel * a->kernel;
}

static double flops(const struct skp_sig *sig) { return flops_of(&sig->out[0], &sig->attrs.pool); }

static double flops_dx(const struct skp_sig *sig) { return flops_of(&sig->in[0], &sig->attrs.pool); }

/* How many of a window's positions along one axis lie inside the image of that extent. */
static int64_t inside(int64_t p, const struct skp_pool_attrs *a, int64_t extent) {
  const int64_t from = p * a->stride - a->pad, to = from + a->kernel;
  return (to < extent ? to : extent) - (from > 0 ? from : 0);
}

static double divisor(const struct skp_pool_attrs *a, int64_t p, int64_t q, const struct skp_shape *X) {
  if (a->count_include_pad) return (double)a->kernel * a->kernel;
  return (double)(inside(p, a, X->dim[1]) * inside(q, a, X->dim[2]));
}

static double window_sum(const struct skp_call *call, int64_t n, int64_t p, int64_t q, int64_t c) {
  const struct skp_pool_attrs *a = &call->sig->attrs.pool;
  const struct skp_shape *X = &call->sig->in[0];
  const float *x = call->in[0];
  double sum = 0;
  for (int64_t h = p * a->stride - a->pad; h < p * a->stride - a->pad + a->kernel; h++)
    for (int64_t w = q * a->stride - a->pad; w < q * a->stride - a->pad + a->kernel; w++)
      if (h >= 0 && h < X->dim[1] && w >= 0 && w < X->dim[2]) sum += x[skp__at(X, n, h, w, c)];
  return sum;
}

static void reference(const struct skp_call *call) {
  const struct skp_shape *X = &call->sig->in[0], *Y = &call->sig->out[0];
  float *y = call->out[0];
  for (int64_t n = 0; n < Y->dim[0]; n++)
    for (int64_t p = 0; p < Y->dim[1]; p++)
      for (int64_t q = 0; q < Y->dim[2]; q++)
        for (int64_t c = 0; c < Y->dim[3]; c++)
          y[skp__at(Y, n, p, q, c)] = (float)(window_sum(call, n, p, q, c) / divisor(&call->sig->attrs.pool, p, q, X));
}

static void reference_dx(const struct skp_call *call) {
  const struct skp_pool_attrs *a = &call->sig->attrs.pool;
  const struct skp_shape *Y = &call->sig->in[0], *X = &call->sig->out[0];
  const float *dy = call->in[0];
  float *dx = call->out[0];
  for (int64_t n = 0; n < X->dim[0]; n++)
    for (int64_t h = 0; h < X->dim[1]; h++)
      for (int64_t w = 0; w < X->dim[2]; w++)
        for (int64_t c = 0; c < X->dim[3]; c++) {
          double sum = 0;
          for (int64_t p = skp__pool_first(h, a); p <= skp__pool_last(h, a, Y->dim[1]); p++)
            for (int64_t q = skp__pool_first(w, a); q <= skp__pool_last(w, a, Y->dim[2]); q++)
              sum += dy[skp__at(Y, n, p, q, c)] / divisor(a, p, q, X);
          dx[skp__at(X, n, h, w, c)] = (float)sum;
        }
}

const struct skp_op skp__op_avgpool2d = {
    .name = "avgpool2d",
    .kind = SKP_KIND_POOL,
    .n_in = 1,
    .n_out = 1,
    .in = {{"x", SKP_MAP}},
    .out = {{"y", SKP_MAP}},
    .attrs = attrs_forward,
    .infer = infer,
    .gradient = gradient,
    .flops = flops,
    .reference = reference,
};

const struct skp_op skp__op_avgpool2d_dx = {
    .name = "avgpool2d_dx",
    .kind = SKP_KIND_POOL,
    .n_in = 1,
    .n_out = 1,
    .in = {{"dy", SKP_MAP}},
    .out = {{"dx", SKP_MAP}},
    .attrs = attrs_backward,
    .infer = infer_dx,
    .flops = flops_dx,
    .reference = reference_dx,
};
