/* test_find_lr.c: the learning-rate finder. SPDX-License-Identifier: MIT */
#include "test.h"
#include "train/find_lr.h"
#include <math.h>

/* A curve over `n` steps from 1e-4 on, ten to a decade. */
static struct skp_lr_curve curve_of(const double *smooth, int n) {
  struct skp_lr_curve c = {.n = n};
  ck_ok(skp__alloc(&c.at, (size_t)n, sizeof *c.at));
  for (int i = 0; i < n; i++) c.at[i] = (struct skp_lr_point){1e-4 * pow(10, i / 10.0), smooth[i], smooth[i]};
  return c;
}

START_TEST(the_steepest_fall) {
  double smooth[40];
  for (int i = 0; i < 40; i++) smooth[i] = 3 - 2 / (1 + exp(-(i - 12) / 2.0)) + (i > 33 ? i - 33 : 0);
  struct skp_lr_curve c = curve_of(smooth, 40);
  skp__lr_curve_judge(&c);
  ck_assert_int_eq(c.lowest, 33);
  ck_assert_int_eq(c.steepest, 12);
  ck_assert_double_eq_tol(c.suggestion, c.at[12].lr, 1e-12); /* less than a tenth of the lowest's, which is at 23 */
  skp__lr_curve_free(&c);
}
END_TEST

START_TEST(a_tenth_of_the_lowest) {
  double smooth[40];
  for (int i = 0; i < 40; i++) smooth[i] = 3 - 2 / (1 + exp(-(i - 20) / 2.0)) + (i > 26 ? i - 26 : 0);
  struct skp_lr_curve c = curve_of(smooth, 40);
  skp__lr_curve_judge(&c);
  ck_assert_int_eq(c.steepest, 20);
  ck_assert_double_eq_tol(c.suggestion, c.at[26].lr / 10, 1e-12);
  skp__lr_curve_free(&c);
}
END_TEST

START_TEST(nothing_to_suggest) {
  double rising[20];
  for (int i = 0; i < 20; i++) rising[i] = i;
  struct skp_lr_curve c = curve_of(rising, 20);
  skp__lr_curve_judge(&c);
  ck_assert_int_eq(c.steepest, -1);
  ck_assert_double_eq(c.suggestion, 0);
  c.n = 0;
  skp__lr_curve_judge(&c);
  ck_assert_int_eq(c.steepest, -1);
  skp__lr_curve_free(&c);
}
END_TEST

/* The weights and the running statistics come back as they were, and the same seed gives the same curve. */
START_TEST(weights_are_put_back) {
  static const char text[] = "return {input = {channels = 1, size = 28}, recipe = {batch = 16}, network = function(x) "
                             "x = nn.relu(nn.batchnorm2d(nn.conv2d(x, 2, {kernel = 3, stride = 4}))) "
                             "return nn.linear(nn.flatten(x), 10) end}";
  const struct skp_lr_options o = {.seed = 3, .first = 1e-3, .last = 1e6, .steps = 40, .threads = 1};
  struct skp_model *m;
  struct skp_backend *b;
  struct skp_source *digits;
  double lr[2] = {0, 0}, loss[2] = {0, 0};
  ck_ok(skp__model_parse(&m, "small.lua", text, NULL, 0, 0, NULL));
  ck_ok(skp__backend_open(&b, &(struct skp_backend_options){.backend = "reference"}));
  ck_ok(skp__source_open(&digits, "digits", SKP_SPLIT_TRAIN));
  const struct skp_graph *g = m->graph;
  size_t params = 4 * (size_t)skp__shape_count(&g->tensors.at[g->params].shape),
         state = 4 * (size_t)skp__shape_count(&g->tensors.at[g->state].shape);
  for (int i = 0; i < 2; i++) {
    struct skp_session *s;
    struct skp_lr_curve c;
    float *before[2], *after[2];
    ck_ok(skp__session_create(&s, m, b));
    ck_ok(skp__session_init(s, 5));
    ck_ok(skp__session_pull(s, &before[0], &before[1]));
    ck_ok(skp__find_lr(&c, s, digits, &o));
    ck_ok(skp__session_pull(s, &after[0], &after[1]));
    ck_assert_mem_eq(before[0], after[0], params);
    ck_assert_mem_eq(before[1], after[1], state);
    ck_assert(c.diverged); /* a rate of 1e6 would be a wonder */
    ck_assert_int_lt(c.n, o.steps);
    ck_assert_double_eq_tol(c.at[0].lr, 1e-3, 1e-12);
    lr[i] = c.suggestion;
    loss[i] = c.at[c.n - 1].loss;
    for (int k = 0; k < 2; k++) free(before[k]), free(after[k]);
    skp__lr_curve_free(&c);
    skp__session_destroy(s);
  }
  ck_assert_double_eq(lr[0], lr[1]);
  ck_assert_double_eq(loss[0], loss[1]);
  skp__source_destroy(digits);
  skp__backend_close(b);
  skp__model_destroy(m);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("find_lr");
  TCase *tc = tcase_create("find_lr");
  tcase_set_timeout(tc, 120);
  tcase_add_test(tc, the_steepest_fall);
  tcase_add_test(tc, a_tenth_of_the_lowest);
  tcase_add_test(tc, nothing_to_suggest);
  tcase_add_test(tc, weights_are_put_back);
  suite_add_tcase(suite, tc);
  return skp__test_main(suite);
}
