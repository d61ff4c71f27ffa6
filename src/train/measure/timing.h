/* timing.h: where a step's time goes. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_MEASURE_TIMING_H
#define SKP_TRAIN_MEASURE_TIMING_H

#include "base/array.h"
#include "skipper/tools.h"
#include "train/session/session.h"

/* Begins all zero. Layers' names are the plan's. */
struct skp__timing {
  SKP_ARRAY(skp_launch_time) launches; /* in their order, those of a node beside each other */
  SKP_ARRAY(skp_layer_time) layers;    /* the slowest first */
};
/* Times each launch of a plan that has run before, beside what the device does at best. skp__timing_free also
 * after a failure. */
skp_status skp__timing_measure(struct skp__timing *out, struct skp_plan *plan, const struct skp_backend_peaks *peaks);
/* As CSV: layer, operation, method, shapes, milliseconds, share, gflops, launches. */
skp_status skp__timing_write(const struct skp__timing *t, const char *path);
void skp__timing_free(struct skp__timing *t);

#endif
