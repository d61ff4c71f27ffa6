/* test_pool.c: max, average and global average pooling and their gradients by every method.
 * SPDX-License-Identifier: MIT */
#include "methods.h"

static const struct shape {
  int N, H, W, C, kernel, stride, pad, include;
} shapes[] = {
    {1, 2, 2, 1, 2, 2, 0, 1},   {2, 9, 8, 3, 3, 2, 1, 0},  {5, 7, 7, 4, 2, 1, 0, 1},
    {1, 8, 12, 16, 3, 2, 1, 1}, {2, 5, 6, 17, 3, 1, 1, 0}, {1, 10, 9, 24, 2, 3, 1, 1},
};
enum { SHAPES = sizeof shapes / sizeof *shapes, MANY = 3 };

static const struct skp_op *const ops[] = {&skp__op_maxpool2d, &skp__op_avgpool2d, &skp__op_global_avgpool};
enum { OPS = sizeof ops / sizeof *ops };

/* Pools x, taken over. */
static void make(struct skp__case *c, const struct skp_op *op, const struct shape *s, float *x) {
  const union skp_attrs attrs = {
      .pool = {.kernel = s->kernel, .stride = s->stride, .pad = s->pad, .count_include_pad = s->include}};
  const bool need[SKP_MAX_IN] = {true};
  skp_value out[SKP_MAX_OUT], din[SKP_MAX_IN];
  char id[100];
  snprintf(id, sizeof id, "%dx%dx%dx%d kernel %d stride %d pad %d", s->N, s->H, s->W, s->C, s->kernel, s->stride,
           s->pad);
  ck_ok(skp__case_create(c, op->name, id));
  const skp_value in = given(c, skp__shape4(s->N, s->H, s->W, s->C), x);
  ck_ok(skp__case_node(c, op, op->attrs ? &attrs : NULL, &in, NULL, out));
  ck_ok(skp__case_gradient(c, 0, input(c, c->g->tensors.at[out[0]].shape, 2), need, din));
  ck_ok(skp__case_complete(c));
}

static int64_t count(const struct shape *s) { return (int64_t)s->N * s->H * s->W * s->C; }

START_TEST(every_method_is_right) {
  for (int i = 0; i < SHAPES; i++) {
    struct skp__case c;
    make(&c, ops[_i], &shapes[i], noise(count(&shapes[i]), 1));
    judge_all(&c);
    skp__case_free(&c);
  }
}
END_TEST

/* Few different values, so that windows are full of equals: the first in row-major order
 * wins, by value and by index. */
START_TEST(the_first_of_equals_wins) {
  for (int i = 0; i < SHAPES; i++) {
    struct skp__case c;
    make(&c, &skp__op_maxpool2d, &shapes[i], digits(count(&shapes[i]), 2, SKP_F32, 1));
    judge_all(&c);
    skp__case_free(&c);
  }
}
END_TEST

START_TEST(nan_goes_through) {
  for (int i = 0; i < SHAPES; i++) {
    struct skp__case c;
    float *x = noise(count(&shapes[i]), 1);
    x[count(&shapes[i]) / 2] = NAN;
    make(&c, ops[_i], &shapes[i], x);
    judge_nan(&c);
    skp__case_free(&c);
  }
}
END_TEST

/* A float32 sum in one go would be off by the number of pixels. */
/* As large as llvmpipe can: it leaves loops after 65,535 rounds (tests/faults/llvmpipe_loop.c). */
START_TEST(a_large_image_has_a_true_mean) {
  const struct shape s = {.N = 1, .H = 200, .W = 300, .C = 4};
  float *x = noise(count(&s), 1);
  struct skp__case c;
  for (int64_t i = 0; i < count(&s); i++) x[i] += 10;
  make(&c, &skp__op_global_avgpool, &s, x);
  for (size_t i = 0; i < c.known.n; i++) c.known.at[i].tolerance = 4e-6 * 10;
  judge_all(&c);
  skp__case_free(&c);
}
END_TEST

START_TEST(every_method_repeats_itself) {
  struct skp__case c;
  make(&c, ops[_i], &shapes[MANY], noise(count(&shapes[MANY]), 1));
  judge_repeats(&c);
  skp__case_free(&c);
}
END_TEST

static void add(TCase *device) {
  tcase_add_loop_test(device, every_method_is_right, 0, OPS);
  tcase_add_test(device, the_first_of_equals_wins);
  tcase_add_loop_test(device, nan_goes_through, 0, OPS);
  tcase_add_test(device, a_large_image_has_a_true_mean);
  tcase_add_loop_test(device, every_method_repeats_itself, 0, OPS);
}

int main(void) { return run_on_device("pool", add); }
