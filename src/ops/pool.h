/* pool.h: what the pooling ops have in common: windows inside a padded image. SPDX-License-Identifier: MIT */
#ifndef SKP_OPS_POOL_H
#define SKP_OPS_POOL_H

#include "ops/check.h"

/* Rows of their tables of attributes: of all, and what the gradients have besides (the extent of dx). */
#define SKP_POOL_ATTR(field, fallback)                                                                                 \
  { #field, SKP_ATTR_INT, offsetof(struct skp_pool_attrs, field), fallback, NULL }
#define SKP_POOL_ATTRS      SKP_POOL_ATTR(kernel, 2), SKP_POOL_ATTR(stride, 2), SKP_POOL_ATTR(pad, 0)
#define SKP_POOL_BACK_ATTRS SKP_POOL_ATTR(h, 0), SKP_POOL_ATTR(w, 0)

/* How many windows an axis has. */
static inline int64_t skp__pool_extent(int64_t in, const struct skp_pool_attrs *a) {
  const int64_t windows = skp__window_extent(in + (a->ceil ? a->stride - 1 : 0), a->kernel, a->stride, a->pad, 1);
  return a->ceil && (windows - 1) * a->stride >= in + a->pad ? windows - 1 : windows;
}

/* Checks the attributes and gives the shape that pooling makes of x. As in PyTorch the padding is at most half a
 * window, so that every window has elements inside the image. */
static inline skp_status skp__pool_shape(struct skp_shape *y, const struct skp_sig *sig, struct skp_shape x) {
  const struct skp_pool_attrs *a = &sig->attrs.pool;
  char text[100];
  SKP_TRY(skp__check_least(sig, "kernel", a->kernel, 1));
  SKP_TRY(skp__check_least(sig, "stride", a->stride, 1));
  SKP_TRY(skp__check_within(sig, "pad", a->pad, 0, a->kernel / 2));
  *y = skp__shape4(x.dim[0], skp__pool_extent(x.dim[1], a), skp__pool_extent(x.dim[2], a), x.dim[3]);
  if (y->dim[1] < 1 || y->dim[2] < 1)
    return skp__op_fail(sig, "the window of %d×%d is larger than x %s with padding %d.", a->kernel, a->kernel,
                        skp__shape_text(text, sizeof text, &x), a->pad);
  return SKP_OK;
}

/* Inference of a gradient: dx has the height and width of the attributes, and pooling it makes the shape of dy. */
static inline skp_status skp__pool_back(struct skp_sig *sig) {
  const struct skp_pool_attrs *a = &sig->attrs.pool;
  struct skp_shape y;
  SKP_TRY(skp__check_rank(sig, 0, 4));
  SKP_TRY(skp__check_least(sig, "h", a->h, 1));
  SKP_TRY(skp__check_least(sig, "w", a->w, 1));
  sig->out[0] = skp__shape4(sig->in[0].dim[0], a->h, a->w, sig->in[0].dim[3]);
  SKP_TRY(skp__pool_shape(&y, sig, sig->out[0]));
  return skp__check_shape(sig, 0, y, "what pooling makes of dx");
}

/* The first and last window along an axis (of `windows`) that hold position h. */
static inline int64_t skp__pool_first(int64_t h, const struct skp_pool_attrs *a) {
  const int64_t at = h + a->pad - a->kernel;
  return at < 0 ? 0 : at / a->stride + 1;
}

static inline int64_t skp__pool_last(int64_t h, const struct skp_pool_attrs *a, int64_t windows) {
  const int64_t last = (h + a->pad) / a->stride;
  return last < windows ? last : windows - 1;
}

#endif
