/* test_dropout.c: dropout and its gradient by every method: the plain C's masks, NaN, the same bits each time.
 * SPDX-License-Identifier: MIT */
#include "methods.h"

static const struct {
  int64_t size;
  float p;
  int stream;
} cases[] = {{1, 0.5f, 0}, {7, 0.3f, 1},      {8, 0.999f, 2},         {9, 0, 3},
             {100, 1, 4},  {513, 0.5f, 1000}, {4095, 0.1f, INT32_MAX}};
enum { CASES = sizeof cases / sizeof *cases };

/* Each with an ordinary number of the step and with one whose every bit is set. */
static void make(struct skp__case *c, int i, bool ones, float first) {
  const union skp_attrs attrs = {.dropout = {cases[i].p, cases[i].stream}};
  const bool need[SKP_MAX_IN] = {true};
  struct skp_shape halves = skp__shape1(2);
  skp_value out[SKP_MAX_OUT], din[SKP_MAX_IN];
  char id[80];
  snprintf(id, sizeof id, "%lld values, p %g, stream %d", (long long)cases[i].size, (double)cases[i].p,
           cases[i].stream);
  ck_ok(skp__case_create(c, "dropout", id));
  float *x = noise(cases[i].size, 1);
  int32_t *key;
  ck_ok(skp__alloc(&key, 2, sizeof *key));
  key[0] = ones ? -1 : 123456789;
  key[1] = ones ? -1 : -987654321;
  x[0] = first;
  halves.dtype = SKP_I32;
  const skp_value in[] = {given(c, skp__shape2(1, cases[i].size), x), given(c, halves, key)};
  ck_ok(skp__case_node(c, &skp__op_dropout, &attrs, in, NULL, out));
  ck_ok(skp__case_gradient(c, 0, input(c, skp__shape2(1, cases[i].size), 3), need, din));
  ck_ok(skp__case_complete(c));
}

START_TEST(every_method_draws_the_same_mask) {
  for (int ones = 0; ones < 2; ones++) {
    struct skp__case c;
    make(&c, _i, ones, 0.5f);
    judge_all(&c);
    judge_repeats(&c);
    skp__case_free(&c);
  }
}
END_TEST

START_TEST(nan_stays_nan) {
  struct skp__case c;
  make(&c, _i, false, NAN);
  judge_nan(&c);
  skp__case_free(&c);
}
END_TEST

static void add(TCase *device) {
  tcase_add_loop_test(device, every_method_draws_the_same_mask, 0, CASES);
  tcase_add_loop_test(device, nan_stays_nan, 0, CASES);
}

int main(void) { return run_on_device("dropout", add); }
