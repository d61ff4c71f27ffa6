/* wire.h: what carries bytes between ranks. SPDX-License-Identifier: MIT */
#ifndef SKP_RANKS_WIRE_H
#define SKP_RANKS_WIRE_H

#include "ranks/ranks.h"

struct skp__wire {
  int rank, size;
  int place, neighbours; /* among those on this machine */
  /* `bytes` of each rank's, in the order of ranks. */
  skp_status (*gather)(struct skp__wire *w, void *all, const void *mine, size_t bytes);
  /* Piece q of `mine`, of so many bytes, goes to rank q; `got` receives the one meant for this rank from each. */
  skp_status (*deal)(struct skp__wire *w, void *got, const void *mine, size_t bytes);
  /* `bytes` of rank `from` replace those of all. */
  skp_status (*hand_out)(struct skp__wire *w, int from, void *what, size_t bytes);
  /* `together`: all others close theirs, too; else they are left. */
  void (*close)(struct skp__wire *w, bool together);
};

/* mpi.c: that of the processes which mpirun started. */
skp_status skp__wire_mpi(struct skp__wire **out, double timeout);
/* The wire is taken over, also after a failure. */
skp_status skp__ranks_on(struct skp_ranks **out, struct skp__wire *wire);

#endif
