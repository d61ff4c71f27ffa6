/* broken.c: what becomes of a run whose numbers are not finite. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "train/run/loop.h"
#include <math.h>

/* The file of weights from before that step; NULL: there is none. */
static const char *sound_weights(const struct skp__loop *l, int64_t step) {
  const bool earlier = l->saved >= 0 && l->saved < step;
  const char *path = earlier ? l->run.last : l->at.best_epoch ? l->run.best : NULL;
  return path && skp__file_exists(path) ? path : NULL;
}

/* Whether the run goes back instead of ending. */
static bool goes_back(const struct skp__loop *l, const struct skp__diagnosis *d) {
  return l->mark.set && d->retry != SKP_RETRY_NEVER && l->at.rollbacks < SKP_ROLLBACKS;
}

static void say_back(const struct skp__loop *l, int64_t step, const char *what, const struct skp__diagnosis *d) {
  const int64_t cuts = l->at.cuts + (d->retry == SKP_RETRY_SMALLER);
  if (!l->o->say) return;
  skp_print(l->o->say, "%s at step %lld (learning rate %g).%s The run goes back to step %lld (%lld of %d times)", what,
            (long long)step, l->lr, d->why.at, (long long)l->mark.at.step, (long long)l->at.rollbacks + 1,
            SKP_ROLLBACKS);
  skp_print(l->o->say, cuts > l->at.cuts ? ", with learning rates of %g times what they were to be.\n" : ".\n",
            skp__position_lr(cuts));
}

static skp_status fail(struct skp__loop *l, int64_t step, const char *what, const struct skp__diagnosis *d) {
  const char *sound = sound_weights(l, step);
  char back[64] = "";
  l->retry = goes_back(l, d) ? d->retry : SKP_RETRY_NEVER;
  if (l->retry != SKP_RETRY_NEVER) say_back(l, step, what, d);
  if (l->at.rollbacks > 0)
    snprintf(back, sizeof back, " The run went back %lld time%s.", (long long)l->at.rollbacks,
             l->at.rollbacks > 1 ? "s" : "");
  return skp__fail(d->status, "%s at step %lld (epoch %lld) with the learning rate %g.%s%s%s %s%s.", what,
                   (long long)step, (long long)l->at.epoch + 1, l->lr, d->why.at, d->advice.at, back,
                   sound ? "The weights from before are in " : "There are no weights from before", sound ? sound : "");
}

skp_status skp__broken_fail(struct skp__loop *l, int64_t step, const char *what) {
  struct skp__diagnosis d;
  skp__diagnose_unseen(&d, &l->s->model->recipe, l->lr);
  return fail(l, step, what, &d);
}

enum { SKIPPED_IN_A_ROW = 10 }; /* steps that are left out one after the other, before that is no training any more */

static const char *what_broke(const struct skp__step *step) {
  return isnan(step->loss)   ? "The loss became not a number"
         : isinf(step->loss) ? "The loss became infinite"
                             : "The gradients became infinite or not numbers";
}

/* Each rank has looked at its own part of the step: the first that found more than a fault of a moment is right. */
static skp_status consult(struct skp_ranks *ranks, struct skp__diagnosis *d) {
  int found[SKP_RANKS_MOST], from = 0;
  const int size = skp__ranks_size(ranks);
  SKP_TRY(skp__ranks_gather(ranks, found, &(int){d->retry != SKP_RETRY_SAME}, sizeof *found));
  while (from < size && !found[from]) from++;
  from %= size;
  if (size > 1) {
    const struct skp__text why = d->why;
    d->why = (struct skp__text){.n = 0};
    skp__text_add(&d->why, " In rank %d:%s", skp__ranks_rank(ranks), why.at);
  }
  return skp__ranks_hand_out(ranks, from, d, sizeof *d);
}

/* Its batch is still held. */
static skp_status fail_step(struct skp__loop *l, struct skp__step *step) {
  struct skp__diagnosis d;
  skp__diagnose(&d, &(struct skp__failed_step){&l->stepper, step, l->data->train});
  SKP_TRY(consult(l->s->ranks, &d));
  return fail(l, step->number + 1, what_broke(step), &d);
}

skp_status skp__broken_step(struct skp__loop *l, struct skp__step *step) {
  enum { TOLD = 10, AGAIN = 100 }; /* of so many each is told of, of those after them each hundredth */
  const bool skips = skp__recipe_skips(&l->s->model->recipe) && l->at.in_a_row < SKIPPED_IN_A_ROW;
  if (!skips) return fail_step(l, step);
  l->at.in_a_row++;
  l->at.skipped++;
  if (!isfinite(step->loss)) l->at.lost += step->n;
  if (l->o->say && (l->at.skipped <= TOLD || l->at.skipped % AGAIN == 0))
    fprintf(l->o->say, "%s at step %lld (learning rate %g): it is left out, %lld so far.\n", what_broke(step),
            (long long)step->number + 1, step->lr, (long long)l->at.skipped);
  return SKP_OK;
}
