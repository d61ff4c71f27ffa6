/* position.h: where a training run stands. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_CHECKPOINT_POSITION_H
#define SKP_TRAIN_CHECKPOINT_POSITION_H

#include "io/log.h"
#include "train/checkpoint/resume.h"
#include "train/step/schedule.h"

/* Where a run stands. */
struct skp__position {
  int64_t step;        /* updates done */
  int64_t epoch;       /* closed epochs: the present one, from 0 */
  int64_t epoch_steps; /* updates in the present epoch */
  int64_t images;      /* in it so far */
  double loss_sum;     /* over them */
  double best;         /* score of best.safetensors: accuracy, or minus the training loss; -INFINITY: none yet */
  int64_t best_epoch;  /* closed epochs when it was reached */
  struct skp__plateau plateau;
  double seconds;                 /* spent on the run */
  int64_t log_bytes, table_bytes; /* what log.jsonl and results.csv held */
  struct skp_log_sums log, table; /* which ones they are */
  int64_t skipped, in_a_row;      /* steps that were left out, as they were not finite; the latest of them */
  int64_t lost;                   /* images of the present epoch that have no finite loss */
  int64_t rollbacks, cuts;        /* times that the run went back; that its learning rates were halved then */
  int64_t finished;               /* 1: everything was done that was asked for */
};
enum { SKP_ROLLBACKS = 5 }; /* times that a run goes back, before it ends */
/* X(kind, field): all of it, as state.safetensors keeps it. INT: whole, from 0 on; COUNT: the same, of which earlier
 * builds knew nothing; REAL: finite, or unsaid; AMOUNT: the same, from 0 on. */
#define SKP_POSITION_LIST(X)                                                                                           \
  X(INT, step)                                                                                                         \
  X(INT, epoch)                                                                                                        \
  X(INT, epoch_steps)                                                                                                  \
  X(INT, images)                                                                                                       \
  X(REAL, loss_sum)                                                                                                    \
  X(REAL, best)                                                                                                        \
  X(INT, best_epoch)                                                                                                   \
  X(AMOUNT, plateau.lr)                                                                                                \
  X(REAL, plateau.best)                                                                                                \
  X(INT, plateau.bad)                                                                                                  \
  X(AMOUNT, seconds)                                                                                                   \
  X(INT, log_bytes)                                                                                                    \
  X(INT, table_bytes)                                                                                                  \
  X(COUNT, log.first)                                                                                                  \
  X(COUNT, log.last)                                                                                                   \
  X(COUNT, table.first)                                                                                                \
  X(COUNT, table.last)                                                                                                 \
  X(COUNT, skipped)                                                                                                    \
  X(COUNT, in_a_row)                                                                                                   \
  X(COUNT, lost)                                                                                                       \
  X(COUNT, rollbacks)                                                                                                  \
  X(COUNT, cuts)                                                                                                       \
  X(INT, finished)

/* Where a run begins. */
struct skp__position skp__position_start(void);
/* As an object, with the names of the list; NULL: out of memory. */
cJSON *skp__position_json(const struct skp__position *at);
/* Where the run of a state stands. */
skp_status skp__resume_position(struct skp__position *at, const struct skp_resume *r);
/* Whether there is nothing left to train; early: because the results have not become better for too long. */
bool skp__position_early(const struct skp__position *at, const struct skp_recipe *r);
bool skp__position_complete(const struct skp__position *at, const struct skp_recipe *r, int64_t max_steps);

/* What learning rates are multiplied by after so many cuts. */
double skp__position_lr(int64_t cuts);

/* Whether the position is one that a run passes whose epochs have so many steps and images. */
bool skp__position_fits(const struct skp__position *at, int64_t steps, int64_t batch, int64_t images);

#endif
