/* test_optimizer.c: SGD, Adam, AdamW and Lion by every method. SPDX-License-Identifier: MIT */
#include "methods.h"

static const struct kind {
  const struct skp_op *op;
  struct skp_optimizer_attrs attrs;
} kinds[] = {
    {&skp__op_sgd, {.momentum = 0}},
    {&skp__op_sgd, {.weight_decay = 0.01f}},
    {&skp__op_sgd, {.momentum = 0.9f}},
    {&skp__op_sgd, {.momentum = 0.9f, .nesterov = 1, .weight_decay = 0.01f}},
    {&skp__op_adam, {.beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f}},
    {&skp__op_adam, {.beta1 = 0.8f, .beta2 = 0.99f, .eps = 1e-8f, .weight_decay = 0.1f}},
    {&skp__op_adamw, {.beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f, .weight_decay = 0.1f}},
    {&skp__op_lion, {.beta1 = 0.9f, .beta2 = 0.99f}},
    {&skp__op_lion, {.beta1 = 0.95f, .beta2 = 0.98f, .weight_decay = 0.1f}},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* Bits: which of factors, scale and average there are. */
enum { FACTORS = 1, SCALE = 2, AVERAGE = 4, EXTRAS = 8 };

static const int64_t sizes[] = {1, 8, 100, 513, 8193};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* In the first step moments are zero, and Adam divides by small numbers; in a later one not. */
static skp_value moment(struct skp__case *c, int64_t size, bool first, uint64_t stream) {
  float *data = noise(size, stream);
  for (int64_t i = 0; i < size; i++) data[i] = first ? 0 : fabsf(data[i]);
  return given(c, skp__shape1(size), data);
}

static void make(struct skp__case *c, const struct kind *kind, int64_t size, bool first, int extras) {
  const struct skp_optimizer_attrs *a = &kind->attrs;
  const union skp_attrs attrs = {.optimizer = *a};
  const struct skp_optimizer *o = kind->op->optimizer;
  const struct skp_hyper hyper = {0.01f, first ? 1 - a->beta1 : 1 - a->beta1 * a->beta1,
                                  first ? 1 - a->beta2 : 1 - a->beta2 * a->beta2, 0.3f};
  skp_value in[SKP_MAX_IN], out[SKP_MAX_OUT];
  char id[80];
  snprintf(id, sizeof id, "kind %d size %lld first %d extras %d", (int)(kind - kinds), (long long)size, first, extras);
  ck_ok(skp__case_create(c, kind->op->name, id));
  for (int i = 0; i < SKP_MAX_IN; i++) in[i] = SKP_NONE;
  in[o->p] = input(c, skp__shape1(size), 1);
  in[o->g] = input(c, skp__shape1(size), 2);
  for (int m = 0; m < o->moments && (!o->keeps || o->keeps(&attrs)); m++)
    in[o->moment[m]] = moment(c, size, first, 3 + (uint64_t)m);
  float *numbers = noise(SKP_HYPER, 5);
  memcpy(numbers, &hyper, sizeof hyper);
  in[o->hyper] = given(c, skp__shape1(SKP_HYPER), numbers);
  const struct skp_shape factors = skp__shape2((size + SKP_UPDATE_BLOCK - 1) / SKP_UPDATE_BLOCK, 2);
  if (extras & FACTORS) in[o->factors] = input(c, factors, 6);
  if (extras & SCALE) in[o->scale] = input(c, skp__shape1(1), 7);
  if (extras & AVERAGE) in[o->average] = input(c, skp__shape1(size), 8);
  ck_ok(skp__case_node(c, kind->op, &attrs, in, NULL, out));
  ck_ok(skp__case_complete(c));
}

static void judge_one(int kind, int64_t size, bool first, int extras) {
  struct skp__case c;
  make(&c, &kinds[kind], size, first, extras);
  judge_all(&c);
  skp__case_free(&c);
}

START_TEST(every_method_is_right) {
  for (int i = 0; i < 2 * SIZES; i++) judge_one(_i, sizes[i / 2], i % 2, 0);
  for (int i = 0; i < SIZES; i++) judge_one(_i, sizes[i], false, EXTRAS - 1);
  if (_i == 0 || _i == KINDS - 1) /* each of them alone; every one is a program to compile */
    for (int extras = 1; extras < EXTRAS - 1; extras *= 2) judge_one(_i, 513, false, extras);
}
END_TEST

START_TEST(every_method_repeats_itself) {
  struct skp__case c;
  make(&c, &kinds[_i], 513, false, EXTRAS - 1);
  judge_repeats(&c);
  skp__case_free(&c);
}
END_TEST

static void add(TCase *device) {
  tcase_add_loop_test(device, every_method_is_right, 0, KINDS);
  tcase_add_loop_test(device, every_method_repeats_itself, 0, KINDS);
}

int main(void) { return run_on_device("optimizer", add); }
