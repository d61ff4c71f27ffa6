/* test_guard.c: what keeps numbers that are none out of what a network has learned. SPDX-License-Identifier: MIT */
#include "ops/op.h"
#include "test.h"
#include <math.h>

static void run(const struct skp_op *op, int sticky, const int64_t *counts, const void **in, void **out) {
  struct skp_sig sig;
  ck_ok(skp__sig_create(&sig, op, op->n_in));
  if (op == &skp__op_all_finite) sig.attrs.guard.sticky = sticky;
  for (int i = 0; i < op->n_in; i++)
    if (counts[i]) sig.in[i] = skp__shape1(counts[i]);
  ck_ok(skp__op_infer(&sig));
  ck_ok(skp__op_run(&(struct skp_call){&sig, in, out}));
  skp__sig_free(&sig);
}

START_TEST(all_finite) {
  const struct {
    float g[2], loss, broken, want, want_sticky;
  } rows[] = {{{3, -4}, 1, 0, 0, 0},        {{3, -4}, 1, 1, 0, 1},         {{3, NAN}, 1, 0, 1, 1},
              {{-INFINITY, 1}, 1, 0, 1, 1}, {{3e38f, -3e38f}, 1, 0, 0, 0}, {{3, 4}, NAN, 0, 1, 1},
              {{3, 4}, INFINITY, 1, 1, 1}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    for (int sticky = 0; sticky < 2; sticky++) {
      float broken = rows[i].broken;
      run(&skp__op_all_finite, sticky, (const int64_t[]){2, 1, 1}, (const void *[]){rows[i].g, &rows[i].loss, &broken},
          (void *[]){&broken});
      ck_assert(broken == (sticky ? rows[i].want_sticky : rows[i].want));
    }
}
END_TEST

START_TEST(commit) {
  for (int i = 0; i < 2; i++) {
    float y[] = {1, 2}, x[] = {10, i ? NAN : -10}, broken = (float)i;
    run(&skp__op_commit, 0, (const int64_t[]){2, 2, 1}, (const void *[]){y, x, &broken}, (void *[]){y, x});
    ck_assert(i ? y[0] == 1 && y[1] == 2 : y[0] == 10 && y[1] == -10);
    ck_assert(x[0] == y[0] && x[1] == y[1]);
  }
}
END_TEST

/* p and what is remembered stay, whatever the gradient; the average goes on. */
START_TEST(update) {
  float p[] = {1, 2}, g[] = {NAN, 1}, m[] = {3, 4}, v[] = {5, 6}, average[] = {0, 0}, broken = 1;
  const struct skp_hyper hyper = {0.1f, 0.1f, 0.001f, 1};
  const void *in[] = {p, g, m, v, &hyper, NULL, NULL, average, &broken};
  run(&skp__op_adam, 0, (const int64_t[]){2, 2, 2, 2, SKP_HYPER, 0, 0, 2, 1}, in, (void *[]){p, m, v, average});
  ck_assert(p[0] == 1 && p[1] == 2 && m[0] == 3 && m[1] == 4 && v[0] == 5 && v[1] == 6);
  ck_assert(average[0] == 1 && average[1] == 2);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("guard");
  TCase *tc = tcase_create("guard");
  tcase_add_test(tc, all_finite);
  tcase_add_test(tc, commit);
  tcase_add_test(tc, update);
  suite_add_tcase(suite, tc);
  return skp__test_main(suite);
}
