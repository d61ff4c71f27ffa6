/* broken.c: what becomes of a run whose numbers are not finite. SPDX-License-Identifier: MIT */
#include "train/doctor.h"
#include "train/loop.h"
#include <math.h>

/* The file of weights from before that step; NULL: there is none. */
static const char *sound_weights(const struct skp__loop *l, int64_t step) {
  const bool earlier = l->saved >= 0 && l->saved < step;
  return earlier ? l->run.last : l->at.best_epoch ? l->run.best : NULL;
}

/* `why` ends with a sentence. */
static skp_status fail(const struct skp__loop *l, skp_status status, int64_t step, const char *what, const char *why) {
  const char *sound = sound_weights(l, step);
  return skp__fail(status, "%s at step %lld (epoch %lld) with the learning rate %g.%s %s%s.", what, (long long)step,
                   (long long)l->at.epoch + 1, l->lr, why,
                   sound ? "The weights from before are in " : "There are no weights from before", sound ? sound : "");
}

skp_status skp__broken_fail(const struct skp__loop *l, int64_t step, const char *what) {
  struct skp__text why = {.n = 0};
  skp__doctor_advise(&why, &l->s->model->recipe, l->lr);
  return fail(l, SKP_NUMERIC, step, what, why.at);
}

enum { SKIPPED_IN_A_ROW = 10 }; /* steps that are left out one after the other, before that is no training any more */

static const char *what_broke(const struct skp__step *step) {
  return isnan(step->loss)   ? "The loss became not a number"
         : isinf(step->loss) ? "The loss became infinite"
                             : "The gradients became infinite or not numbers";
}

/* Its batch is still held. */
static skp_status fail_step(struct skp__loop *l, struct skp__step *step) {
  struct skp__text why = {.n = 0};
  const struct skp__patient patient = {&l->stepper, step, l->loader, l->data->train};
  const skp_status status = skp__doctor(&why, &patient);
  return fail(l, status, step->number + 1, what_broke(step), why.at);
}

skp_status skp__broken_step(struct skp__loop *l, struct skp__step *step) {
  enum { TOLD = 10, AGAIN = 100 }; /* of so many each is told of, of those after them each hundredth */
  const bool skips = skp__recipe_skips(&l->s->model->recipe) && l->at.in_a_row < SKIPPED_IN_A_ROW;
  if (!skips) return fail_step(l, step);
  l->at.in_a_row++;
  l->at.skipped++;
  if (!isfinite(step->loss)) l->at.lost += (double)step->n;
  if (l->o->say && (l->at.skipped <= TOLD || fmod(l->at.skipped, AGAIN) == 0))
    fprintf(l->o->say, "%s at step %lld (learning rate %g): it is left out, %.0f so far.\n", what_broke(step),
            (long long)step->number + 1, step->lr, l->at.skipped);
  return SKP_OK;
}
