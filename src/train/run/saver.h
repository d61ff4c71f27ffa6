/* saver.h: files of weights and state, written beside the training. SPDX-License-Identifier: MIT
 *
 *   values to the host (the device waits for that alone) ─> skp__saver_start ─> a thread
 *   writes ─> the next start or wait tells how it went */
#ifndef SKP_TRAIN_RUN_SAVER_H
#define SKP_TRAIN_RUN_SAVER_H

#include "train/run/run.h"
#include <pthread.h>
#include <stdatomic.h>

/* What one save writes, in this order. Its memory is its own but for what stays as long as a run does. */
struct skp__save {
  const struct skp_model *model;
  struct skp_checkpoint_extra extra;
  struct skp__values values;   /* of the weights, or of all that the state keeps */
  const float *params, *state; /* the weights among them */
  char *numbered;              /* path of step-N.safetensors; NULL: none, or written */
  const char *weights;         /* path of last or best; NULL: neither */
  const char *state_path;      /* NULL: without what follows */
  struct skp__metadata meta;
  const struct skp__run *run; /* whose numbered checkpoints before the latest `keep` go */
  int64_t keep;
  bool best;
};
void skp__save_free(struct skp__save *save);

/* What a full disk refused, and no later save holds: it is tried again before the next. Of each kind the latest. */
enum { SKP_OWED_BEST, SKP_OWED_NUMBERED, SKP_OWED };

struct skp__saver {
  pthread_t thread;
  bool busy; /* a thread was started and not yet joined */
  atomic_bool done;
  /* The thread's while it is busy: */
  struct skp__save save, owed[SKP_OWED]; /* the latest one; of those owed, model NULL: nothing */
  skp_status status;
  char *error;
  bool stated; /* a state is on the disk */
};
/* Waits for the earlier save, and starts this one, which it takes over, on failure too.
 * Errors are those of the earlier one; where there is no thread to be had, of this one, too. */
skp_status skp__saver_start(struct skp__saver *saver, struct skp__save *save);
/* The error of the latest save if it has ended; does not wait. */
skp_status skp__saver_look(struct skp__saver *saver);
/* Waits until everything is written. */
skp_status skp__saver_wait(struct skp__saver *saver);
/* Tries again what is owed, here and now; after one of the waits. */
skp_status skp__saver_pay(struct skp__saver *saver);
/* Whether best weights are owed; after one of the waits. */
bool skp__saver_owes_best(const struct skp__saver *saver);
/* Waits at the end of a run; returns its `status`, with its text, if that is a failure. */
skp_status skp__saver_settle(struct skp__saver *saver, skp_status status);
/* Forgets what is owed; after one of the waits. */
void skp__saver_close(struct skp__saver *saver);

#endif
