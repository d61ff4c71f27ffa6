/* options.h: what a run is asked for; its state remembers most of it. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_CHECKPOINT_OPTIONS_H
#define SKP_TRAIN_CHECKPOINT_OPTIONS_H

#include "train/checkpoint/checkpoint.h"
#include <stdatomic.h>

struct skp_data {
  const struct skp_source *train, *valid,
      *test; /* valid, if not NULL, judges each epoch; else test does, if not NULL */
};

struct
    skp_save_options { /* when last.safetensors and state.safetensors are written: one of the first three is above 0 */
  int64_t epochs, steps;
  double seconds;
  int64_t keep; /* the latest of them that stay as step-N.safetensors */
};

struct skp_train_options {
  const char *out; /* run folder, created; an earlier run in it is moved into OUT/earlier-N. NULL: no file is written */
  const char *const *sibling; /* the folders of runs that are to differ from this one in their seeds alone */
  size_t siblings;
  FILE *say;         /* lines for people; NULL: nowhere */
  FILE *lines;       /* receives the lines of log.jsonl, and first one that says what the run is; NULL: nowhere */
  const char *trace; /* a file that receives a trace of so many steps after the first; NULL: none does */
  int64_t trace_steps;
  const char *board; /* folder for TensorBoard's event files; NULL: none are written */
  uint64_t seed;
  int64_t max_steps;  /* -1: no limit */
  double max_seconds; /* of this process; 0: no limit */
  bool shuffle;
  int threads;         /* loader */
  int64_t max_damaged; /* images that may be damaged, as the data were opened; for the run to remember */
  struct skp_save_options save;
  struct skp_checkpoint_extra extra;
  const struct skp_resume *resume; /* the state of `out`, from which the run goes on; NULL: it begins */
  struct skp_ranks *ranks; /* of this process and others, all of which train in the same way; NULL: it is alone. But for
                              the first they have no `out`, `say`, `lines`, `trace` and `board`. */
  const char *shares;      /* which of a step's images each of them has: see train/session/shares.h */
  const atomic_int *stop;  /* becomes nonzero on Ctrl-C: finish the step, save, return SKP_INTERRUPTED */
};

#endif
