/* schedule.h: the learning rate of each step. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_SCHEDULE_H
#define SKP_TRAIN_SCHEDULE_H

#include "model/recipe.h"

/* SKP_USAGE if there is no such schedule or if the recipe's fields make no sense with it. */
skp_status skp__schedule_check(const struct skp_recipe *r);
/* The learning rate of step `step` (from 0) of a run with `steps` steps in an epoch: a pure function, so that a run can begin anywhere. */
double skp__schedule_lr(const struct skp_recipe *r, int64_t step, int64_t steps);

#endif
