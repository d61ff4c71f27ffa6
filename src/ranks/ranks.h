/* ranks.h: processes that train one network together, each on a device of its own, and what they tell each other.
 * SPDX-License-Identifier: MIT
 *
 * All ranks call the same functions in the same order. Each of them begins with a meeting, in which every rank says how
 * it is: so one that failed is heard of instead of waited for. The failure's text becomes that of all, and from then on
 * they have nothing more to say to each other.
 *
 *   ranks.c (what is said, in which order it is added) ─> wire.h (bytes) ─> mpi.c
 *
 * NULL stands for a process alone, to which all of this costs nothing. */
#ifndef SKP_RANKS_RANKS_H
#define SKP_RANKS_RANKS_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct skp_ranks;
enum { SKP_RANKS_MOST = 4096 };

/* As MPI started them; `timeout`: seconds after which one that does not answer counts as lost. SKP_UNSUPPORTED: this
 * library was built without MPI. */
skp_status skp__ranks_open(struct skp_ranks **out, double timeout);
/* `status`: how it ended for this one, so that the others hear of a failure. NULL is fine. */
void skp__ranks_close(struct skp_ranks *r, skp_status status);

int skp__ranks_rank(const struct skp_ranks *r);
int skp__ranks_size(const struct skp_ranks *r);
/* Which of those on this machine, and how many these are. */
int skp__ranks_place(const struct skp_ranks *r);
int skp__ranks_neighbours(const struct skp_ranks *r);

/* What a rank may want of all, for skp__ranks_meet. */
enum {
  SKP_WISH_STOP = 1,    /* the run is to end after the step in hand */
  SKP_WISH_LATE = 2,    /* its time is up */
  SKP_WISH_SAVE = 4,    /* it is time to save */
  SKP_WISH_SMALLER = 8, /* the device has too little memory for such a step */
};

/* A meeting alone: *wishes (NULL: none) becomes what any of them wants. `own` is how this rank is; that of a rank that
 * failed is what all get, each that failed its own. */
skp_status skp__ranks_meet(struct skp_ranks *r, skp_status own, unsigned *wishes);
/* Each rank's `bytes` of `mine`, as many of each, in the order of ranks. */
skp_status skp__ranks_gather(struct skp_ranks *r, void *all, const void *mine, size_t bytes);
/* All get what a rank has. */
skp_status skp__ranks_hand_out(struct skp_ranks *r, int from, void *what, size_t bytes);
/* Values become their sums over all ranks, added in the order of ranks: the same bits in each of them, each time. `x`
 * has room for skp__ranks_room values. */
skp_status skp__ranks_sum(struct skp_ranks *r, float *x, int64_t n);
int64_t skp__ranks_room(const struct skp_ranks *r, int64_t n);

#endif
