/* diagnose.h: why a step of a training is not finite, and what helps, in words. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_STEP_DIAGNOSE_H
#define SKP_TRAIN_STEP_DIAGNOSE_H

#include "base/text.h"
#include "train/step/step.h"

/* The step, as skp__examine wants it, and where its images come from. */
struct skp__failed_step {
  struct skp__stepper *st;
  struct skp__step *step;
  const struct skp_source *source;
};
/* What going back to earlier weights is good for. */
typedef enum skp__retry {
  SKP_RETRY_NEVER,  /* nothing: it would come again */
  SKP_RETRY_SAME,   /* the same steps once more */
  SKP_RETRY_SMALLER /* those with a smaller learning rate */
} skp__retry;

struct skp__diagnosis {
  struct skp__text why, advice; /* sentences, each with a space before it; of advice perhaps none */
  skp_status status;            /* SKP_DEVICE: the device or its driver did it; else SKP_NUMERIC */
  skp__retry retry;
};
/* Never fails: of a step that cannot be made again that is told. */
void skp__diagnose(struct skp__diagnosis *out, const struct skp__failed_step *f);
/* What can be said of numbers that are not finite, without a step. */
void skp__diagnose_unseen(struct skp__diagnosis *out, const struct skp_recipe *r, double lr);

#endif
