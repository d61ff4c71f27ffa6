/* test_examine.c: a step that is not finite, made again: what left the finite numbers first.
 * SPDX-License-Identifier: MIT */
#include "base/random.h"
#include "step.h"
#include "train/checkpoint/state.h"
#include "train/step/examine.h"
#include <math.h>

enum { N = 6, VALUES = 6 * 6 * 2 };
static float x[N * VALUES];
static int32_t labels[N] = {0, 1, 2, 3, 0, 1};
static struct skp_batch batch = {.n = N, .whole = N, .x = x, .labels = labels};
static struct skp_backend *b;
static struct skp_model *m;
static struct skp_session *s;
static struct skp__stepper st;

static skp_status take(void *user, struct skp__step *step) {
  (void)user;
  step->batch = &batch;
  step->lr = 0.1;
  return SKP_OK;
}

static void set(const char *name, const char *value) { ck_ok(skp__recipe_set(&m->recipe, name, value)); }

static void open_network(const char *network, const char *parts) {
  struct skp__random random = skp__random_start(3, 1);
  for (int i = 0; i < N * VALUES; i++) x[i] = (float)skp__random_uniform(&random);
  m = step_parse(network);
  set("batch", "6");
  set("ema", "0.9");
  set("accumulate", parts);
  ck_ok(skp__backend_open(&b, &(struct skp_backend_options){.backend = "reference"}));
  ck_ok(skp__session_create(&s, m, b));
  ck_ok(skp__session_init(s, 5));
  ck_ok(skp__stepper_train(&st, s, INT64_MAX));
  st.take = take;
  ck_ok(skp__stepper_open(&st));
}

static void close_network(void) {
  skp__stepper_close(&st);
  skp__session_destroy(s);
  skp__backend_close(b);
  skp__model_destroy(m);
}

static struct skp__step *make_step(void) {
  struct skp__step *step;
  ck_ok(skp__stepper_queue(&st));
  ck_ok(skp__stepper_retire(&st, &step));
  return step;
}

static struct skp__examination examine(skp__finding want) {
  struct skp__examination e;
  ck_ok(skp__examine(&e, &st, make_step()));
  ck_assert_int_eq(e.finding, want);
  return e;
}

static void expect_place(const struct skp__examination *e, const char *scope, const char *op) {
  const struct skp_node *node = &skp__plan_graph(e->plan)->nodes.at[e->node];
  ck_assert_str_eq(node->scope, scope);
  ck_assert_str_eq(node->op->name, op);
}

#define NETWORK                                                                                                        \
  "x = nn.batchnorm2d(nn.conv2d(x, 3, {kernel = 3, name = 'c'}), {name = 'n'}) "                                       \
  "return nn.linear(nn.flatten(nn.relu(x)), 4, {name = 'fc'})"
static const char *const parts[] = {"1", "2"};

START_TEST(images) {
  open_network(NETWORK, parts[_i]);
  x[5 * VALUES + 3] = NAN;
  x[5 * VALUES + 7] = INFINITY;
  const struct skp__examination e = examine(SKP_FOUND_IMAGES);
  ck_assert_int_eq(e.images.lost, 2);
  ck_assert_int_eq(e.images.lost_at, 5 * VALUES + 3);
  close_network();
}
END_TEST

static void spoil_weight(const char *name, float value) {
  const struct skp_tensor *t = &m->graph->tensors.at[skp__graph_find(m->graph, SKP_ROLE_PARAM, name)];
  float *values;
  ck_ok(skp__alloc(&values, (size_t)skp__shape_count(&t->shape), sizeof *values));
  ck_ok(skp__session_read(s, t, values));
  values[2] = value;
  ck_ok(skp__session_write(s, t, values));
  free(values);
}

START_TEST(weights) {
  open_network(NETWORK, parts[_i]);
  spoil_weight("fc.weight", INFINITY);
  const struct skp__examination e = examine(SKP_FOUND_WEIGHTS);
  ck_assert_str_eq(e.weight->name, "fc.weight");
  ck_assert_int_eq(e.weights.lost, 1);
  close_network();
}
END_TEST

/* Weights that have grown until products are beyond floats, in the second micro-batch, too. */
START_TEST(arithmetic) {
  open_network(NETWORK, parts[_i]);
  spoil_weight("c.weight", 3e38f);
  memset(x, 0, (N / 2 * VALUES) * sizeof *x);
  for (int i = N / 2 * VALUES; i < N * VALUES; i++) x[i] = 4;
  const struct skp__examination e = examine(SKP_FOUND_ARITHMETIC);
  expect_place(&e, "c", "conv2d");
  ck_assert_str_eq(e.weight->name, "c.weight");
  ck_assert(e.weights.most > 2.9e38 && e.fresh < 1 && e.read[0].most > 2.9e38 && e.read[1].most >= 4);
  close_network();
}
END_TEST

/* The values of a run as they are kept, one after another. */
static struct skp__values values(void) {
  struct skp__values v;
  ck_ok(skp__values_pull(&v, s));
  return v;
}

static void expect_same(const struct skp__values *p, const struct skp__values *q) {
  ck_assert_uint_eq(p->n, q->n);
  for (size_t i = 0; i < p->n; i++) ck_assert_mem_eq(p->at[i].data, q->at[i].data, (size_t)p->at[i].bytes);
}

/* A step that is made again and is finite: nothing that a run keeps is touched, and the next step is as it would be. */
START_TEST(nothing) {
  struct skp__values ends[2];
  for (int looked = 0; looked < 2; looked++) {
    open_network(NETWORK, parts[_i]);
    struct skp__step *step = make_step();
    struct skp__values before = values(), after;
    if (looked) {
      struct skp__examination e;
      ck_ok(skp__examine(&e, &st, step));
      ck_assert_int_eq(e.finding, SKP_FOUND_NOTHING);
    }
    after = values();
    expect_same(&before, &after);
    make_step();
    ends[looked] = values();
    skp__values_free(&before);
    skp__values_free(&after);
    close_network();
  }
  expect_same(&ends[0], &ends[1]);
  for (int i = 0; i < 2; i++) skp__values_free(&ends[i]);
}
END_TEST

/* A backend under which one op, whichever runs third by itself, writes over what the second made, after it was read. */
static struct skp_backend_ops wrong_ops;
static struct skp_prepared *wrong;
static int runs;

static skp_status run_wrong(struct skp_backend *w, struct skp_prepared *const *list, size_t n) {
  static const float none = NAN;
  struct skp_plan *plan;
  ck_ok(skp__backend_reference.run(w, list, n));
  if (n == 1 && ++runs == 3) wrong = list[0];
  if (n != 1 || list[0] != wrong) return SKP_OK;
  ck_ok(skp__stepper_plan(&st, 0, &plan));
  const struct skp_graph *g = skp__plan_graph(plan);
  return skp__backend_write_now(w, skp__plan_buffer(plan, g->nodes.at[1].out[0]), 0, &none, sizeof none);
}

START_TEST(spoilt) {
  open_network(NETWORK, parts[_i]);
  wrong_ops = skp__backend_reference;
  wrong_ops.run = run_wrong;
  b->ops = &wrong_ops;
  const struct skp__examination e = examine(SKP_FOUND_SPOILT);
  const struct skp_node *node = &skp__plan_graph(e.plan)->nodes.at[e.node];
  const char *name = skp__op_in(node->op, e.spoilt)->name;
  ck_assert_msg(strcmp(node->op->name, "linear_dw") == 0 || strcmp(node->op->name, "relu_dx") == 0 ||
                    strcmp(node->op->name, "batchnorm_dx") == 0,
                "%s of %s", name, node->op->name);
  close_network();
}
END_TEST

int main(void) {
  Suite *suite = suite_create("examine");
  TCase *c = tcase_create("examine");
  tcase_add_loop_test(c, images, 0, 2);
  tcase_add_loop_test(c, weights, 0, 2);
  tcase_add_loop_test(c, arithmetic, 0, 2);
  tcase_add_loop_test(c, spoilt, 0, 2);
  tcase_add_loop_test(c, nothing, 0, 2);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
