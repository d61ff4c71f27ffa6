/* tracer.h: a trace (base/trace.h) of some steps, with what the device does in them. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_STEP_TRACER_H
#define SKP_TRAIN_STEP_TRACER_H

#include "backend/backend.h"

struct skp__tracer {     /* begins all zero */
  struct skp_backend *b; /* NULL: nothing is recorded */
  const char *path;      /* NULL: it was never started */
  int64_t left;          /* steps */
  bool unwritten;        /* the disk was full */
};
/* From now on, for so many steps; 0: none are. The path is the caller's and stays. A tracer starts once: again it does
 * nothing, as where a run goes back to its first step. */
skp_status skp__tracer_start(struct skp__tracer *t, struct skp_backend *b, const char *path, int64_t steps);
/* A step is done; after the last the file is written. */
skp_status skp__tracer_step(struct skp__tracer *t);
/* There are no more steps: writes the file, if that was not done, or in vain. */
skp_status skp__tracer_stop(struct skp__tracer *t);
/* After a failure: no file. */
void skp__tracer_drop(struct skp__tracer *t);

#endif
