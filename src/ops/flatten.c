/* flatten.c: {N,H,W,C} seen as {N, H·W·C}, or with h, w, c given the way back. A view: nothing moves.
 * SPDX-License-Identifier: MIT */
#include "ops/check.h"

static const struct skp_attr attrs[] = {
    {"h", SKP_ATTR_INT, offsetof(struct skp_flatten_attrs, h), 0, NULL},
    {"w", SKP_ATTR_INT, offsetof(struct skp_flatten_attrs, w), 0, NULL},
    {"c", SKP_ATTR_INT, offsetof(struct skp_flatten_attrs, c), 0, NULL},
    {0},
};

static skp_status infer(struct skp_sig *sig) {
  const struct skp_flatten_attrs *a = &sig->attrs.flatten;
  const struct skp_shape *x = &sig->in[0];
  char text[100];
  if (!a->h && !a->w && !a->c) {
    sig->out[0] = skp__shape2(x->dim[0], skp__shape_count(x) / x->dim[0]);
    return skp__check_rank(sig, 0, x->rank);
  }
  SKP_TRY(skp__check_least(sig, "h", a->h, 1));
  SKP_TRY(skp__check_least(sig, "w", a->w, 1));
  SKP_TRY(skp__check_least(sig, "c", a->c, 1));
  SKP_TRY(skp__check_rank(sig, 0, 2));
  if ((double)a->h * a->w * a->c != (double)x->dim[1])
    return skp__op_fail(sig, "x %s cannot become N×%d×%d×%d.", skp__shape_text(text, sizeof text, x), a->h, a->w, a->c);
  sig->out[0] = skp__shape4(x->dim[0], a->h, a->w, a->c);
  return SKP_OK;
}

static skp_status gradient(struct skp_grad *g) {
  const struct skp_shape *x = &g->sig->in[0];
  if (x->rank != 4) { /* already flat: the gradient has the shape of x */
    g->din[0] = g->dout[0];
    return SKP_OK;
  }
  union skp_attrs back = {.flatten = {(int)x->dim[1], (int)x->dim[2], (int)x->dim[3]}};
  return g->emit(g, SKP_OP_flatten, &back, &g->dout[0], NULL, &g->din[0]);
}

const struct skp_op skp__op_flatten = {
    .name = "flatten",
    .n_in = 1,
    .n_out = 1,
    .in = {{"x", SKP_MAP}},
    .out = {{"y", SKP_MAP}},
    .alias = {1},
    .attrs = attrs,
    .order = SKP_ORDER_SAME,
    .infer = infer,
    .gradient = gradient,
};
