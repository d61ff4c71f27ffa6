/* test_elementwise.c: relu, add and their gradients by every method. SPDX-License-Identifier: MIT */
#include "methods.h"

static const int64_t sizes[] = {1, 7, 8, 9, 512, 513, 4095};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* relu (one input) or add (two), with gradients; the first value is `first`. */
static void make(struct skp__case *c, const struct skp_op *op, bool relu, int64_t size, float first) {
  const struct skp_shape shape = skp__shape2(1, size);
  const union skp_attrs attrs = {.add = {relu}};
  const bool need[SKP_MAX_IN] = {true, true};
  skp_value in[SKP_MAX_IN], out[SKP_MAX_OUT], din[SKP_MAX_IN];
  char id[80];
  snprintf(id, sizeof id, "%s %lld%s", op->name, (long long)size, relu ? " relu" : "");
  ck_ok(skp__case_create(c, op->name, id));
  float *a = noise(size, 1);
  a[0] = first;
  in[0] = given(c, shape, a);
  in[1] = op->n_in > 1 ? input(c, shape, 2) : SKP_NONE;
  ck_ok(skp__case_node(c, op, op->attrs ? &attrs : NULL, in, out));
  ck_ok(skp__case_gradient(c, 0, input(c, shape, 3), need, din));
  ck_ok(skp__case_complete(c));
}

static const struct {
  const struct skp_op *op;
  bool relu;
} ops[] = {{&skp__op_relu, false}, {&skp__op_add, false}, {&skp__op_add, true}};

START_TEST(every_method_is_right) {
  for (int i = 0; i < SIZES; i++) {
    struct skp__case c;
    make(&c, ops[_i].op, ops[_i].relu, sizes[i], 0.5f);
    judge_all(&c);
    skp__case_free(&c);
  }
}
END_TEST

/* A NaN goes through a relu: else a diverging network would look fine. */
START_TEST(nan_stays_nan) {
  for (int i = 0; i < SIZES; i++) {
    struct skp__case c;
    make(&c, ops[_i].op, ops[_i].relu, sizes[i], NAN);
    judge_nan(&c);
    skp__case_free(&c);
  }
}
END_TEST

static void add(TCase *device) {
  tcase_add_loop_test(device, every_method_is_right, 0, sizeof ops / sizeof *ops);
  tcase_add_loop_test(device, nan_stays_nan, 0, sizeof ops / sizeof *ops);
}

int main(void) { return run_on_device("elementwise", add); }
