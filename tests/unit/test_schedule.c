/* test_schedule.c: learning-rate schedules against values of PyTorch 2's classes. SPDX-License-Identifier: MIT */
#include "test.h"
#include "train/step/schedule.h"

enum { EPOCHS = 5, STEPS = 4, POINTS = 5 };

static const int64_t at[POINTS] = {0, 3, 7, 12, 19};

/* Fields as "name value", and the learning rates at those steps. */
static const struct {
  const char *set[4][2];
  double lr[POINTS];
} cases[] = {
    {{{"schedule", "constant"}}, {0.4, 0.4, 0.4, 0.4, 0.4}},
    {{{"schedule", "step"}, {"lr_step", "2"}}, {0.4, 0.4, 0.4, 0.04, 0.004}},
    {{{"schedule", "multi_step"}, {"milestones", "1,3,4"}, {"gamma", "0.5"}}, {0.4, 0.4, 0.2, 0.1, 0.05}},
    {{{"schedule", "exponential"}, {"gamma", "0.5"}}, {0.4, 0.4, 0.2, 0.05, 0.025}},
    {{{"schedule", "cosine"}, {"lr_min", "0.01"}},
     {0.4, 0.37874627221673174, 0.2935281474492117, 0.1447416860968853, 0.012400773583948158}},
    {{{"schedule", "linear"}, {"lr_min", "0.1"}}, {0.4, 0.355, 0.295, 0.22, 0.115}},
    {{{"schedule", "linear"}, {"warmup", "1"}}, {0.1, 0.4, 0.325, 0.2, 0.025}},
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
  for (int i = 0; i < POINTS; i++)
    ck_assert_double_eq_tol(skp__schedule_lr(&r, NULL, at[i], STEPS), cases[_i].lr[i], 1e-12);
}
END_TEST

/* A run of a single step, where a cycle has no room. */
START_TEST(shortest) {
  static const char *const names[] = {"constant", "step",      "multi_step", "exponential",
                                      "cosine",   "one_cycle", "plateau",    "linear"};
  struct skp_recipe r;
  recipe(&r);
  r.epochs = r.lr_step = 1;
  ck_ok(skp__recipe_set(&r, "schedule", names[_i]));
  ck_ok(skp__recipe_set(&r, "milestones", "1"));
  ck_assert_double_eq_tol(skp__schedule_lr(&r, NULL, 0, 1), 0.4, 1e-12);
}
END_TEST

/* ReduceLROnPlateau(factor=0.25, patience=1, threshold=1e-3, min_lr=0.01) of PyTorch 2.15, mode max and min: what it is
 * told after each epoch, and the rate from then on. A score is an accuracy or minus a loss. */
static const struct {
  double score[14], lr[14];
} plateaus[] = {
    {{0.5, 0.6, 0.60005, 0.6, 0.59, 0.61, 0.61, 0.6101, 0.6, 0.7, 0.7, 0.7, 0.7, 0.7},
     {0.4, 0.4, 0.4, 0.1, 0.1, 0.1, 0.1, 0.025, 0.025, 0.025, 0.025, 0.01, 0.01, 0.01}},
    {{-2, -1.5, -1.49990, -1.6, -1.4, -1.4, -1.39999, -1.3, -1.3, -1.3, -1.3, -1.3},
     {0.4, 0.4, 0.4, 0.1, 0.1, 0.1, 0.025, 0.025, 0.025, 0.01, 0.01, 0.01}},
};

static void plateau_recipe(struct skp_recipe *r) {
  recipe(r);
  ck_ok(skp__recipe_set(r, "schedule", "plateau"));
  r->gamma = 0.25;
  r->plateau_patience = 1;
  r->plateau_threshold = 1e-3;
  r->lr_min = 0.01;
}

START_TEST(plateau_as_pytorch) {
  struct skp_recipe r;
  struct skp__plateau p = skp__plateau_start();
  plateau_recipe(&r);
  ck_ok(skp__schedule_check(&r));
  ck_assert_double_eq(skp__schedule_lr(&r, &p, 0, STEPS), 0.4);
  for (int i = 0; i < 14 && plateaus[_i].score[i] != 0; i++) {
    skp__plateau_observe(&p, &r, i + 1, plateaus[_i].score[i]);
    ck_assert_double_eq_tol(skp__schedule_lr(&r, &p, STEPS * (i + 1), STEPS), plateaus[_i].lr[i], 1e-12);
  }
}
END_TEST

/* The scores of a warm-up's epochs do not count. */
START_TEST(plateau_after_warmup) {
  struct skp_recipe r;
  struct skp__plateau p = skp__plateau_start();
  plateau_recipe(&r);
  r.warmup = 2.5;
  skp__plateau_observe(&p, &r, 1, 0.9);
  skp__plateau_observe(&p, &r, 2, 0.9);
  skp__plateau_observe(&p, &r, 3, 0.5);
  ck_assert_double_eq(p.best, 0.5);
  ck_assert_double_eq_tol(skp__schedule_lr(&r, &p, 0, STEPS), 0.04, 1e-12);
}
END_TEST

START_TEST(nonsense) {
  struct skp_recipe r;
  recipe(&r);
  ck_ok(skp__recipe_set(&r, "schedule", "sideways"));
  ck_fails(skp__schedule_check(&r), SKP_USAGE,
           "constant, step, multi_step, exponential, linear, cosine, one_cycle, plateau");
  ck_ok(skp__recipe_set(&r, "schedule", "step"));
  ck_fails(skp__schedule_check(&r), SKP_USAGE, "lr_step");
  ck_ok(skp__recipe_set(&r, "schedule", "cosine"));
  r.lr_min = 0.5;
  ck_fails(skp__schedule_check(&r), SKP_USAGE, "lr_min 0.5");
  r.lr_min = 0;
  r.warmup = EPOCHS;
  ck_fails(skp__schedule_check(&r), SKP_USAGE, "does not end");
  r.warmup = 0;
  r.lr_step = 30;
  ck_fails(skp__schedule_check(&r), SKP_USAGE, "cosine does not use lr_step (30); step would");
  ck_ok(skp__recipe_set(&r, "schedule", "plateau"));
  ck_fails(skp__schedule_check(&r), SKP_USAGE, "plateau does not use lr_step");
  skp__schedule_reset(&r);
  ck_ok(skp__schedule_check(&r));
  ck_ok(skp__recipe_set(&r, "schedule", "multi_step"));
  ck_fails(skp__schedule_check(&r), SKP_USAGE, "milestones");
  ck_ok(skp__recipe_set(&r, "schedule", "one_cycle"));
  r.epochs = 0;
  ck_fails(skp__schedule_check(&r), SKP_USAGE, "when the run ends");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("schedule");
  TCase *t = tcase_create("schedule");
  tcase_add_loop_test(t, as_pytorch, 0, (int)(sizeof cases / sizeof *cases));
  tcase_add_loop_test(t, shortest, 0, 8);
  tcase_add_loop_test(t, plateau_as_pytorch, 0, 2);
  tcase_add_test(t, plateau_after_warmup);
  tcase_add_test(t, nonsense);
  suite_add_tcase(suite, t);
  return skp__test_main(suite);
}
