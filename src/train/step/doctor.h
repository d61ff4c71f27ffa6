/* doctor.h: why a step of a training is not finite, and what helps, in words. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_STEP_DOCTOR_H
#define SKP_TRAIN_STEP_DOCTOR_H

#include "base/text.h"
#include "train/step/step.h"

/* The step, as skp__examine wants it, and where its images come from. */
struct skp__patient {
  struct skp__stepper *st;
  struct skp__step *step;
  const struct skp_loader *loader;
  const struct skp_source *source;
};
/* What going back to earlier weights is good for. */
typedef enum skp__remedy {
  SKP_REMEDY_NONE,   /* nothing: it would come again */
  SKP_REMEDY_AGAIN,  /* the same steps once more */
  SKP_REMEDY_SMALLER /* those with a smaller learning rate */
} skp__remedy;

struct skp__diagnosis {
  struct skp__text why, advice; /* sentences, each with a space before it; of advice perhaps none */
  skp_status status;            /* SKP_DEVICE: the device or its driver did it; else SKP_NUMERIC */
  skp__remedy remedy;
};
/* Never fails: of a step that cannot be made again that is told. */
void skp__doctor(struct skp__diagnosis *out, const struct skp__patient *p);
/* What can be said of numbers that are not finite, without a step. */
void skp__doctor_guess(struct skp__diagnosis *out, const struct skp_recipe *r, double lr);

#endif
