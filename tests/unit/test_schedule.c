/* test_schedule.c: learning-rate schedules against values of PyTorch 2's classes. SPDX-License-Identifier: MIT */
#include "test.h"
#include "train/schedule.h"

enum { EPOCHS = 5, STEPS = 4, POINTS = 5 };

static const int64_t at[POINTS] = {0, 3, 7, 12, 19};

/* Fields as "name value", and the learning rates at those steps. */
static const struct {
  const char *set[4][2];
  double lr[POINTS];
} cases[] = {
    {{{"schedule", "constant"}}, {0.4, 0.4, 0.4, 0.4, 0.4}},
    {{{"schedule", "step"}, {"lr_step", "2"}}, {0.4, 0.4, 0.4, 0.04, 0.004}},
    {{{"schedule", "exponential"}, {"gamma", "0.5"}}, {0.4, 0.4, 0.2, 0.05, 0.025}},
    {{{"schedule", "cosine"}, {"lr_min", "0.01"}},
     {0.4, 0.37874627221673174, 0.2935281474492117, 0.1447416860968853, 0.012400773583948158}},
    {{{"schedule", "one_cycle"}}, {0.016, 0.2673312629199899, 0.38019385280538953, 0.2000008, 1.6e-06}},
    {{{"schedule", "cosine"}, {"lr_min", "0.01"}, {"warmup", "1"}},
     {0.1, 0.4, 0.36713657439899644, 0.205, 0.013746870321370067}},
};

static void recipe(struct skp_recipe *r) {
  skp__recipe_default(r);
  r->epochs = EPOCHS;
  r->lr = 0.4;
}

START_TEST(as_pytorch) {
  struct skp_recipe r;
  recipe(&r);
  for (int i = 0; i < 4 && cases[_i].set[i][0]; i++)
    ck_ok(skp__recipe_set(&r, cases[_i].set[i][0], cases[_i].set[i][1]));
  ck_ok(skp__schedule_check(&r));
  for (int i = 0; i < POINTS; i++) ck_assert_double_eq_tol(skp__schedule_lr(&r, at[i], STEPS), cases[_i].lr[i], 1e-12);
}
END_TEST

/* A run of a single step, where a cycle has no room. */
START_TEST(shortest) {
  static const char *const names[] = {"constant", "step", "exponential", "cosine", "one_cycle"};
  struct skp_recipe r;
  recipe(&r);
  r.epochs = r.lr_step = 1;
  ck_ok(skp__recipe_set(&r, "schedule", names[_i]));
  ck_assert_double_eq_tol(skp__schedule_lr(&r, 0, 1), 0.4, 1e-12);
}
END_TEST

START_TEST(nonsense) {
  struct skp_recipe r;
  recipe(&r);
  ck_ok(skp__recipe_set(&r, "schedule", "sideways"));
  ck_fails(skp__schedule_check(&r), SKP_USAGE, "constant, step, exponential, cosine, one_cycle");
  ck_ok(skp__recipe_set(&r, "schedule", "step"));
  ck_fails(skp__schedule_check(&r), SKP_USAGE, "--lr-step");
  ck_ok(skp__recipe_set(&r, "schedule", "cosine"));
  r.lr_min = 0.5;
  ck_fails(skp__schedule_check(&r), SKP_USAGE, "lr_min 0.5");
  r.lr_min = 0;
  r.warmup = EPOCHS;
  ck_fails(skp__schedule_check(&r), SKP_USAGE, "does not end");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("schedule");
  TCase *t = tcase_create("schedule");
  tcase_add_loop_test(t, as_pytorch, 0, (int)(sizeof cases / sizeof *cases));
  tcase_add_loop_test(t, shortest, 0, 5);
  tcase_add_test(t, nonsense);
  suite_add_tcase(suite, t);
  return skp__test_main(suite);
}
