/* test_update.c: what surrounds an optimizer in a step: clipping, micro-batches, running averages.
 * SPDX-License-Identifier: MIT */
#include "base/random.h"
#include "step.h"
#include "train/session/session.h"
#include <math.h>

enum { N = 5, PIXELS = 6 * 6 * 2 };
static const int32_t labels[N] = {0, 1, 2, 3, 0};
static float images[N * PIXELS];

struct run {
  struct skp_backend *b;
  struct skp_model *m;
  struct skp_session *s;
  float *params, *state; /* after the last pull */
};

static void set(struct run *r, const char *field, const char *value) {
  ck_ok(skp__recipe_set(&r->m->recipe, field, value));
}

static struct run make_run(void) {
  struct run r = {.m = step_parse("x = nn.conv2d(x, 3, {kernel = 3, bias = false}) x = nn.batchnorm2d(x) "
                                  "return nn.linear(nn.flatten(nn.relu(x)), 4)")};
  struct skp__random random = skp__random_start(3, 1);
  for (int i = 0; i < N * PIXELS; i++) images[i] = (float)skp__random_uniform(&random);
  ck_ok(skp__backend_open(&r.b, &(struct skp_backend_options){.backend = "reference"}));
  ck_ok(skp__session_create(&r.s, r.m, r.b));
  ck_ok(skp__session_init(r.s, 5));
  set(&r, "lr", "1");
  return r;
}

static void free_run(struct run *r) {
  skp__session_destroy(r->s);
  skp__backend_close(r->b);
  skp__model_destroy(r->m);
  free(r->params);
  free(r->state);
}

static void pull(struct run *r, bool averaged) {
  free(r->params);
  free(r->state);
  r->s->averaged = averaged;
  ck_ok(skp__session_pull(r->s, &r->params, &r->state));
  r->s->averaged = false;
}

static void write(struct run *r, const struct skp_plan *plan, skp_value v, const void *from, int64_t bytes) {
  ck_ok(skp__backend_write_now(r->b, skp__plan_buffer(plan, v), 0, from, bytes));
}

/* Step t, from 1, on all images. */
static void step(struct run *r, int64_t t) {
  struct skp_plan *plan;
  const struct skp_hyper hyper = skp__session_hyper(&r->m->recipe, r->m->recipe.lr, t);
  ck_ok(skp__session_plan(r->s, &plan, &(struct skp__variant){SKP_STEP_TRAIN, .N = N}));
  const struct skp_graph *g = skp__plan_graph(plan);
  const float ema_scales[2] = {1 - hyper.ema_rate, hyper.ema_rate};
  ck_ok(skp__session_begin(r->s));
  write(r, plan, g->input, images, sizeof images);
  write(r, plan, g->labels, labels, sizeof labels);
  write(r, plan, g->hyper, &hyper, sizeof hyper);
  if (g->ema_scales != SKP_NONE) write(r, plan, g->ema_scales, ema_scales, sizeof ema_scales);
  ck_ok(skp__plan_run(plan));
}

enum { LOGITS = N * 4 };

static void evaluate(struct run *r, bool averaged, float logits[LOGITS]) {
  struct skp_plan *plan;
  ck_ok(skp__session_plan(r->s, &plan, &(struct skp__variant){SKP_STEP_EVAL, .N = N, .averaged = averaged}));
  const struct skp_graph *g = skp__plan_graph(plan);
  write(r, plan, g->input, images, sizeof images);
  ck_ok(skp__plan_run(plan));
  ck_ok(skp__backend_read_now(r->b, skp__plan_buffer(plan, g->logits), 0, logits, 4 * LOGITS));
}

/* ---- clipping ---------------------------------------------------------------------------------------------------- */

/* The length of a first step of plain SGD with the learning rate 1: the norm of what it took for the gradient. */
static double first_step(const char *clip_norm) {
  struct run r = make_run();
  double sum = 0;
  set(&r, "clip_norm", clip_norm);
  pull(&r, false);
  float *before = r.params;
  r.params = NULL;
  step(&r, 1);
  pull(&r, false);
  for (int64_t i = 0; i < r.s->params_n; i++)
    sum += ((double)before[i] - (double)r.params[i]) * ((double)before[i] - (double)r.params[i]);
  free(before);
  free_run(&r);
  return sqrt(sum);
}

START_TEST(gradients_are_clipped_to_the_norm) {
  double norm = first_step("0"), half = norm / 2;
  char text[32];
  snprintf(text, sizeof text, "%.17g", half);
  ck_assert_double_gt(norm, 0.01);
  ck_assert_double_eq_tol(first_step(text), half, 1e-4 * half);
  ck_assert_double_eq(first_step("1000"), norm); /* the very same step */
}
END_TEST

/* ---- steps in micro-batches -------------------------------------------------------------------------------------- */

/* A step of plain SGD in micro-batches of `size` images; its loss. */
static float step_in_micro_batches(struct run *r, int64_t size) {
  struct skp_plan *micro = NULL, *update;
  const struct skp_hyper hyper = skp__session_hyper(&r->m->recipe, r->m->recipe.lr, 1);
  float loss;
  for (int64_t first = 0, n; first < N; first += n) {
    n = size < N - first ? size : N - first;
    const float scales[2] = {first > 0, (float)n / N};
    ck_ok(skp__session_plan(r->s, &micro, &(struct skp__variant){SKP_STEP_MICRO, .N = n}));
    ck_ok(skp__session_begin(r->s));
    const struct skp_graph *g = skp__plan_graph(micro);
    write(r, micro, g->input, images + PIXELS * first, 4 * PIXELS * n);
    write(r, micro, g->labels, labels + first, 4 * n);
    write(r, micro, g->sum_scales, scales, sizeof scales);
    ck_ok(skp__plan_run(micro));
  }
  ck_ok(skp__session_plan(r->s, &update, &(struct skp__variant){SKP_STEP_UPDATE, .N = 1}));
  write(r, update, skp__plan_graph(update)->hyper, &hyper, sizeof hyper);
  ck_ok(skp__plan_run(update));
  skp_value sum = skp__plan_graph(micro)->loss_sum;
  ck_ok(skp__backend_read_now(r->b, skp__plan_buffer(micro, sum), 0, &loss, sizeof loss));
  return loss;
}

/* What a run looks like after a first step, whole (size 0) or in micro-batches; its loss then. */
static struct run after_step(int64_t size, float *loss) {
  static const char *const fields[][2] = {{"freeze", "1"},      {"freeze_bn", "true"},   {"lr_mult", "4=2"},
                                          {"clip_norm", "0.5"}, {"weight_decay", "0.1"}, {"no_decay", "true"}};
  struct run r = make_run();
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) set(&r, fields[i][0], fields[i][1]);
  if (size)
    *loss = step_in_micro_batches(&r, size);
  else
    step(&r, 1);
  pull(&r, false);
  return r;
}

/* Batchnorm frozen into evaluation, a step in micro-batches is the step of the whole, also with clipping, decay and
 * factors. */
START_TEST(micro_batches_make_the_whole) {
  float first = 0, loss;
  struct run whole = after_step(0, NULL);
  for (int64_t size = N; size > 0; size -= 2) { /* 5; 3 and 2; five times 1 */
    struct run r = after_step(size, &loss);
    if (size == N) first = loss;
    ck_assert_float_eq_tol(loss, first, 1e-6f);
    for (int64_t i = 0; i < r.s->params_n; i++) ck_assert_float_eq_tol(r.params[i], whole.params[i], 1e-5f);
    free_run(&r);
  }
  free_run(&whole);
}
END_TEST

/* ---- running averages -------------------------------------------------------------------------------------------- */

static void follow(float *average, const float *now, int64_t n, double rate) {
  for (int64_t i = 0; i < n; i++) average[i] += (float)rate * (now[i] - average[i]);
}

START_TEST(averages_follow) {
  const double rates[] = {1, 0.9, 9.0 / 11, 0.75}; /* 1 - min(0.25, (t - 1) / (t + 8)) */
  struct run r = make_run();
  float *params, *state;
  set(&r, "ema", "0.25");
  set(&r, "lr", "0.1");
  ck_ok(skp__alloc(&params, (size_t)r.s->params_n, sizeof *params));
  ck_ok(skp__alloc(&state, (size_t)r.s->state_n, sizeof *state));
  for (int t = 1; t <= 5; t++) {
    const double rate = rates[t < 5 ? t - 1 : 3];
    ck_assert_double_eq_tol((double)skp__session_hyper(&r.m->recipe, 1, t).ema_rate, rate, 1e-7);
    step(&r, t);
    pull(&r, false);
    follow(params, r.params, r.s->params_n, rate);
    follow(state, r.state, r.s->state_n, rate);
    if (t > 1) ck_assert(memcmp(params, r.params, 4 * (size_t)r.s->params_n) != 0);
    pull(&r, true);
    for (int64_t i = 0; i < r.s->params_n; i++) ck_assert_float_eq_tol(params[i], r.params[i], 1e-6f);
    for (int64_t i = 0; i < r.s->state_n; i++) ck_assert_float_eq_tol(state[i], r.state[i], 1e-6f);
  }
  free(params);
  free(state);
  free_run(&r);
}
END_TEST

/* An evaluation of the averages is one of a network that has them as weights. */
START_TEST(averages_are_evaluated) {
  struct run r = make_run();
  set(&r, "ema", "0.9");
  for (int t = 1; t <= 3; t++) step(&r, t);
  float raw[LOGITS], averaged[LOGITS];
  evaluate(&r, false, raw);
  evaluate(&r, true, averaged);
  ck_assert_mem_ne(raw, averaged, sizeof raw);
  pull(&r, true);
  ck_ok(skp__session_push(r.s, r.params, r.state));
  evaluate(&r, false, raw);
  ck_assert_mem_eq(raw, averaged, sizeof raw);
  free_run(&r);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("update");
  TCase *c = tcase_create("update");
  tcase_add_test(c, gradients_are_clipped_to_the_norm);
  tcase_add_test(c, micro_batches_make_the_whole);
  tcase_add_test(c, averages_follow);
  tcase_add_test(c, averages_are_evaluated);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
