/* resize_bilinear.c: bilinear scaling of images, antialiased: what PyTorch calls
 * align_corners = False, antialias = True.
 * SPDX-License-Identifier: MIT
 *
 *   y[n,p,q,c] = sum over h,w of  a_p[h] · a_q[w] · x[n,h,w,c]
 *   a_p[h] = t((h + 1/2 - centre) / reach) / sum of these,  t(d) = max(1 - |d|, 0)
 *   centre = (p + 1/2) · scale,  scale = in / out,  reach = max(scale, 1)
 *
 * Enlarging, it is the usual interpolation between half-pixel centres; shrinking, the
 * triangle widens so that every pixel counts. */
#include "ops/check.h"
#include <math.h>

static const struct skp_attr attrs[] = {
    {"out_h", SKP_ATTR_INT, offsetof(struct skp_resize_attrs, out_h), 0, NULL},
    {"out_w", SKP_ATTR_INT, offsetof(struct skp_resize_attrs, out_w), 0, NULL},
    {0},
};

static skp_status infer(struct skp_sig *sig) {
  const struct skp_resize_attrs *a = &sig->attrs.resize;
  SKP_TRY(skp__check_rank(sig, 0, 4));
  SKP_TRY(skp__check_least(sig, "out_h", a->out_h, 1));
  SKP_TRY(skp__check_least(sig, "out_w", a->out_w, 1));
  sig->out[0] = skp__shape4(sig->in[0].dim[0], a->out_h, a->out_w, sig->in[0].dim[3]);
  return SKP_OK;
}

/* The pixels from ≤ i < to that output position p is made of, along one axis. */
struct window {
  double centre, reach, sum;
  int64_t from, to;
};

static double weight(const struct window *v, int64_t i) {
  return fmax(1 - fabs((double)i + 0.5 - v->centre) / v->reach, 0);
}

static struct window window(int64_t p, int64_t in, int64_t out) {
  const double scale = (double)in / (double)out;
  struct window v = {.centre = ((double)p + 0.5) * scale, .reach = fmax(scale, 1)};
  v.from = (int64_t)fmax(floor(v.centre - v.reach + 0.5), 0);
  v.to = (int64_t)fmin(floor(v.centre + v.reach + 0.5), (double)in);
  for (int64_t i = v.from; i < v.to; i++) v.sum += weight(&v, i);
  return v;
}

/* A multiply-add for each pixel that each output is made of. */
static double flops(const struct skp_sig *sig) {
  const struct skp_shape *X = &sig->in[0], *Y = &sig->out[0];
  const double reach_h = fmax((double)X->dim[1] / (double)Y->dim[1], 1),
               reach_w = fmax((double)X->dim[2] / (double)Y->dim[2], 1);
  return (double)skp__shape_count(Y) * 2 * (2 * reach_h) * (2 * reach_w);
}

static void reference(const struct skp_call *call) {
  const struct skp_shape *X = &call->sig->in[0], *Y = &call->sig->out[0];
  const float *x = call->in[0];
  float *y = call->out[0];
  for (int64_t n = 0; n < Y->dim[0]; n++)
    for (int64_t p = 0; p < Y->dim[1]; p++)
      for (int64_t q = 0; q < Y->dim[2]; q++) {
        const struct window rows = window(p, X->dim[1], Y->dim[1]), columns = window(q, X->dim[2], Y->dim[2]);
        for (int64_t c = 0; c < Y->dim[3]; c++) {
          double sum = 0;
          for (int64_t h = rows.from; h < rows.to; h++)
            for (int64_t w = columns.from; w < columns.to; w++)
              sum += weight(&rows, h) * weight(&columns, w) * x[skp__at(X, n, h, w, c)];
          y[skp__at(Y, n, p, q, c)] = (float)(sum / (rows.sum * columns.sum));
        }
      }
}

const struct skp_op skp__op_resize_bilinear = {
    .name = "resize_bilinear",
    .n_in = 1,
    .n_out = 1,
    .in = {{"x"}},
    .out = {{"y"}},
    .attrs = attrs,
    .infer = infer,
    .flops = flops,
    .reference = reference,
};
