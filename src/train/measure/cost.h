/* cost.h: what a network takes on a device, without a step being made. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_MEASURE_COST_H
#define SKP_TRAIN_MEASURE_COST_H

#include "plan/plan.h"
#include "train/session/session.h"

enum { SKP__COST_EVALUATION, SKP__COST_TRAINING, SKP__COSTS };

/* What the steps of one batch size need, and what keeps them from fitting. */
struct skp__cost {
  skp_status status; /* not SKP_OK: some value is larger than any device takes at once */
  struct skp_plan_needs needs;
  int64_t all;           /* bytes beside which nothing else is held: of training, with the evaluation that judges it */
  bool fits;             /* a device */
  int64_t largest_batch; /* that fits where this one does not; 0: not even one image does */
};
/* Of evaluation and of training as the recipe says, of so many images at once. b NULL: without the methods' workspaces,
 * and as if everything fitted. */
skp_status skp__cost_measure(struct skp__cost out[SKP__COSTS], const struct skp_model *m, struct skp_backend *b,
                             int64_t batch);

#endif
