/* test_find_lr.c: the learning-rate finder. SPDX-License-Identifier: MIT */
#include "base/random.h"
#include "test.h"
#include "train/measure/find_lr.h"
#include <math.h>

enum { N = 100 };

/* A curve over N steps, 15 to a decade from 1e-6 on, that falls by `fall` around step `middle`, climbs from step `end`
 * on, and strays by `noise` from step to step. */
static struct skp_lr_curve curve_of(double fall, int middle, int end, double noise) {
  struct skp_lr_curve c = {.n = N};
  struct skp__random r = skp__random_start(7, 1);
  ck_ok(skp__alloc(&c.at, N, sizeof *c.at));
  for (int i = 0; i < N; i++) {
    const double climb = i > end ? 0.2 * (i - end) : 0;
    c.at[i].lr = 1e-6 * pow(10, i / 15.0);
    c.at[i].loss = 3 - fall / (1 + exp(-(i - middle) / 3.0)) + climb + noise * skp__random_normal(&r);
  }
  return c;
}

/* A third of the lowest point's rate, whatever the noise. */
START_TEST(below_the_lowest) {
  static const double noises[] = {0, 0.01, 0.05, 0.1};
  struct skp_lr_curve c = curve_of(2, 60, 75, noises[_i]);
  skp__lr_curve_judge(&c);
  ck_assert_int_ge(c.lowest, 67);
  ck_assert_int_le(c.lowest, 78);
  ck_assert_double_eq_tol(c.suggestion, c.at[c.lowest].lr / 3, 1e-12);
  skp__lr_curve_free(&c);
}
END_TEST

/* A loss that is lower still behind a hill is that of a network whose weights are gone. */
START_TEST(not_behind_a_hill) {
  struct skp_lr_curve c = curve_of(0.5, 40, 55, 0.01);
  for (int i = 70; i < N; i++) c.at[i].loss = 2.3;
  skp__lr_curve_judge(&c);
  ck_assert_int_le(c.lowest, 60);
  ck_assert_double_gt(c.suggestion, 0);
  skp__lr_curve_free(&c);
}
END_TEST

/* A fall that is no more than noise, one that is too small to matter, a loss that only climbs, no loss at all. */
START_TEST(nothing_to_suggest) {
  const double falls[] = {0, 0.1, 0.02, -1}, noises[] = {0.1, 0.1, 0, 0.01};
  struct skp_lr_curve c = curve_of(falls[_i], 60, 80, noises[_i]);
  skp__lr_curve_judge(&c);
  ck_assert_double_eq(c.suggestion, 0);
  c.n = 0;
  skp__lr_curve_judge(&c);
  ck_assert_double_eq(c.suggestion, 0);
  skp__lr_curve_free(&c);
}
END_TEST

/* The same fall is convincing without the noise. */
START_TEST(a_small_fall) {
  struct skp_lr_curve c = curve_of(0.1, 60, 80, 0.003);
  skp__lr_curve_judge(&c);
  ck_assert_int_ge(c.lowest, 66);
  ck_assert_double_gt(c.suggestion, 0);
  skp__lr_curve_free(&c);
}
END_TEST

/* A curve that ended after a few steps is judged by what there is. */
START_TEST(short_curves) {
  for (int n = 1; n < 12; n++) {
    struct skp_lr_curve c = curve_of(2, 60, 80, 0.01);
    c.n = n;
    skp__lr_curve_judge(&c);
    ck_assert_int_lt(c.lowest, n);
    ck_assert_double_eq(c.suggestion, 0);
    skp__lr_curve_free(&c);
  }
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
  tcase_add_loop_test(tc, below_the_lowest, 0, 4);
  tcase_add_test(tc, not_behind_a_hill);
  tcase_add_loop_test(tc, nothing_to_suggest, 0, 4);
  tcase_add_test(tc, a_small_fall);
  tcase_add_test(tc, short_curves);
  tcase_add_test(tc, weights_are_put_back);
  suite_add_tcase(suite, tc);
  return skp__test_main(suite);
}
