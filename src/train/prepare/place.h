/* place.h: where a run's folder is made, and which of several is meant. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_PREPARE_PLACE_H
#define SKP_TRAIN_PREPARE_PLACE_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

struct skp__place {
  char *path;
  char *all;       /* of a run among several that differ in their seeds: the folder that path is in; else NULL */
  size_t existing; /* letters of the path that were there before */
};

/* Takes `said`, or a new folder in `runs`: NAME-N with the first N that is free. skp__place_free also after a
 * failure. */
skp_status skp__place_choose(struct skp__place *out, const char *said, const char *runs, const char *name);
/* Goes on to the folder of this seed in the one that was chosen: seed-NUMBER, as report/seeds.h reads it. */
skp_status skp__place_by_seed(struct skp__place *out, uint64_t seed);
/* Makes the folder `said`, and those above it. */
skp_status skp__place_make(struct skp__place *out, const char *said);
/* After a run that did not begin: the folders that were made for it go, unless there is something in them. A signal
 * handler may call it in the midst of choosing. Without a path it does nothing. */
void skp__place_forget(struct skp__place *f);
void skp__place_free(struct skp__place *f);

/* The run in `runs` that was saved last, in fresh memory; SKP_USAGE if there is none. */
skp_status skp__place_latest(char **out, const char *runs);

#endif
