/* sync.h: batchnorms that learn from the images of all ranks, while a step runs. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_STEP_SYNC_H
#define SKP_TRAIN_STEP_SYNC_H

#include "train/session/session.h"

/* Begins all zero. */
struct skp__sync {
  struct skp_session *s;
  int64_t left;          /* exchanges of the step in hand that are still to come */
  bool told;             /* it has failed, and all ranks know */
  int64_t room;          /* channels that there is room for */
  float *values;         /* [4, room], what an exchange reads, then writes */
  double *message, *all; /* [1 + 2 room] of this rank; of all */
};

/* Before a step's first run of a plan; `runs`: of the rank that has most. */
void skp__sync_begin(struct skp__sync *x, struct skp_session *s, const struct skp_plan *p, int64_t runs);
/* Node n of a plan is queued: the exchange behind it, if there is one. */
skp_status skp__sync_after(struct skp__sync *x, struct skp_plan *p, size_t n);
/* A rank has no images for a run of the others: it takes part in their exchanges. */
skp_status skp__sync_idle(struct skp__sync *x, struct skp_plan *p);
/* After the runs, of which this is how they went: so that nobody waits for a rank that failed. */
skp_status skp__sync_end(struct skp__sync *x, skp_status status);
void skp__sync_close(struct skp__sync *x);

#endif
