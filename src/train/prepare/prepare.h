/* prepare.h: all of a training run that can be checked and said before a device is opened.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_PREPARE_PREPARE_H
#define SKP_TRAIN_PREPARE_PREPARE_H

#include "train/prepare/fit.h"
#include "train/prepare/sets.h"

/* Begins all zero, ends with skp__prepared_free. */
struct skp__prepared {
  struct skp__sets sets;
  int64_t without;          /* classes that have no images to train on */
  int64_t frozen;           /* parameters that the recipe leaves as they are */
  int64_t pieces;           /* micro-batches of this rank in a full step; 0: there are no steps */
  struct skp__text remarks; /* lines about network and data */
};
/* Whether recipe and limits can be trained by, and what is frozen. */
skp_status skp__prepare_recipe(struct skp__prepared *p, const struct skp_model *m, const struct skp_train_options *o);
/* Whether the parts of the data (NULL: there are none) fit the network; makes sets of them, and says in the recipe how
 * many images are held out. */
skp_status skp__prepare_data(struct skp__prepared *p, struct skp_model *m, skp__classes origin,
                             struct skp_source *const part[SKP_SPLITS], const struct skp_train_options *o);
void skp__prepared_free(struct skp__prepared *p);

#endif
