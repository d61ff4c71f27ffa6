/* broken.c: what becomes of a run whose numbers are not finite. SPDX-License-Identifier: MIT */
#include "base/host.h"
#include "train/loop.h"
#include <math.h>

skp_status skp__broken_fail(const struct skp__loop *l, int64_t step, const char *what) {
  const bool earlier = l->saved >= 0 && l->saved < step;
  const char *sound = earlier ? l->run.last : l->at.best_epoch ? l->run.best : NULL;
  return skp__fail(SKP_NUMERIC,
                   "%s at step %lld (epoch %lld) with the learning rate %g. Try a smaller one (%s %g), or check that "
                   "the pixels are normalised (%s, %s). %s%s.",
                   what, (long long)step, (long long)l->at.epoch + 1, l->lr, skp__option("lr"), l->lr / 10,
                   skp__option("mean"), skp__option("std"),
                   sound ? "The weights from before are in " : "There are no weights from before", sound ? sound : "");
}

enum { SKIPPED_IN_A_ROW = 10 }; /* steps that are left out one after the other, before that is no training any more */

static const char *what_broke(const struct skp__step *step) {
  return isnan(step->loss)   ? "The loss became not a number"
         : isinf(step->loss) ? "The loss became infinite"
                             : "The gradients became infinite or not numbers";
}

skp_status skp__broken_step(struct skp__loop *l, const struct skp__step *step) {
  enum { TOLD = 10, AGAIN = 100 }; /* of so many each is told of, of those after them each hundredth */
  const bool skips = skp__recipe_skips(&l->s->model->recipe) && l->at.in_a_row < SKIPPED_IN_A_ROW;
  if (!skips) return skp__broken_fail(l, step->number + 1, what_broke(step));
  l->at.in_a_row++;
  l->at.skipped++;
  if (!isfinite(step->loss)) l->at.lost += (double)step->n;
  if (l->o->say && (l->at.skipped <= TOLD || fmod(l->at.skipped, AGAIN) == 0))
    fprintf(l->o->say, "%s at step %lld (learning rate %g): it is left out, %.0f so far.\n", what_broke(step),
            (long long)step->number + 1, step->lr, l->at.skipped);
  return SKP_OK;
}
