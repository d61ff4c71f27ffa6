/* linear.c: y = x · w + b on flattened maps, and its gradients. SPDX-License-Identifier: MIT
 *
 *   y[n,k]  = b[k] + sum over f of  x[n,f] · w[f,k]       f counts through R, S, C: w
 *           {R,S,C,K} in memory is the matrix F × K
 *   dx[n,f] = sum over k of  dy[n,k] · w[f,k]
 *   dw[f,k] = sum over n of  x[n,f] · dy[n,k]
 *   db[k]   = sum over n of  dy[n,k] */
#include "ops/check.h"

static const struct skp_attr attrs_dw[] = {
    {"r", SKP_ATTR_INT, offsetof(struct skp_linear_attrs, r), 1, NULL},
    {"s", SKP_ATTR_INT, offsetof(struct skp_linear_attrs, s), 1, NULL},
    {0},
};

static int64_t features(const struct skp_shape *w) { return w->dim[0] * w->dim[1] * w->dim[2]; }

/* ---- shapes ------------------------------------------------------------------------------------------------------ */

static skp_status infer(struct skp_sig *sig) {
  const struct skp_shape *x = &sig->in[0], *w = &sig->in[1];
  char tx[100], tw[100];
  SKP_TRY(skp__check_rank(sig, 0, 2));
  SKP_TRY(skp__check_rank(sig, 1, 4));
  if (x->dim[1] != features(w))
    return skp__op_fail(sig, "x %s has %lld features, w %s expects %lld.", skp__shape_text(tx, sizeof tx, x),
                        (long long)x->dim[1], skp__shape_text(tw, sizeof tw, w), (long long)features(w));
  if (sig->in[2].rank) SKP_TRY(skp__check_shape(sig, 2, skp__shape1(w->dim[3]), "one for each feature that w makes"));
  sig->out[0] = skp__shape2(x->dim[0], w->dim[3]);
  return SKP_OK;
}

static skp_status infer_dx(struct skp_sig *sig) {
  const struct skp_shape *dy = &sig->in[0], *w = &sig->in[1];
  SKP_TRY(skp__check_rank(sig, 0, 2));
  SKP_TRY(skp__check_rank(sig, 1, 4));
  SKP_TRY(skp__check_shape(sig, 0, skp__shape2(dy->dim[0], w->dim[3]), "what w makes"));
  sig->out[0] = skp__shape2(dy->dim[0], features(w));
  return SKP_OK;
}

static skp_status infer_dw(struct skp_sig *sig) {
  const struct skp_linear_attrs *a = &sig->attrs.linear;
  const struct skp_shape *x = &sig->in[0], *dy = &sig->in[1];
  char text[100];
  SKP_TRY(skp__check_least(sig, "r", a->r, 1));
  SKP_TRY(skp__check_least(sig, "s", a->s, 1));
  SKP_TRY(skp__check_rank(sig, 0, 2));
  SKP_TRY(skp__check_rank(sig, 1, 2));
  SKP_TRY(skp__check_shape(sig, 1, skp__shape2(x->dim[0], dy->dim[1]), "a row for each of x"));
  if (x->dim[1] % ((int64_t)a->r * a->s))
    return skp__op_fail(sig, "x %s cannot be a flattened map of %d×%d.", skp__shape_text(text, sizeof text, x), a->r,
                        a->s);
  sig->out[0] = skp__shape4(a->r, a->s, x->dim[1] / ((int64_t)a->r * a->s), dy->dim[1]);
  sig->out[1] = skp__shape1(dy->dim[1]);
  return SKP_OK;
}

/* ---- gradient and cost ------------------------------------------------------------------------------------------- */

static skp_status gradient(struct skp_grad *g) {
  const struct skp_shape *w = &g->sig->in[1];
  if (g->need[0]) {
    const skp_value in[] = {g->dout[0], g->in[1]};
    SKP_TRY(g->emit(g, SKP_OP_linear_dx, NULL, in, NULL, &g->din[0]));
  }
  if (g->need[1] || g->need[2]) {
    const union skp_attrs attrs = {.linear = {(int)w->dim[0], (int)w->dim[1]}};
    const skp_value in[] = {g->in[0], g->dout[0]};
    const bool want[] = {true, g->need[2]};
    skp_value out[2];
    SKP_TRY(g->emit(g, SKP_OP_linear_dw, &attrs, in, want, out));
    g->din[1] = out[0];
    g->din[2] = out[1];
  }
  return SKP_OK;
}

static double flops_of(const struct skp_shape *y, int64_t F, bool bias) {
  return (double)skp__shape_count(y) * (2 * (double)F + (bias ? 1 : 0));
}

static double flops(const struct skp_sig *sig) {
  return flops_of(&sig->out[0], features(&sig->in[1]), sig->in[2].rank);
}

static double flops_dx(const struct skp_sig *sig) { return flops_of(&sig->in[0], features(&sig->in[1]), false); }

static double flops_dw(const struct skp_sig *sig) {
  return flops_of(&sig->in[1], features(&sig->out[0]), sig->out[1].rank);
}

/* ---- reference --------------------------------------------------------------------------------------------------- */

static void reference(const struct skp_call *call) {
  const int64_t N = call->sig->in[0].dim[0], F = call->sig->in[0].dim[1], K = call->sig->in[1].dim[3];
  const float *x = call->in[0], *w = call->in[1], *b = call->in[2];
  float *y = call->out[0];
  for (int64_t n = 0; n < N; n++)
    for (int64_t k = 0; k < K; k++) {
      double sum = b ? b[k] : 0;
      for (int64_t f = 0; f < F; f++) sum += (double)x[n * F + f] * w[f * K + k];
      y[n * K + k] = (float)sum;
    }
}

static void reference_dx(const struct skp_call *call) {
  const int64_t N = call->sig->out[0].dim[0], F = call->sig->out[0].dim[1], K = call->sig->in[0].dim[1];
  const float *dy = call->in[0], *w = call->in[1];
  float *dx = call->out[0];
  for (int64_t n = 0; n < N; n++)
    for (int64_t f = 0; f < F; f++) {
      double sum = 0;
      for (int64_t k = 0; k < K; k++) sum += (double)dy[n * K + k] * w[f * K + k];
      dx[n * F + f] = (float)sum;
    }
}

static void reference_dw(const struct skp_call *call) {
  const int64_t N = call->sig->in[0].dim[0], F = call->sig->in[0].dim[1], K = call->sig->in[1].dim[1];
  const float *x = call->in[0], *dy = call->in[1];
  float *dw = call->out[0], *db = call->out[1];
  for (int64_t f = 0; f < F; f++)
    for (int64_t k = 0; k < K; k++) {
      double sum = 0;
      for (int64_t n = 0; n < N; n++) sum += (double)x[n * F + f] * dy[n * K + k];
      dw[f * K + k] = (float)sum;
    }
  for (int64_t k = 0; db && k < K; k++) {
    double sum = 0;
    for (int64_t n = 0; n < N; n++) sum += dy[n * K + k];
    db[k] = (float)sum;
  }
}

const struct skp_op skp__op_linear = {
    .name = "linear",
    .kind = SKP_KIND_LINEAR,
    .n_in = 3,
    .n_out = 1,
    .in = {{"x"}, {"w"}, {"b", SKP_OPTIONAL}},
    .out = {{"y"}},
    .order = SKP_ORDER_ANY,
    .infer = infer,
    .gradient = gradient,
    .flops = flops,
    .reference = reference,
};

const struct skp_op skp__op_linear_dx = {
    .name = "linear_dx",
    .kind = SKP_KIND_LINEAR,
    .pass = SKP_PASS_DATA,
    .n_in = 2,
    .n_out = 1,
    .in = {{"dy"}, {"w"}},
    .out = {{"dx"}},
    .infer = infer_dx,
    .flops = flops_dx,
    .reference = reference_dx,
};

const struct skp_op skp__op_linear_dw = {
    .name = "linear_dw",
    .kind = SKP_KIND_LINEAR,
    .pass = SKP_PASS_WEIGHTS,
    .n_in = 2,
    .n_out = 2,
    .in = {{"x"}, {"dy"}},
    .out = {{"dw"}, {"db", SKP_OPTIONAL}},
    .attrs = attrs_dw,
    .infer = infer_dw,
    .flops = flops_dw,
    .reference = reference_dw,
};
