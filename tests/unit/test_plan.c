/* test_plan.c: whole steps on the reference backend: gradients by differences, fused against unfused, updates, errors.
 * SPDX-License-Identifier: MIT */
#include "step.h"
#include <math.h>

static const char *const models[] = {"identity", "resize"};

/* ---- gradients of whole networks --------------------------------------------------------------------------------- */

/* The slope of the loss along `direction`, by a central difference. */
static double slope(const struct step *s, const float *params, const float *direction, double h) {
  int64_t n = step_count(s, s->g->params);
  float *moved;
  double loss[2];
  ck_ok(skp__alloc(&moved, (size_t)n, sizeof *moved));
  for (int side = 0; side < 2; side++) {
    for (int64_t i = 0; i < n; i++) moved[i] = (float)(params[i] + (side ? h : -h) * direction[i]);
    step_write(s, s->g->params, moved);
    loss[side] = step_run(s);
  }
  step_write(s, s->g->params, params);
  free(moved);
  return (loss[1] - loss[0]) / (2 * h);
}

/* Along each of a param's directions and some random ones, the slope is gradient · direction. */
static void check_gradients(const struct skp_model *m, int kind) {
  struct step s = step_create(m, 3, kind);
  step_fill(&s, m, 7);
  step_run(&s);
  float *params = step_read(&s, s.g->params), *grads = step_read(&s, s.g->grads), *d;
  int64_t n = step_count(&s, s.g->params);
  ck_ok(skp__alloc(&d, (size_t)n, sizeof *d));
  struct skp__random r = skp__random_start(3, 3);
  for (size_t t = 0; t < s.g->tensors.n; t++) {
    const struct skp_tensor *p = &s.g->tensors.at[t];
    if (p->role != SKP_ROLE_PARAM || p->base == SKP_NONE) continue;
    double want = 0;
    int64_t count = skp__shape_count(&p->shape);
    memset(d, 0, (size_t)n * sizeof *d);
    for (int64_t i = p->offset; i < p->offset + count; i++) {
      d[i] = (float)skp__random_normal(&r) / sqrtf((float)count);
      want += (double)d[i] * grads[i];
    }
    double got = slope(&s, params, d, 5e-4);
    ck_assert_msg(fabs(got - want) <= 2e-3 + 0.02 * fabs(want), "%s %s: slope %g, gradient %g", m->name, p->name, got,
                  want);
  }
  free(params);
  free(grads);
  free(d);
  step_destroy(&s);
}

START_TEST(gradients_of_whole_networks) {
  struct skp_model *m = step_model(models[_i]);
  check_gradients(m, STEP_GRADIENTS);
  check_gradients(m, STEP_GRADIENTS | STEP_FUSED);
  skp__model_destroy(m);
}
END_TEST

static void check_near(const struct step *a, skp_value va, const struct step *b, skp_value vb, float tolerance) {
  float *x = step_read(a, va), *y = step_read(b, vb);
  ck_assert_int_eq(step_count(a, va), step_count(b, vb));
  for (int64_t i = 0; i < step_count(a, va); i++)
    ck_assert_msg(fabsf(x[i] - y[i]) <= tolerance * (1 + fabsf(y[i])), "%s[%lld]: %g and %g", a->g->tensors.at[va].name,
                  (long long)i, (double)x[i], (double)y[i]);
  free(x);
  free(y);
}

START_TEST(fused_is_the_same) {
  struct skp_model *m = step_model(models[_i]);
  struct step plain = step_create(m, 5, STEP_GRADIENTS), fused = step_create(m, 5, STEP_GRADIENTS | STEP_FUSED);
  step_fill(&plain, m, 1);
  step_fill(&fused, m, 1);
  ck_assert_double_eq_tol(step_run(&plain), step_run(&fused), 1e-6);
  check_near(&plain, plain.g->grads, &fused, fused.g->grads, 1e-5f);
  check_near(&plain, plain.g->state, &fused, fused.g->state, 1e-6f);
  check_near(&plain, plain.g->logits, &fused, fused.g->logits, 1e-5f);
  ck_assert_uint_lt(skp__plan_ops(fused.plan), skp__plan_ops(plain.plan) - 4);
  step_destroy(&plain);
  step_destroy(&fused);
  skp__model_destroy(m);
}
END_TEST

/* ---- steps ------------------------------------------------------------------------------------------------------- */

START_TEST(training_lowers_the_loss) {
  struct skp_model *m = step_model(models[_i]);
  struct step s = step_create(m, 8, STEP_GRADIENTS | STEP_FUSED | STEP_UPDATE);
  step_fill(&s, m, 2);
  double first = 0, last = 0;
  for (int t = 1; t <= 12; t++) {
    float hyper[4] = {0.01f, 1 - powf(0.9f, (float)t), 1 - powf(0.999f, (float)t), 0};
    step_write(&s, s.g->hyper, hyper);
    last = step_run(&s);
    if (t == 1) first = last;
  }
  ck_assert_msg(last < 0.6 * first, "%s: %g to %g", models[_i], first, last);
  step_destroy(&s);
  skp__model_destroy(m);
}
END_TEST

/* Plans of one store see the same params: evaluation after a training step, in another batch size. */
START_TEST(plans_share_a_store) {
  struct skp_model *m = step_model("identity");
  struct step train = step_create(m, 4, STEP_GRADIENTS | STEP_UPDATE), eval = train;
  ck_ok(skp__plan_create(&eval.plan, step_graph(m, 2, STEP_LOSS | STEP_FUSED), train.b, train.store));
  eval.g = skp__plan_graph(eval.plan);
  step_fill(&eval, m, 4);
  double before = step_run(&eval);
  step_fill(&train, m, 4);
  step_write(&train, train.g->hyper, (float[]){0.1f, 0.1f, 0.001f, 0});
  step_run(&train);
  ck_assert_double_ne(before, step_run(&eval));
  skp__plan_destroy(eval.plan);
  step_destroy(&train);
  skp__model_destroy(m);
}
END_TEST

START_TEST(the_same_plan_gives_the_same_bits) {
  struct skp_model *m = step_model("resize");
  struct step a = step_create(m, 4, STEP_GRADIENTS | STEP_FUSED), b = step_create(m, 4, STEP_GRADIENTS | STEP_FUSED);
  step_fill(&a, m, 9);
  step_fill(&b, m, 9);
  step_run(&a);
  step_run(&b);
  check_near(&a, a.g->grads, &b, b.g->grads, 0);
  step_destroy(&a);
  step_destroy(&b);
  skp__model_destroy(m);
}
END_TEST

START_TEST(flops_and_methods) {
  struct skp_model *m = step_model("identity");
  struct step s = step_create(m, 2, STEP_EVAL);
  double convolutions = 2 * 784 * 2 * (2 * 4 + 4 + 2 * 36 + 1); /* N, pixels, blocks; multiply-adds and biases */
  ck_assert_double_gt(skp__plan_flops(s.plan), convolutions);
  ck_assert_double_lt(skp__plan_flops(s.plan), 1.6 * convolutions);
  ck_assert_str_eq(skp__plan_method(s.plan, 0), "reference");
  step_destroy(&s);
  skp__model_destroy(m);
}
END_TEST

/* One launch a node on the plain C, views left out, told in order. */
static void check_told(void *user, size_t node, const char *launch, double seconds) {
  size_t *told = user;
  ck_assert_str_eq(launch, "reference");
  ck_assert_double_ge(seconds, 0);
  ck_assert(!told[0] || node > told[1]);
  told[0]++;
  told[1] = node;
}

START_TEST(launches_are_timed_in_order) {
  struct skp_model *m = step_model("resize");
  struct step s = step_create(m, 2, STEP_GRADIENTS | STEP_FUSED);
  size_t told[2] = {0, 0}; /* launches; the node of the last */
  step_fill(&s, m, 5);
  ck_ok(skp__plan_time(s.plan, check_told, told));
  ck_assert_uint_eq(told[0], skp__plan_launches(s.plan));
  ck_assert_uint_gt(s.g->nodes.n, told[0]);
  step_destroy(&s);
  skp__model_destroy(m);
}
END_TEST

/* What is measured beforehand is what a plan then takes from the device. */
START_TEST(needs_are_what_a_plan_takes) {
  static const int kinds[] = {STEP_GRADIENTS | STEP_FUSED | STEP_UPDATE, STEP_EVAL};
  struct skp_model *m = step_model("resize");
  struct step s = step_create(m, 6, kinds[_i]);
  struct skp_backend_info info;
  struct skp_plan_needs needs;
  s.b->ops->info(s.b, &info);
  ck_ok(skp__plan_measure(&needs, step_graph(m, 6, kinds[_i]), s.b));
  ck_assert_int_eq(needs.total, info.used);
  ck_assert_double_eq(needs.flops, skp__plan_flops(s.plan));
  ck_assert_int_ge(needs.largest, needs.of_role[SKP_ROLE_PARAM]);
  step_destroy(&s);
  skp__model_destroy(m);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("plan");
  TCase *c = tcase_create("steps");
  tcase_set_timeout(c, 120);
  tcase_add_loop_test(c, gradients_of_whole_networks, 0, 2);
  tcase_add_loop_test(c, fused_is_the_same, 0, 2);
  tcase_add_loop_test(c, training_lowers_the_loss, 0, 2);
  tcase_add_test(c, plans_share_a_store);
  tcase_add_test(c, the_same_plan_gives_the_same_bits);
  tcase_add_test(c, flops_and_methods);
  tcase_add_test(c, launches_are_timed_in_order);
  tcase_add_loop_test(c, needs_are_what_a_plan_takes, 0, 2);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
