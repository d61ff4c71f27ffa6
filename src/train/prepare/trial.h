/* trial.h: the images that a trained network is tried on. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_PREPARE_TRIAL_H
#define SKP_TRAIN_PREPARE_TRIAL_H

#include "data/source.h"
#include <stdio.h>

/* The parts, the best to test with first; the last must be there. */
enum { SKP__TRIALS = 3 };
extern const skp_split skp__trials[SKP__TRIALS];
const char *skp__split_name(skp_split split); /* "training" */

/* Opens the best part; `labelled`: whose images have classes. What it passes over is said to `say` (NULL: nowhere). */
skp_status skp__trial_open(struct skp_source **out, skp_split *split, const char *data, bool labelled, FILE *say);
/* A view of it whose labels are those of the network's classes; `s` must outlive it. Images of other classes are said,
 * and counted in its `unknown`; SKP_SHAPE if there are no others. */
skp_status skp__trial_labels(struct skp_source **out, const struct skp_source *s, const struct skp_labels *network,
                             bool by_number, FILE *say);
/* Adds a line about the images of unknown classes, if there are any. */
void skp__unknown_describe(struct skp__text *text, const struct skp_source *s);

#endif
