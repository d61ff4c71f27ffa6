/* mul.c: y = a · b, value by value, and the gradient of a factor that stands for many values.
 * SPDX-License-Identifier: MIT
 *
 *   b has the shape of a;  or {N, 1, 1, C}: a factor for each channel of each image;  or {C}: one for each channel
 *   da = dy · b;   db = dy · a, for such a factor summed over all values that it multiplied (mul_db) */
#include "ops/check.h"

static const struct skp_attr attrs_db[] = {
    {"images", SKP_ATTR_BOOL, offsetof(struct skp_mul_attrs, images), 0, NULL},
    {0},
};

static struct skp_shape per_image(const struct skp_shape *a) { return skp__shape4(a->dim[0], 1, 1, a->dim[3]); }

static bool same(const struct skp_sig *sig) { return skp__shape_equal(&sig->in[0], &sig->in[1]); }

static skp_status infer(struct skp_sig *sig) {
  const struct skp_shape *a = &sig->in[0], *b = &sig->in[1];
  SKP_TRY(skp__check_rank(sig, 0, a->rank));
  sig->out[0] = *a;
  if (b->rank == 1 && a->rank == 2) return skp__check_rank(sig, 0, 4); /* a factor for each channel */
  if (a->rank != 4 || same(sig)) return skp__check_shape(sig, 1, *a, "the shape of a");
  if (b->rank == 1) return skp__check_shape(sig, 1, skp__shape1(a->dim[3]), "one for each channel of a");
  return skp__check_shape(sig, 1, per_image(a), "the shape of a, or one for each channel of its images");
}

static skp_status infer_db(struct skp_sig *sig) {
  SKP_TRY(skp__check_rank(sig, 0, 4));
  SKP_TRY(skp__check_shape(sig, 1, sig->in[0], "the shape of dy"));
  sig->out[0] = sig->attrs.mul.images ? per_image(&sig->in[0]) : skp__shape1(sig->in[0].dim[3]);
  return SKP_OK;
}

static skp_status gradient(struct skp_grad *g) {
  const skp_value with_b[] = {g->dout[0], g->in[1]}, with_a[] = {g->dout[0], g->in[0]};
  const union skp_attrs attrs = {.mul = {.images = g->sig->in[1].rank == 4}};
  if (g->need[0]) SKP_TRY(g->emit(g, SKP_OP_mul, NULL, with_b, NULL, &g->din[0]));
  if (!g->need[1]) return SKP_OK;
  if (same(g->sig)) return g->emit(g, SKP_OP_mul, NULL, with_a, NULL, &g->din[1]);
  return g->emit(g, SKP_OP_mul_db, &attrs, with_a, NULL, &g->din[1]);
}

static double flops_db(const struct skp_sig *sig) { return 2 * (double)skp__shape_count(&sig->in[0]); }

/* How many pixels of a share a row of b: a's values in rows of b's channels. */
static int64_t pixels_of_row(const struct skp_shape *a, const struct skp_shape *b) {
  return skp__shape_count(a) / skp__shape_count(b);
}

static void reference(const struct skp_call *call) {
  const struct skp_shape *A = &call->sig->in[0], *B = &call->sig->in[1];
  const float *a = call->in[0], *b = call->in[1];
  float *y = call->out[0];
  const int64_t C = skp__channels(A), per = pixels_of_row(A, B);
  for (int64_t i = 0; i < skp__shape_count(A); i++) y[i] = a[i] * b[i / C / per * C + i % C];
}

static void reference_db(const struct skp_call *call) {
  const struct skp_shape *A = &call->sig->in[0], *B = &call->sig->out[0];
  const float *dy = call->in[0], *a = call->in[1];
  float *db = call->out[0];
  const int64_t C = A->dim[3], per = pixels_of_row(A, B);
  for (int64_t j = 0; j < skp__shape_count(B); j++) {
    double sum = 0;
    for (int64_t i = 0; i < per; i++) {
      const int64_t at = (j / C * per + i) * C + j % C;
      sum += (double)dy[at] * a[at];
    }
    db[j] = (float)sum;
  }
}

const struct skp_op skp__op_mul = {
    .name = "mul",
    .n_in = 2,
    .n_out = 1,
    .in = {{"a"}, {"b"}},
    .out = {{"y"}},
    .order = SKP_ORDER_SAME,
    .infer = infer,
    .gradient = gradient,
    .reference = reference,
};

const struct skp_op skp__op_mul_db = {
    .name = "mul_db",
    .n_in = 2,
    .n_out = 1,
    .in = {{"dy"}, {"a"}},
    .out = {{"db"}},
    .attrs = attrs_db,
    .infer = infer_db,
    .flops = flops_db,
    .reference = reference_db,
};
