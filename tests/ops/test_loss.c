/* test_loss.c: softmax cross-entropy and its gradient by every method. SPDX-License-Identifier: MIT */
#include "methods.h"

static const struct shape {
  int N, K;
  float smoothing;
  bool mixed;
} shapes[] = {{1, 1, 0, false},       {1, 10, 0, false},      {128, 10, 0.1f, false},
              {67, 10, 0, false},     {5, 100, 0.1f, false},  {130, 200, 0, false},
              {3, 1000, 0.2f, false}, {130, 200, 0.1f, true}, {67, 10, 0, true}};
enum { SHAPES = sizeof shapes / sizeof *shapes, SMOOTH = 2 };

/* The loss with its gradient, beginning with `dloss` unless that is 0; x and labels are taken over. */
static void make(struct skp__case *c, const struct shape *s, float *x, int32_t *labels, float dloss) {
  const union skp_attrs attrs = {.loss = {s->smoothing}};
  const bool need[SKP_MAX_IN] = {true};
  struct skp_shape rows = skp__shape1(s->N);
  float *begin;
  skp_value out[SKP_MAX_OUT], din[SKP_MAX_IN], dy = SKP_NONE;
  char id[60];
  rows.dtype = SKP_I32;
  snprintf(id, sizeof id, "%dx%d smoothing %g%s", s->N, s->K, (double)s->smoothing, s->mixed ? " mixed" : "");
  ck_ok(skp__case_create(c, "softmax_cross_entropy", id));
  skp_value in[SKP_MAX_IN] = {given(c, skp__shape2(s->N, s->K), x), given(c, rows, labels), SKP_NONE, SKP_NONE};
  if (s->mixed) {
    int32_t *other;
    ck_ok(skp__alloc(&other, (size_t)s->N, sizeof *other));
    for (int n = 0; n < s->N; n++) other[n] = labels[s->N - 1 - n];
    in[2] = given(c, rows, other);
    in[3] = input(c, skp__shape1(s->N), 4); /* any number will do */
  }
  ck_ok(skp__case_node(c, &skp__op_softmax_cross_entropy, &attrs, in, NULL, out));
  if (dloss != 0) {
    ck_ok(skp__alloc(&begin, 1, sizeof *begin));
    *begin = dloss;
    dy = given(c, skp__shape1(1), begin);
  }
  ck_ok(skp__case_gradient(c, 0, dy, need, din));
  ck_ok(skp__case_complete(c));
}

static int64_t count(const struct shape *s) { return (int64_t)s->N * s->K; }

START_TEST(every_method_is_right) {
  const struct shape *s = &shapes[_i];
  struct skp__case c;
  make(&c, s, noise(count(s), 1), digits(s->N, (uint32_t)s->K, SKP_I32, 2), _i % 2 ? 0 : 2.5f);
  judge_all(&c);
  skp__case_free(&c);
}
END_TEST

/* exp of these is not a float; and most are equal. */
START_TEST(large_and_equal_logits) {
  const struct shape *s = &shapes[SMOOTH];
  struct skp__case c;
  float *x = digits(count(s), 3, SKP_F32, 1);
  for (int64_t i = 0; i < count(s); i++) x[i] = 1000 * x[i] - 500;
  make(&c, s, x, digits(s->N, (uint32_t)s->K, SKP_I32, 2), 0);
  judge_all(&c);
  skp__case_free(&c);
}
END_TEST

START_TEST(labels_outside_are_seen) {
  static const int32_t outside[] = {-1, 200, INT32_MIN, INT32_MAX};
  const struct shape *s = &shapes[_i < 4 ? SMOOTH : SHAPES - 1];
  struct skp__case c;
  int32_t *labels = digits(s->N, (uint32_t)s->K, SKP_I32, 2);
  labels[s->N - 1] = outside[_i % 4];
  make(&c, s, noise(count(s), 1), labels, 0);
  judge_nan(&c);
  skp__case_free(&c);
}
END_TEST

START_TEST(nan_logits_are_seen) {
  const struct shape *s = &shapes[SMOOTH];
  struct skp__case c;
  float *x = noise(count(s), 1);
  x[0] = x[35] = NAN;
  make(&c, s, x, digits(s->N, (uint32_t)s->K, SKP_I32, 2), 0);
  judge_nan(&c);
  skp__case_free(&c);
}
END_TEST

START_TEST(every_method_repeats_itself) {
  const struct shape *s = &shapes[SMOOTH];
  struct skp__case c;
  make(&c, s, noise(count(s), 1), digits(s->N, (uint32_t)s->K, SKP_I32, 2), 0);
  judge_repeats(&c);
  skp__case_free(&c);
}
END_TEST

static void add(TCase *device) {
  tcase_add_loop_test(device, every_method_is_right, 0, SHAPES);
  tcase_add_test(device, large_and_equal_logits);
  tcase_add_loop_test(device, labels_outside_are_seen, 0, 8);
  tcase_add_test(device, nan_logits_are_seen);
  tcase_add_test(device, every_method_repeats_itself);
}

int main(void) { return run_on_device("loss", add); }
