/* loop.h: a training run in progress, for the files that make it go on, each of which needs only those after it.
 * SPDX-License-Identifier: MIT
 *
 *   loop.c (epochs, steps) ─> alike.c, shares.c (of several ranks)
 *     │                    └─> score.c (what weights are worth) ─> keep.c (saving) ─> broken.c (what is not finite)
 *     │                                                             └─> back.c (going back)
 *     └─> tell.c (for people) ─> pace.c (how fast) */
#ifndef SKP_TRAIN_RUN_LOOP_H
#define SKP_TRAIN_RUN_LOOP_H

#include "train/run/result.h"
#include "train/run/saver.h"
#include "train/step/diagnose.h"
#include "train/step/step.h"
#include "train/step/tracer.h"

/* Where a run can go back to: what its state on the disk would hold at the latest save, or at the latest end of
 * an epoch. */
struct skp__mark {
  bool set;
  struct skp__position at;
  struct skp__values values;
};

struct skp__loop {
  struct skp_session *s;
  struct skp__stepper stepper;
  const struct skp_data *data;
  const struct skp_train_options *o;
  struct skp_loader *loader;
  struct skp__run run;
  struct skp__saver saver;
  struct skp__tracer tracer;
  char *described; /* what the run is made of: see skp__state_describe */
  struct skp_train_result *result;
  struct skp_prediction *predictions; /* of the latest evaluation; room for the larger of the sets that judge */
  struct skp__position at;            /* after the steps whose result the host has */
  int64_t first,
      saved;       /* the step with which this process began; the one whose weights last.safetensors holds, -1: none */
  char *unwritten; /* the latest error of writing a file that did not end the run; NULL: there was none */
  int64_t refused; /* how many there were */
  bool unsaved;    /* something happened since */
  unsigned wishes; /* what this process, or one of its ranks, wanted of all when they met last */
  struct skp__mark mark;  /* see there */
  skp__retry retry;       /* not NEVER: the failure that is on its way up is one for which the run goes back */
  double lr;              /* of the last step */
  double start, saved_at; /* of this process; the last save: on the clock */
  double earlier;         /* seconds that the run took before this process */
  double began;           /* the epoch, as far as its pace is concerned: */
  int64_t unpaced;        /* images from before, whose step compiled the kernels */
  double entered;         /* when this process began with the epoch */
  int64_t before;         /* its images from before */
  double waited;          /* for data since then */
};

/* ---- alike.c ---------------------------------------------------------------------------------------------------- */

/* SKP_USAGE, with what it is, where ranks are not to train the same network in the same way; have not the same values.
 */
skp_status skp__alike_run(const struct skp__loop *l);
/* Whether all devices are of one name; the session learns whether they round differently. */
skp_status skp__alike_devices(bool *names, struct skp__loop *l);
skp_status skp__alike_values(const struct skp__loop *l);

/* ---- shares.c --------------------------------------------------------------------------------------------------- */

/* The images of each rank, in numbers (session/shares.h); NULL: all have as many. Measures them where that is wanted,
 * or devices are not `alike` by name. free() it. */
skp_status skp__shares_settle(char **out, struct skp_session *s, const struct skp_data *data,
                              const struct skp_train_options *o, bool alike);

/* ---- score.c ---------------------------------------------------------------------------------------------------- */

/* The images by which an epoch is judged; NULL: there are none. */
const struct skp_source *skp__score_by(const struct skp__loop *l);
/* Tests the network, takes its weights if they are the best so far, and tells the schedule. `e` has its epoch and its
 * training loss, and gets what the test found. */
skp_status skp__score_epoch(struct skp__loop *l, struct skp__run_epoch *e);
/* At the end of a run that is complete. Where some training images judged each epoch, the test images are used once,
 * for the weights that they found best. A run that went on and became no better has forgotten where its best weights
 * err: it looks again. */
skp_status skp__score_best(struct skp__loop *l);

/* ---- keep.c ----------------------------------------------------------------------------------------------------- */

/* Hands a failure on unless it is a full disk, which ends nothing: the earlier files are there, and the next save tries
 * again. It is said once, and makes the run fail in the end. */
skp_status skp__keep_bear(struct skp__loop *l, skp_status status);
/* The failure of a run that is done but for that; SKP_OK: there was none. */
skp_status skp__keep_outcome(const struct skp__loop *l);
/* The weights alone to a file; NULL: none is written. */
skp_status skp__keep_weights(struct skp__loop *l, const char *path);
/* All with which the run goes on, as far as it has a folder. */
skp_status skp__keep_all(struct skp__loop *l);
/* Whether it is so long ago that it is to be done again, or the run could not go on from the state that is there. */
bool skp__keep_late(const struct skp__loop *l);
/* Whether that is to be done once all queued steps are, of so many an epoch. */
bool skp__keep_due(const struct skp__loop *l, int64_t steps);

/* ---- broken.c --------------------------------------------------------------------------------------------------- */

/* A step that is not finite has changed nothing: it is left out, or ends the run, with what diagnose.h finds:
 * SKP_NUMERIC or SKP_DEVICE; or l->retry says that the run is to go back. */
skp_status skp__broken_step(struct skp__loop *l, struct skp__step *step);
/* The same where `what` left the finite numbers after a step. */
skp_status skp__broken_fail(struct skp__loop *l, int64_t step, const char *what);

/* ---- back.c ----------------------------------------------------------------------------------------------------- */

/* The present values and position become those to which the run goes back, where it does such a thing. */
skp_status skp__back_mark(struct skp__loop *l);
/* The present values, where they are the mark's, which are finite, for one more to hold; false: they are not. */
bool skp__back_share(const struct skp__loop *l, struct skp__values *out);
/* Values, position and logs are those of the mark; l->retry is done. Batches are still to come from where that is. */
skp_status skp__back_go(struct skp__loop *l);
/* From here on it does not go back. */
void skp__back_forget(struct skp__loop *l);

/* ---- tell.c ----------------------------------------------------------------------------------------------------- */

void skp__tell_begin(const struct skp__loop *l);
void skp__tell_step(const struct skp__loop *l, double loss);
void skp__tell_epoch(const struct skp__loop *l, const struct skp__run_epoch *e);
/* What ended it, and what was left out, in words. */
void skp__tell_end(const struct skp__loop *l);
/* How it ended, for the caller. */
void skp__tell_result(const struct skp__loop *l);

/* ---- pace.c ----------------------------------------------------------------------------------------------------- */

/* All that this process does in the present epoch begins. */
void skp__pace_enter(struct skp__loop *l);
/* From here on images a second are counted: at an epoch's start, and again after the first step, which compiles. */
void skp__pace_begin(struct skp__loop *l);
/* Images a second in this epoch; 0 while nothing can be said. At its end something can be. */
double skp__pace_images(const struct skp__loop *l);
double skp__pace_epoch(const struct skp__loop *l);
/* The fraction of the time in the epoch in which the device had nothing to do for want of data. */
double skp__pace_wait(const struct skp__loop *l);
/* Seconds of this process. */
double skp__pace_elapsed(const struct skp__loop *l);
/* The mean loss of the images of the epoch so far; NaN: none has a finite one. */
double skp__pace_loss(const struct skp__loop *l);

#endif
