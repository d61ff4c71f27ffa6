/* state.h: a training run at rest, from which it goes on to the same bits. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_STATE_H
#define SKP_TRAIN_STATE_H

#include "train/session.h"

/* X(kind, field): where a run stands. */
#define SKP_POSITION_LIST(X)                                                                                           \
  X(INT, step)        /* updates done */                                                                               \
  X(INT, epoch)       /* closed epochs: the present one, from 0 */                                                     \
  X(INT, epoch_steps) /* updates in the present epoch */                                                               \
  X(INT, images)      /* in it so far */                                                                               \
  X(REAL, loss_sum)   /* over them */                                                                                  \
  X(REAL, best)       /* score of best.safetensors: accuracy, or minus the training loss; -INFINITY: none yet */       \
  X(INT, best_epoch)  /* closed epochs when it was reached */                                                          \
  X(REAL, seconds)    /* spent on the run */                                                                           \
  X(INT, log_bytes)   /* what log.jsonl and results.csv held */                                                        \
  X(INT, table_bytes)                                                                                                  \
  X(INT, finished) /* 1: everything was done that was asked for */

typedef int64_t skp__position_INT;
typedef double skp__position_REAL;
struct skp__position {
#define X(kind, field) skp__position_##kind field;
  SKP_POSITION_LIST(X)
#undef X
};

/* Where a run begins. */
struct skp__position skp__position_start(void);
/* Where the run of a state stands. */
skp_status skp__resume_position(struct skp__position *at, const struct skp_resume *r);
/* Whether there is nothing left to train. */
bool skp__position_complete(const struct skp__position *at, const struct skp_recipe *r, int64_t max_steps);

/* What a run is made of, as JSON: all that must be the same when it goes on, and its limits. cJSON_free() it. */
skp_status skp__state_describe(char **out, const struct skp_model *m, const struct skp_data *data,
                               const struct skp_train_options *o);
/* Writes state.safetensors: the store's buffers, what a checkpoint's metadata says, `run` as described and its position. Whole in
 * itself: no other file of the run is needed to go on, so none has to be of the same moment. */
skp_status skp__state_save(const char *path, struct skp_session *s, const struct skp_checkpoint_extra *extra,
                           const char *run, const struct skp__position *at);
/* Puts a state's values back. The training plans must have been made: they have made the store's buffers. */
skp_status skp__state_restore(const struct skp_resume *r, struct skp_session *s);

#endif
