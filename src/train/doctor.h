/* doctor.h: why a step of a training is not finite, and what helps, in words. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_DOCTOR_H
#define SKP_TRAIN_DOCTOR_H

#include "base/text.h"
#include "train/step.h"

/* The step, as skp__examine wants it, and where its images come from. */
struct skp__patient {
  struct skp__stepper *st;
  struct skp__step *step;
  const struct skp_loader *loader;
  const struct skp_source *source;
};
/* Adds sentences. SKP_DEVICE: the device or its driver did it; SKP_NUMERIC: it did not, or nobody knows. Never fails: a
 * step that cannot be made again is told of. */
skp_status skp__doctor(struct skp__text *out, const struct skp__patient *p);
/* Adds what is good against numbers that grow. */
void skp__doctor_advise(struct skp__text *out, const struct skp_recipe *r, double lr);

#endif
