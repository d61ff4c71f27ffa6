/* find_lr.h: which learning rate suits a network: a ramp over many decades, as Smith (2017) proposed.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_MEASURE_FIND_LR_H
#define SKP_TRAIN_MEASURE_FIND_LR_H

#include "skipper/tools.h"
#include "train/session/session.h"
#include <stdatomic.h>

struct skp_lr_curve {
  struct skp_lr_point *at;
  int64_t n;
  bool diverged;     /* it ended early, by a loss far above the lowest */
  int lowest;        /* the point with the lowest smoothed loss before it climbs again */
  double suggestion; /* a rate well below that; 0 if the fall is no more than noise */
};

struct skp_lr_options {
  uint64_t seed;      /* of the images' order */
  double first, last; /* learning rates */
  int64_t steps;
  int threads;            /* loader */
  FILE *say;              /* lines for people; NULL: nowhere */
  const atomic_int *stop; /* may be NULL; nonzero ends it with SKP_INTERRUPTED */
};

/* Trains a few times over with a learning rate that climbs exponentially, as the recipe says but for its schedule,
 * until the loss diverges. The session is as before then. skp__lr_curve_free also after a failure. */
skp_status skp__find_lr(struct skp_lr_curve *out, struct skp_session *s, const struct skp_source *train,
                        const struct skp_lr_options *o);
void skp__lr_curve_free(struct skp_lr_curve *c);
/* Finds what is to be said of the losses of a curve. */
void skp__lr_curve_judge(struct skp_lr_curve *c);
/* Writes step, lr, loss and smoothed loss as CSV. */
skp_status skp__lr_curve_write(const struct skp_lr_curve *c, const char *path);

#endif
