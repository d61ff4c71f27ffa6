/* test_constants.c: what an evaluation makes of its weights alone is made once, and anew whenever they have changed.
 * SPDX-License-Identifier: MIT */
#include "../step.h"
#include "methods.h"

enum { IMAGES = 3, TRAIN = STEP_LOSS | STEP_GRADIENTS | STEP_UPDATE | STEP_FUSED, EVALUATE = STEP_FOLDED | STEP_FUSED };

static struct step step_on(struct skp_backend *at, struct skp_store *store, const struct skp_model *m, int kind) {
  struct step s = {.b = at, .store = store};
  ck_ok(skp__plan_create(&s.plan, step_graph(m, IMAGES, kind), at, store));
  s.g = skp__plan_graph(s.plan);
  return s;
}

static float *logits_of(const struct step *s) {
  ck_ok(skp__plan_run(s->plan));
  return step_read(s, s->g->logits);
}

static void count_launch(void *user, size_t n, const char *launch, double seconds) {
  (void)n, (void)launch, (void)seconds;
  ++*(int *)user;
}

static int launches(const struct step *s) {
  int n = 0;
  ck_ok(skp__plan_time(s->plan, count_launch, &n));
  return n;
}

/* The logits that the step gives are those of a plan that was never run. Takes `got`. */
static void same_as_fresh(const struct step *s, const struct skp_model *m, float *got) {
  struct step fresh = step_on(s->b, s->store, m, EVALUATE);
  float *x = step_read(s, s->g->input);
  step_write(&fresh, fresh.g->input, x);
  float *want = logits_of(&fresh);
  ck_assert_mem_eq(got, want, 4 * (size_t)step_count(s, s->g->logits));
  skp__plan_destroy(fresh.plan);
  free(x);
  free(want);
  free(got);
}

static void near_reference(const struct step *s, const struct skp_model *m, const float *got) {
  struct step plain = step_create(m, IMAGES, STEP_EVAL);
  step_fill(&plain, m, 1);
  float *want = logits_of(&plain);
  for (int64_t i = 0; i < step_count(s, s->g->logits); i++)
    ck_assert_double_eq_tol((double)got[i], (double)want[i], 1e-3 * (1 + fabs((double)want[i])));
  step_destroy(&plain);
  free(want);
}

START_TEST(made_once) {
  struct skp_model *m = step_model("resnet20");
  struct skp_store *store;
  ck_ok(skp__store_create(&store, b));
  struct step train = step_on(b, store, m, TRAIN), s = step_on(b, store, m, EVALUATE);
  step_fill(&train, m, 2);
  step_write(&train, train.g->hyper, (float[SKP_HYPER]){0.1f, 1, 1, 0});
  step_fill(&s, m, 1);
  float *params = step_read(&s, s.g->params), *state = step_read(&s, s.g->state), *before = logits_of(&s);
  near_reference(&s, m, before);

  /* the second time less is launched, and the same comes out */
  step_write(&s, s.g->params, params);
  const int first = launches(&s), again = launches(&s);
  ck_assert_msg(again < first, "%d launches, then %d", first, again);
  same_as_fresh(&s, m, logits_of(&s));

  /* a step of training changes the weights, and so does the host */
  ck_ok(skp__plan_run(train.plan));
  float *after = logits_of(&s);
  ck_assert_mem_ne(before, after, 4 * (size_t)step_count(&s, s.g->logits));
  same_as_fresh(&s, m, after);
  step_write(&s, s.g->params, params);
  step_write(&s, s.g->state, state);
  after = logits_of(&s);
  ck_assert_mem_eq(before, after, 4 * (size_t)step_count(&s, s.g->logits));
  ck_assert_int_eq(launches(&s), again);

  skp__plan_destroy(s.plan);
  skp__plan_destroy(train.plan);
  skp__store_destroy(store);
  skp__model_destroy(m);
  free(params);
  free(state);
  free(before);
  free(after);
}
END_TEST

static void add(TCase *device) { tcase_add_test(device, made_once); }

int main(void) { return run_on_device("constants", add); }
