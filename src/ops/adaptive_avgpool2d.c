/* adaptive_avgpool2d.c: the mean of each of size × size windows that cover the image, as
 * PyTorch's AdaptiveAvgPool2d, and its gradient.
 * SPDX-License-Identifier: MIT
 *
 *   y[n,p,q,c]  = mean of x[n,h,w,c] over  first(p,H) <= h < end(p,H),  first(q,W) <= w < end(q,W)
 *   first(p,H)  = floor(p·H / size),  end(p,H) = ceil((p + 1)·H / size)
 *   dx[n,h,w,c] = sum of dy[n,p,q,c] / (elements of the window) over the windows that hold (h, w)
 *
 * Windows share rows where H is no multiple of size; where it is smaller, each repeats a row or two. */
#include "ops/check.h"

#define ATTR(field) #field, SKP_ATTR_INT, offsetof(struct skp_adaptive_attrs, field)
static const struct skp_attr attrs_forward[] = {{ATTR(size), 1, NULL}, {0}};
static const struct skp_attr attrs_backward[] = {{ATTR(size), 1, NULL}, {ATTR(h), 0, NULL}, {ATTR(w), 0, NULL}, {0}};

static skp_status infer(struct skp_sig *sig) {
  const struct skp_shape *x = &sig->in[0];
  const int size = sig->attrs.adaptive.size;
  SKP_TRY(skp__check_rank(sig, 0, 4));
  SKP_TRY(skp__check_least(sig, "size", size, 1));
  sig->out[0] = skp__shape4(x->dim[0], size, size, x->dim[3]);
  return SKP_OK;
}

static skp_status infer_dx(struct skp_sig *sig) {
  const struct skp_adaptive_attrs *a = &sig->attrs.adaptive;
  const struct skp_shape *dy = &sig->in[0];
  SKP_TRY(skp__check_rank(sig, 0, 4));
  SKP_TRY(skp__check_least(sig, "h", a->h, 1));
  SKP_TRY(skp__check_least(sig, "w", a->w, 1));
  SKP_TRY(skp__check_shape(sig, 0, skp__shape4(dy->dim[0], a->size, a->size, dy->dim[3]), "size × size windows"));
  sig->out[0] = skp__shape4(dy->dim[0], a->h, a->w, dy->dim[3]);
  return SKP_OK;
}

static skp_status gradient(struct skp_grad *g) {
  union skp_attrs attrs = g->sig->attrs;
  attrs.adaptive.h = (int)g->sig->in[0].dim[1];
  attrs.adaptive.w = (int)g->sig->in[0].dim[2];
  return g->emit(g, SKP_OP_adaptive_avgpool2d_dx, &attrs, &g->dout[0], NULL, &g->din[0]);
}

/* The windows along an axis. Those that hold position h are the windows that h would
 * have if the two extents were exchanged. */
static int64_t first(int64_t p, int64_t extent, int64_t size) { return p * extent / size; }
static int64_t end(int64_t p, int64_t extent, int64_t size) { return ((p + 1) * extent + size - 1) / size; }
static int64_t length(int64_t p, int64_t extent, int64_t size) { return end(p, extent, size) - first(p, extent, size); }

/* Of all windows along an axis together. */
static double lengths(int64_t extent, int64_t size) {
  int64_t sum = 0;
  for (int64_t p = 0; p < size; p++) sum += length(p, extent, size);
  return (double)sum;
}

static double flops_of(const struct skp_shape *x, int64_t size) {
  return (double)(x->dim[0] * x->dim[3]) * lengths(x->dim[1], size) * lengths(x->dim[2], size);
}

static double flops(const struct skp_sig *sig) { return flops_of(&sig->in[0], sig->attrs.adaptive.size); }
static double flops_dx(const struct skp_sig *sig) { return flops_of(&sig->out[0], sig->attrs.adaptive.size); }

static void reference(const struct skp_call *call) {
  const struct skp_shape *X = &call->sig->in[0], *Y = &call->sig->out[0];
  const int64_t H = X->dim[1], W = X->dim[2], size = call->sig->attrs.adaptive.size;
  const float *x = call->in[0];
  float *y = call->out[0];
  for (int64_t n = 0; n < Y->dim[0]; n++)
    for (int64_t p = 0; p < size; p++)
      for (int64_t q = 0; q < size; q++)
        for (int64_t c = 0; c < Y->dim[3]; c++) {
          double sum = 0;
          for (int64_t h = first(p, H, size); h < end(p, H, size); h++)
            for (int64_t w = first(q, W, size); w < end(q, W, size); w++) sum += x[skp__at(X, n, h, w, c)];
          y[skp__at(Y, n, p, q, c)] = (float)(sum / (double)(length(p, H, size) * length(q, W, size)));
        }
}

static void reference_dx(const struct skp_call *call) {
  const struct skp_shape *Y = &call->sig->in[0], *X = &call->sig->out[0];
  const int64_t H = X->dim[1], W = X->dim[2], size = call->sig->attrs.adaptive.size;
  const float *dy = call->in[0];
  float *dx = call->out[0];
  for (int64_t n = 0; n < X->dim[0]; n++)
    for (int64_t h = 0; h < H; h++)
      for (int64_t w = 0; w < W; w++)
        for (int64_t c = 0; c < X->dim[3]; c++) {
          double sum = 0;
          for (int64_t p = first(h, size, H); p < end(h, size, H); p++)
            for (int64_t q = first(w, size, W); q < end(w, size, W); q++)
              sum += dy[skp__at(Y, n, p, q, c)] / (double)(length(p, H, size) * length(q, W, size));
          dx[skp__at(X, n, h, w, c)] = (float)sum;
        }
}

const struct skp_op skp__op_adaptive_avgpool2d = {
    .name = "adaptive_avgpool2d",
    .kind = SKP_KIND_POOL,
    .n_in = 1,
    .n_out = 1,
    .in = {{"x"}},
    .out = {{"y"}},
    .attrs = attrs_forward,
    .infer = infer,
    .gradient = gradient,
    .flops = flops,
    .reference = reference,
};

const struct skp_op skp__op_adaptive_avgpool2d_dx = {
    .name = "adaptive_avgpool2d_dx",
    .kind = SKP_KIND_POOL,
    .n_in = 1,
    .n_out = 1,
    .in = {{"dy"}},
    .out = {{"dx"}},
    .attrs = attrs_backward,
    .infer = infer_dx,
    .flops = flops_dx,
    .reference = reference_dx,
};
