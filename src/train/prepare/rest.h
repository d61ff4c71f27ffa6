/* rest.h: whether a run at rest is the one that is meant. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_PREPARE_REST_H
#define SKP_TRAIN_PREPARE_REST_H

#include "train/checkpoint/resume.h"

struct skp__said {               /* of the run; NULL: nothing */
  const char *model;             /* the file that it began with */
  const struct skp_setting *set; /* its settings, and those of the model's name */
  size_t sets;
  const char *data; /* where its images are now */
};
/* SKP_USAGE if it was another, SKP_IO if its images are nowhere. Its recipe says from then on where they are. */
skp_status skp__rest_check(struct skp_resume *r, const char *dir, const struct skp__said *said);

#endif
