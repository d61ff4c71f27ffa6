/* find_lr.h: which learning rate suits a network: a ramp over many decades, as Smith (2017) proposed.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_FIND_LR_H
#define SKP_TRAIN_FIND_LR_H

#include "train/train.h"
#include <stdatomic.h>

struct skp_lr_point {
  double lr, loss, smooth; /* smooth: a running mean over some steps */
};

struct skp_lr_curve {
  struct skp_lr_point *at;
  int64_t n;
  bool diverged;     /* it ended early, by a loss far above the lowest */
  int lowest;        /* the point with the lowest smoothed loss */
  int steepest;      /* where it falls fastest before that; -1: it does not fall */
  double suggestion; /* the lower of the steepest point's and a tenth of the lowest's; 0 without a steepest */
};

struct skp_lr_options {
  uint64_t seed;      /* of the images' order */
  double first, last; /* learning rates */
  int64_t steps;
  int threads;            /* loader */
  FILE *say;              /* lines for people; NULL: nowhere */
  const atomic_int *stop; /* may be NULL; nonzero ends it with SKP_INTERRUPTED */
};

/* Trains with a learning rate that climbs exponentially, as the recipe says but for its schedule, until the loss
 * diverges. The session's weights and statistics are put back afterwards; its optimizer's moments are not.
 * skp__lr_curve_free also after a failure. */
skp_status skp__find_lr(struct skp_lr_curve *out, struct skp_session *s, const struct skp_source *train,
                        const struct skp_lr_options *o);
void skp__lr_curve_free(struct skp_lr_curve *c);
/* Finds lowest, steepest and the suggestion in the points of a curve. */
void skp__lr_curve_judge(struct skp_lr_curve *c);
/* Writes step, lr, loss and smoothed loss as CSV. */
skp_status skp__lr_curve_write(const struct skp_lr_curve *c, const char *path);

#endif
