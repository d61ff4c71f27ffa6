/* aside.h: a folder that is this process's for a run, and an earlier run's files moved out of the way, and back.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_RUN_ASIDE_H
#define SKP_TRAIN_RUN_ASIDE_H

#include "base/held.h"
#include "base/names.h"
#include <stdbool.h>
#include <stdio.h>

struct skp__aside {
  const char *out;        /* the folder; the caller's */
  struct skp__held *held; /* it; NULL: not yet */
  char *earlier;          /* the folder in it that its files were moved into; NULL: there were none */
};
/* Takes a folder that is there, and sweeps up what processes that are gone left half-written. SKP_IO: another process
 * works in it. skp__aside_release also after a failure. */
skp_status skp__aside_take(struct skp__aside *a, const char *out);
/* Moves an earlier run's files into OUT/earlier-N: a folder holds one run, and none is lost. All of them or none. */
skp_status skp__aside_move(struct skp__aside *a);
/* Moves them to where they were; true: they are all there again. The present error stays. */
bool skp__aside_back(const struct skp__aside *a);
/* Removes a run's files but for numbered checkpoints. */
void skp__aside_clear(const struct skp__aside *a);
void skp__aside_release(struct skp__aside *a);

/* Appends the names of a run's files in a folder; skp__names_free also after a failure. */
skp_status skp__aside_list(skp__names *out, const char *folder);
/* Whether a run writes a file of this name. */
bool skp__aside_owns(const char *name);
/* N of step-N.safetensors, -1: another name. */
long long skp__aside_step(const char *name);

/* The file with which it is tried how much room there is: SPACE.PID.tmp. */
#define SKP_ASIDE_PROBE ".space"

#endif
