/* schedule.h: the learning rate of each step. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_STEP_SCHEDULE_H
#define SKP_TRAIN_STEP_SCHEDULE_H

#include "model/recipe.h"

/* What the schedule plateau remembers: the learning rate, INFINITY: still the recipe's;
 * the best score; epochs since that were no better. */
struct skp__plateau {
  double lr, best;
  int64_t bad;
};
struct skp__plateau skp__plateau_start(void);
/* To be told the score (the more the better) of each epoch, which counts from 1; for
 * other schedules nothing happens. */
void skp__plateau_observe(struct skp__plateau *p, const struct skp_recipe *r, int64_t epoch, double score);

extern const struct skp_recipe_choice skp__schedules;
/* Sets the fields that belong to one schedule or another to their defaults. */
void skp__schedule_reset(struct skp_recipe *r);
/* SKP_USAGE if there is no such schedule or if the recipe's fields make no sense with it. */
skp_status skp__schedule_check(const struct skp_recipe *r);
/* Whether the schedule stretches over the whole run, however many epochs that has. */
bool skp__schedule_spans_run(const struct skp_recipe *r);
/* The learning rate of step `step` (from 0) of a run with `steps` steps in an epoch: a pure function, so that a run can
 * begin anywhere. NULL stands for a plateau at its start. */
double skp__schedule_lr(const struct skp_recipe *r, const struct skp__plateau *plateau, int64_t step, int64_t steps);

#endif
