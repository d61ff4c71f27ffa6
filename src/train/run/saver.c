/* saver.c: writing what was saved in a thread of its own. SPDX-License-Identifier: MIT */
#include "train/run/saver.h"
#include "base/thread.h"
#include "base/trace.h"
#include <stdlib.h>
#include <string.h>

void skp__save_free(struct skp__save *save) {
  free(save->numbered);
  skp__values_free(&save->values);
  skp__metadata_free(&save->meta);
  *save = (struct skp__save){.model = NULL};
}

static skp_status write_weights(const struct skp__save *save, const char *path) {
  return skp__checkpoint_write(path, save->model, &save->extra, save->params, save->state);
}

/* The state comes last: weights may be of a later step than the state beside them, never of an earlier one, so that
 * those of a finished run are the final ones. */
static skp_status write_files(struct skp__save *save) {
  if (save->numbered) {
    SKP_TRY(write_weights(save, save->numbered));
    free(save->numbered);
    save->numbered = NULL;
    skp__run_prune(save->run, save->extra.steps, save->keep);
  }
  if (save->weights) SKP_TRY(write_weights(save, save->weights));
  if (!save->state_path) return SKP_OK;
  return skp__state_write(save->state_path, &save->values, &save->meta);
}

skp_status skp__saver_pay(struct skp__saver *s) {
  for (int k = 0; k < SKP_OWED; k++) {
    if (!s->owed[k].model) continue;
    SKP_TRY(write_files(&s->owed[k]));
    skp__save_free(&s->owed[k]);
  }
  return SKP_OK;
}

static void owe(struct skp__saver *s, int kind) {
  skp__save_free(&s->owed[kind]);
  s->owed[kind] = s->save;
  s->save = (struct skp__save){.model = NULL};
}

/* Of the latest save the rest is written anew by the next one. */
static void owe_numbered(struct skp__saver *s) {
  owe(s, SKP_OWED_NUMBERED);
  s->owed[SKP_OWED_NUMBERED].weights = s->owed[SKP_OWED_NUMBERED].state_path = NULL;
}

/* What is owed comes first: a state that tells of best weights is never ahead of them. What a run wrote of steps that
 * it went back behind is none of its files. */
static skp_status write_all(struct skp__saver *s) {
  struct skp__save *numbered = &s->owed[SKP_OWED_NUMBERED];
  if (numbered->extra.steps > s->save.extra.steps) skp__save_free(numbered);
  skp_status status = skp__saver_pay(s);
  if (status == SKP_OK) status = write_files(&s->save);
  s->stated = s->stated || (status == SKP_OK && s->save.state_path);
  if (status != SKP_DISK_FULL) return status;
  if (s->save.best)
    owe(s, SKP_OWED_BEST);
  else if (s->save.numbered)
    owe_numbered(s);
  return status;
}

/* Errors' texts belong to the thread where they arise. */
static void *work(void *user) {
  struct skp__saver *s = user;
  const double begin = skp__trace_begin();
  s->status = write_all(s);
  skp__trace_end("saver", "write files", begin);
  s->error = s->status == SKP_OK ? NULL : skp__error_keep();
  skp__save_free(&s->save);
  atomic_store(&s->done, true);
  return NULL;
}

static void *work_beside(void *user) {
  skp__trace_thread("saver");
  return work(user);
}

/* How the work went, with its error's text. */
static skp_status outcome(struct skp__saver *s) {
  if (s->status == SKP_OK) return SKP_OK;
  skp__fail(s->status, "A file could not be written.");
  return skp__error_restore(s->status, s->error);
}

skp_status skp__saver_wait(struct skp__saver *s) {
  if (!s->busy) return SKP_OK;
  pthread_join(s->thread, NULL);
  s->busy = false;
  return outcome(s);
}

bool skp__saver_owes_best(const struct skp__saver *s) { return s->owed[SKP_OWED_BEST].model; }

void skp__saver_close(struct skp__saver *s) {
  for (int k = 0; k < SKP_OWED; k++) skp__save_free(&s->owed[k]);
}

skp_status skp__saver_settle(struct skp__saver *s, skp_status status) {
  if (status == SKP_OK) return skp__saver_wait(s);
  char *kept = skp__error_keep();
  (void)skp__saver_wait(s);
  return skp__error_restore(status, kept);
}

skp_status skp__saver_look(struct skp__saver *s) {
  return s->busy && atomic_load(&s->done) ? skp__saver_wait(s) : SKP_OK;
}

skp_status skp__saver_start(struct skp__saver *s, struct skp__save *save) {
  skp_status status = skp__saver_wait(s);
  if (status != SKP_OK) {
    skp__save_free(save);
    return status;
  }
  s->save = *save;
  if (save->best) skp__save_free(&s->owed[SKP_OWED_BEST]); /* these are better ones */
  atomic_store(&s->done, false);
  s->busy = !skp__thread_start(&s->thread, work_beside, s);
  if (s->busy) return SKP_OK;
  work(s); /* no thread to be had: here and now */
  return outcome(s);
}
