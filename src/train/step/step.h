/* step.h: steps of a network on a device, for all who make some: training, the finder of learning rates, evaluation and
 * bench. SPDX-License-Identifier: MIT
 *
 *   open (plans that fit) ─> first ─> queue … [ up to SKP_STEPS_AHEAD steps on the device ] … retire ─> close
 *
 * The host never waits for the step it has just queued, so the device always has the next one. What a queued step still
 * reads (images, numbers) and writes (its loss, its logits) lies in a struct skp__step until it is retired. Where ranks
 * train together it waits in each step for the gradients, which are exchanged before the update. */
#ifndef SKP_TRAIN_STEP_STEP_H
#define SKP_TRAIN_STEP_STEP_H

#include "train/session/micro_batch.h"
#include "train/session/values.h"
#include "train/step/exchange.h"
#include "train/step/lead.h"
#include "train/step/sync.h"

/* Steps that are queued ahead of the oldest that is not retired: enough to keep a device busy while the host logs. */
enum { SKP_STEPS_AHEAD = 3 };

struct skp__step {
  struct skp_batch *batch; /* its images; NULL: those that are on the device */
  int64_t n;               /* how many, those of all ranks */
  double lr;
  int64_t number; /* of the run's, from 0 */
  float loss;     /* of training: the mean, once it is retired */
  float broken;   /* not 0: the loss or a gradient is not finite, and nothing was updated; sound: neither is so */
  bool sound;
  float *logits; /* of evaluation: [n, classes], once it is retired */
  struct skp_hyper hyper;
  float ema_scales[2];
  struct skp__micro_batch *micro; /* [micro.most] */
  uint64_t ticket;
};

struct skp__stepper {
  struct skp_session *s;
  bool trains;             /* else it evaluates */
  struct skp__micro micro; /* in which a step's images go through the network */
  uint64_t seed;           /* of what is drawn in training */
  bool bytes;              /* images come as bytes, see loader.h */
  int64_t judged;          /* images that a training is judged by: their plans must fit, too */
  bool judged_bytes;       /* these come as bytes */
  FILE *say;               /* where it is said that steps are cut; NULL: nowhere */
  void *user;              /* of: */
  /* Sets the batch and the learning rate of the next step; step->batch may be that of an earlier step that was not
   * given back. */
  skp_status (*take)(void *user, struct skp__step *step);
  /* The first step begins again, in smaller micro-batches: what feeds the steps must, too. NULL: its batch stays as it
   * is. */
  skp_status (*again)(void *user);
  /* The first step: it is not, or no longer, under way; nothing that outlives it has changed so far; it has,
   * or may have in another rank. */
  enum { SKP_STEP_DONE, SKP_STEP_TRIED, SKP_STEP_CHANGED } tried;
  int64_t queued, done; /* steps of the whole run */
  struct skp__exchange exchange;
  struct skp__lead lead;
  struct skp__sync sync;
  struct skp__step step[SKP_STEPS_AHEAD];
};

/* Makes all plans of the steps, so that a lack of memory shows before any step runs; cuts the steps into micro-batches
 * as small as the memory demands. `st` has its fields up to `again`. skp__stepper_close also after a failure. */
skp_status skp__stepper_open(struct skp__stepper *st);
void skp__stepper_close(struct skp__stepper *st);
/* Of a training as the recipe says, on so many images an epoch (INT64_MAX: all batches are full). */
skp_status skp__stepper_train(struct skp__stepper *st, struct skp_session *s, int64_t images);
/* Of an evaluation of so many images by `batch`. */
void skp__stepper_evaluate(struct skp__stepper *st, struct skp_session *s, int64_t images, int64_t batch);

/* The first step of a process, done when it returns. Some drivers find memory only when a kernel runs, and say so then:
 * as long as it has changed no weights it begins again in smaller micro-batches. */
skp_status skp__stepper_first(struct skp__stepper *st);
/* Queues a step. There must be room: skp__stepper_full. */
skp_status skp__stepper_queue(struct skp__stepper *st);
bool skp__stepper_full(const struct skp__stepper *st);
/* Waits for the oldest queued step; its results and its batch are in *out until the next is queued. */
skp_status skp__stepper_retire(struct skp__stepper *st, struct skp__step **out);
/* Makes a retired step again that changed nothing, as long as its batch is there and no other was queued: for each of
 * its plans what the host writes is written, then `run` does with it what it wants, but does not update. */
typedef skp_status (*skp__run_piece)(void *user, struct skp_plan *plan, int64_t k);
skp_status skp__stepper_again(struct skp__stepper *st, struct skp__step *step, skp__run_piece run, void *user);
/* The k-th plan that a full step runs; NULL past the last. */
skp_status skp__stepper_plan(struct skp__stepper *st, int64_t k, struct skp_plan **out);

#endif
