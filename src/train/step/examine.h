/* examine.h: a step that is not finite, made again op by op: which value left the finite numbers first, and whether
 * plain C makes the same of the same inputs. SPDX-License-Identifier: MIT
 *
 *   images, weights ─> each op in turn, until one makes something that is not finite ─> once more up to there: what it
 *   reads and makes, beside plain C */
#ifndef SKP_TRAIN_STEP_EXAMINE_H
#define SKP_TRAIN_STEP_EXAMINE_H

#include "train/step/step.h"
#include "verify/case.h"

/* What some values are like. */
struct skp__numbers {
  double most;     /* the largest finite magnitude, */
  int64_t most_at; /* and where */
  int64_t n, lost; /* how many there are; are not finite */
  int64_t lost_at; /* where the first of these is */
};

typedef enum skp__finding {
  SKP_FOUND_NOTHING,    /* made again, all of it was finite */
  SKP_FOUND_LATE,       /* making it again took too long */
  SKP_FOUND_MOVED,      /* later steps have changed the weights meanwhile */
  SKP_FOUND_IMAGES,     /* images are not finite */
  SKP_FOUND_WEIGHTS,    /* weights were not before the step */
  SKP_FOUND_LARGE,      /* the place, but its values are too many to be held beside plain C */
  SKP_FOUND_ONCE,       /* the place, but the second time it made finite numbers */
  SKP_FOUND_SPOILT,     /* the place; an input was finite when it was made, and is not any more */
  SKP_FOUND_ARITHMETIC, /* the place, and plain C makes the same */
  SKP_FOUND_OVERFLOW,   /* the place; plain C sums in double, and numbers so large are beyond what float sums hold */
  SKP_FOUND_DEVICE      /* the place, and plain C makes finite numbers of the same */
} skp__finding;

enum { SKP_EXAMINE_SECONDS = 60 }; /* at most, and what is being done then */

struct skp__examination {
  skp__finding finding;
  struct skp__numbers images;      /* of the step, as the network sees them */
  const struct skp_tensor *weight; /* of the model: the first that is not finite, else the one that has grown most */
  struct skp__numbers weights;     /* its values */
  double fresh;                    /* the largest magnitude that it begins with, about */
  /* The place. NULL: not found. */
  struct skp_plan *plan;
  size_t node;
  int output;
  struct skp__numbers made, read[2]; /* that output; the two inputs with the largest numbers, */
  int input[2];                      /* and which they are, -1: none */
  int spoilt;                        /* the input that is not what it was */
  struct skp__verdict verdict;
};

/* Of a retired step of a training that changed nothing; its batch must be there. The state of the session is as before
 * when it returns. Failures are those of the device. */
skp_status skp__examine(struct skp__examination *e, struct skp__stepper *st, struct skp__step *step);

#endif
