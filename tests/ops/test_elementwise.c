/* test_elementwise.c: relu, add, mul, activations and their gradients by every method. SPDX-License-Identifier: MIT */
#include "methods.h"

static const int64_t sizes[] = {1, 7, 8, 9, 512, 513, 4095};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* An op of one input or two, with gradients; the first value is `first`; `set` is its one attribute, if it has any. */
static void make(struct skp__case *c, const struct skp_op *op, int set, int64_t size, float first) {
  const struct skp_shape shape = skp__shape2(1, size);
  union skp_attrs attrs = {{0}};
  const bool need[SKP_MAX_IN] = {true, true};
  skp_value in[SKP_MAX_IN], out[SKP_MAX_OUT], din[SKP_MAX_IN];
  char id[80];
  if (op->attrs) ck_ok(skp__attrs_set(op, &attrs, op->attrs->name, set));
  snprintf(id, sizeof id, "%s %lld, %d", op->name, (long long)size, set);
  ck_ok(skp__case_create(c, op->name, id));
  float *a = noise(size, 1);
  a[0] = first;
  in[0] = given(c, shape, a);
  in[1] = op->n_in > 1 ? input(c, shape, 2) : SKP_NONE;
  ck_ok(skp__case_node(c, op, op->attrs ? &attrs : NULL, in, NULL, out));
  ck_ok(skp__case_gradient(c, 0, input(c, shape, 3), need, din));
  ck_ok(skp__case_complete(c));
}

static const struct {
  const struct skp_op *op;
  int set; /* relu of add, kind of an activation */
} ops[] = {
    {&skp__op_relu, 0},
    {&skp__op_add, 0},
    {&skp__op_add, 1},
    {&skp__op_mul, 0},
    {&skp__op_activation, SKP_SIGMOID},
    {&skp__op_activation, SKP_SILU},
    {&skp__op_activation, SKP_RELU6},
    {&skp__op_activation, SKP_HARDSIGMOID},
    {&skp__op_activation, SKP_HARDSWISH},
    {&skp__op_activation, SKP_GELU},
    {&skp__op_activation, SKP_TANH},
};

START_TEST(every_method_is_right) {
  for (int i = 0; i < SIZES; i++) {
    struct skp__case c;
    make(&c, ops[_i].op, ops[_i].set, sizes[i], 0.5f);
    judge_all(&c);
    skp__case_free(&c);
  }
}
END_TEST

/* A NaN goes through a relu: else a diverging network would look fine. */
START_TEST(nan_stays_nan) {
  for (int i = 0; i < SIZES; i++) {
    struct skp__case c;
    make(&c, ops[_i].op, ops[_i].set, sizes[i], NAN);
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
