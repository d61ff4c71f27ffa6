/* fit.h: whether a network can learn from data. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_PREPARE_FIT_H
#define SKP_TRAIN_PREPARE_FIT_H

#include "data/source.h"
#include "model/model.h"

/* Size and channels need not be the network's: the loader makes them what it takes, if it takes 1 or 3 channels. */
skp_status skp__fit_channels(const struct skp_model *m, const struct skp_source *s);

/* How many classes a network has, for what helps where they are too few. */
typedef enum skp__classes {
  SKP__CLASSES_OF_FILE, /* the model file says so, or takes their number and was not given it */
  SKP__CLASSES_SAID,    /* who called it said so */
  SKP__CLASSES_TRAINED  /* a trained network: it keeps them */
} skp__classes;
/* Whether all parts that there are fit so, have classes to learn, and not more than the network. */
skp_status skp__fit_data(const struct skp_model *m, skp__classes origin, struct skp_source *const part[SKP_SPLITS]);

#endif
