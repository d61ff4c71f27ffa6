/* back.c: a run that goes back to where it last was sound. SPDX-License-Identifier: MIT */
#include "train/run/loop.h"

void skp__back_forget(struct skp__loop *l) {
  skp__values_free(&l->mark.values);
  l->mark = (struct skp__mark){.set = false};
}

static skp_status mark_place(struct skp__mark *m, struct skp__loop *l) {
  m->at = l->at;
  return skp__run_mark(&l->run, &m->at);
}

static skp_status mark(struct skp__mark *m, struct skp__loop *l) {
  SKP_TRY(mark_place(m, l));
  SKP_TRY(skp__values_pull(&m->values, l->s));
  SKP_TRY(skp__values_check(&m->values, l->s->model));
  m->set = true;
  return SKP_OK;
}

static bool is_present(const struct skp__loop *l) { return l->mark.set && l->mark.at.step == l->at.step; }

/* Values that are not finite are none to go back to. Between two steps they stay as they are: only the place is new. */
skp_status skp__back_mark(struct skp__loop *l) {
  struct skp__mark fresh = {.set = false};
  if (!skp__recipe_rolls_back(&l->s->model->recipe)) return SKP_OK;
  if (is_present(l)) return mark_place(&l->mark, l);
  skp_status status = mark(&fresh, l);
  if (status == SKP_OK) {
    skp__back_forget(l);
    l->mark = fresh;
    return SKP_OK;
  }
  skp__values_free(&fresh.values);
  return status == SKP_NUMERIC ? SKP_OK : status;
}

bool skp__back_share(const struct skp__loop *l, struct skp__values *out) {
  if (!is_present(l)) return false;
  skp__values_share(out, &l->mark.values);
  return true;
}

/* As a run at rest goes on: values, position, logs. What the device still does reads batches. */
skp_status skp__back_go(struct skp__loop *l) {
  const struct skp__position from = l->at;
  SKP_TRY(skp__backend_finish(l->s->b));
  SKP_TRY(skp__values_push(&l->mark.values, l->s));
  l->at = l->mark.at;
  l->at.rollbacks = from.rollbacks + 1;
  l->at.cuts = from.cuts + (l->retry == SKP_RETRY_SMALLER);
  l->retry = SKP_RETRY_NEVER;
  l->stepper.queued = l->stepper.done = l->at.step;
  return skp__run_back(&l->run, &l->at, from.step);
}
