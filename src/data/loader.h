/* loader.h: from a source to batches ready for the device: order, threads, augmentation, a ring of batches.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_DATA_LOADER_H
#define SKP_DATA_LOADER_H

#include "data/source.h"

struct skp_loader_options {
  int size;     /* side of the square images delivered; 0: as stored */
  int resize;   /* shorter side of the images from which those are cut, at least size; 0: the same */
  int channels; /* of them, 1 or 3; 0: as stored */
  int64_t batch;
  bool shuffle;   /* a fresh permutation for each epoch, from (seed, epoch) */
  int64_t images; /* of an epoch, those after them in its order being left out; 0: all */
  int64_t from;   /* and so many before them */
  int64_t share;  /* of each batch only so many are delivered, as they would be in the whole; 0: all */
  int64_t first;  /* from this one on */
  bool
      wrap; /* true: the last batch of an epoch is filled up with the epoch's first samples; false: it may be smaller */
  bool balanced; /* each class that has images comes equally often, see balance.c; else each image once an epoch */
  bool stand_in; /* the next sound sample takes the place of a damaged one; false: it comes black and without a label */
  uint64_t seed;
  int64_t epochs; /* after which nothing is prepared any more; 0: there is no end */
  int64_t start; /* batches that are skipped: the first to come is number `start`, as if all before it had been taken */
  float mean[4],
      std[4]; /* per channel, after division by 255: (x/255 - mean) / std; n_norm of them, the last repeats */
  int n_norm; /* 0: mean 0, std 1 */
  bool bytes; /* images come as bytes, not normalised: the augmentation keeps them, and there are no floats */
  struct skp_augment augment; /* of each image, from (seed, epoch, its number) */
  int threads;                /* workers, at least 1 */
  int depth;                  /* batches kept ready, at least 2 */
};

struct skp_batch {
  int64_t n;            /* samples in it, none perhaps where there are shares */
  int64_t whole, first; /* those of the whole batch; the number of its first one among them */
  float *x;             /* {n, H, W, C}; NULL: */
  uint8_t *bytes;       /* the same, if the options ask for bytes */
  int32_t *labels;      /* {n} */
  int64_t *samples;     /* {n}, which of its source's each is: the one that stood in; of mixed ones, the first */
  int32_t *other;       /* {n}, of images that were mixed in; NULL where none are */
  float *lambda;        /* {n} weight of the first label, the larger one; NULL with `other` */
  int64_t epoch, index; /* which one */
};

struct skp_loader;
/* Threads for one unless something else is said: as many as there are cores, 4 at most,
 * as they sleep while enough batches are ready. */
int skp__loader_workers(void);
/* Starts the workers. The source stays the caller's and must outlive the loader. */
skp_status skp__loader_create(struct skp_loader **out, const struct skp_source *source,
                              const struct skp_loader_options *options);
void skp__loader_destroy(struct skp_loader *l);          /* stops the workers; NULL is fine */
int64_t skp__loader_batches(const struct skp_loader *l); /* per epoch */
/* The next batch, in order, across epochs, without end unless the options set one. It stays valid until it is given
 * back, in any order. At most depth - 1 may be held. Adds the seconds spent waiting to *waited (may be NULL). A sample
 * that cannot be read fails here, at its batch, and at each call from then on. */
skp_status skp__loader_next(struct skp_loader *l, struct skp_batch **out, double *waited);
void skp__loader_give_back(struct skp_loader *l, struct skp_batch *batch);

#endif
