/* keep.c: what a run saves and when; a disk that is full meanwhile. SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/host.h"
#include "train/run/loop.h"
#include <stdlib.h>

skp_status skp__keep_bear(struct skp__loop *l, skp_status status) {
  if (status != SKP_DISK_FULL) return status;
  if (l->o->say && !l->refused)
    skp_print(l->o->say, "%s Training goes on; each save tries again, and what comes of it is said at the end.\n",
              skp_error_message());
  l->refused++;
  free(l->unwritten);
  SKP_TRY(skp__strdup(&l->unwritten, skp_error_message()));
  l->unsaved = true;
  if (l->saved > 0) l->saved = 0; /* what the files hold is of an earlier step */
  return SKP_OK;
}

skp_status skp__keep_outcome(const struct skp__loop *l) {
  const char *out = l->o->out, *there = l->unsaved ? "what was saved before" : "what it ended with";
  char where[40] = "";
  if (!l->unwritten) return SKP_OK;
  if (out) snprintf(where, sizeof where, "; %s is in ", there);
  return skp__fail(SKP_DISK_FULL, "Not every file could be written while the run went on, %lld time%s%s%s. At last: %s",
                   (long long)l->refused, l->refused > 1 ? "s" : "", where, out ? out : "", l->unwritten);
}

/* The values on the host, the device free again; writing them is the saver's. What is not finite is found before. */
static skp_status pull_checked(struct skp__loop *l, struct skp__save *save) {
  SKP_TRY(save->state_path ? skp__values_pull(&save->values, l->s) : skp__values_pull_weights(&save->values, l->s));
  if (skp__values_check(&save->values, l->s->model) == SKP_OK) return SKP_OK;
  return skp__broken_fail(l, l->at.step, skp_error_message());
}

static skp_status pull(struct skp__loop *l, struct skp__save *save) {
  if (!skp__back_share(l, &save->values)) SKP_TRY(pull_checked(l, save));
  save->params = skp__values_weights(&save->values, l->s, SKP_ROLE_PARAM);
  save->state = skp__values_weights(&save->values, l->s, SKP_ROLE_STATE);
  return SKP_OK;
}

/* The earlier save is through first: whether its files are there is a part of what this one says. */
static skp_status begin_save(struct skp__loop *l, struct skp__save *save, const char *weights, const char *state) {
  *save = (struct skp__save){.model = l->s->model, .extra = l->o->extra, .weights = weights, .run = &l->run};
  SKP_TRY(skp__keep_bear(l, skp__saver_wait(&l->saver)));
  save->extra.steps = l->at.step;
  save->state_path = state;
  SKP_TRY(pull(l, save));
  return state ? skp__state_metadata(&save->meta, l->s, &l->o->extra, l->described, &l->at) : SKP_OK;
}

static skp_status hand_over(struct skp__loop *l, struct skp__save *save, skp_status status) {
  if (status == SKP_OK) return skp__saver_start(&l->saver, save);
  skp__save_free(save);
  return status;
}

/* Ranks that write nothing look at the same numbers all the same: what becomes of the run for them they all know. */
static skp_status only_check(struct skp__loop *l, const char *state) {
  struct skp__save save = {.state_path = state};
  if (!l->s->ranks) return SKP_OK;
  skp_status status = pull(l, &save);
  skp__save_free(&save);
  return status;
}

skp_status skp__keep_weights(struct skp__loop *l, const char *path) {
  struct skp__save save;
  if (!path) return only_check(l, NULL); /* no file is written */
  skp_status status = begin_save(l, &save, path, NULL);
  save.best = true;
  return hand_over(l, &save, status);
}

static skp_status write_all(struct skp__loop *l) {
  struct skp__save save;
  SKP_TRY(skp__run_flush(&l->run));
  SKP_TRY(skp__run_mark(&l->run, &l->at));
  l->at.seconds = l->earlier + skp__pace_elapsed(l);
  skp_status status =
      begin_save(l, &save, l->run.last, l->loader ? l->run.state : NULL); /* a run of no steps has no state */
  save.keep = l->o->save.keep;
  if (status == SKP_OK && save.keep) status = skp__run_numbered(&save.numbered, &l->run, l->at.step);
  return hand_over(l, &save, status);
}

skp_status skp__keep_all(struct skp__loop *l) {
  skp_status status = skp__back_mark(l);
  if (status == SKP_OK) status = l->o->out ? write_all(l) : only_check(l, "");
  if (status == SKP_OK) l->saved = l->at.step;
  if (status == SKP_OK) l->unsaved = false;
  l->saved_at = skp__clock();
  return status;
}

bool skp__keep_late(const struct skp__loop *l) {
  const double seconds = l->o->save.seconds;
  const bool unknown = l->run.lost && !l->saver.busy && !l->saver.stated; /* that is lost, to the state that is there */
  return unknown || (seconds > 0 && skp__clock() - l->saved_at >= seconds);
}

bool skp__keep_due(const struct skp__loop *l, int64_t steps) {
  const struct skp_save_options *when = &l->o->save;
  int64_t epoch_steps = l->at.epoch_steps + l->stepper.queued - l->at.step;
  if (when->epochs && epoch_steps == steps && (l->at.epoch + 1) % when->epochs == 0) return true;
  if (when->steps && l->stepper.queued % when->steps == 0) return true;
  return l->wishes & SKP_WISH_SAVE;
}
