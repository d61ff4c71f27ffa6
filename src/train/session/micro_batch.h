/* micro_batch.h: how many images go through the network at once in training. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_SESSION_MICRO_BATCH_H
#define SKP_TRAIN_SESSION_MICRO_BATCH_H

#include "model/model.h"
#include "ranks/ranks.h"
#include "train/session/shares.h"

struct skp__micro {
  int64_t images, batch; /* of a whole epoch, of a step */
  int64_t most;          /* micro-batches of a step, in each rank */
  int64_t ranks, rank;   /* the images of a step are dealt out: the first to rank 0, the next to rank 1, … */
  const char *shares;    /* so many to each, see shares.h; NULL: `most` micro-batches of the same size */
  char layer[256];       /* a batchnorm that no micro-batch of one image may reach; "": there is none */
};

/* As the recipe says, for a set of so many images, in one of the ranks (NULL: in a process alone). `shares` stay the
 * caller's; where they are no numbers, all have as many. SKP_USAGE, with what helps, if a micro-batch of a full step
 * had one image and may not, or if there are more ranks than images. */
skp_status skp__micro_plan(struct skp__micro *p, const struct skp_model *m, int64_t images,
                           const struct skp_ranks *ranks, const char *shares);
/* Images of a step that is not an epoch's last. */
int64_t skp__micro_full(const struct skp__micro *p);
/* Images of a micro-batch of this rank, all but a step's last. */
int64_t skp__micro_size(const struct skp__micro *p);
/* This rank's images of a step of n: the first of them, how many. */
struct skp__part {
  int64_t first, n;
};
struct skp__part skp__micro_part(const struct skp__micro *p, int64_t n);
/* Micro-batches that this rank has of a step of n images; that the rank with most of them has. */
int64_t skp__micro_pieces(const struct skp__micro *p, int64_t n);
int64_t skp__micro_rounds(const struct skp__micro *p, int64_t n);
/* Images that an epoch takes: all, or all but one that would be alone. */
int64_t skp__micro_epoch(const struct skp__micro *p);
/* Cuts steps into smaller micro-batches, in all ranks alike; false if they are as small as they can be. */
bool skp__micro_cut(struct skp__micro *p);

#endif
