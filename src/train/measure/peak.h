/* peak.h: what a device does at best, measured once and kept in a text file beside its compiled kernels.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_MEASURE_PEAK_H
#define SKP_TRAIN_MEASURE_PEAK_H

#include "backend/backend.h"

/* What the file says, else what is measured now; `anew`: measured in any case. *path: the file, in fresh memory; NULL:
 * nothing lasts of this device. `path` NULL: nobody asks. SKP_UNSUPPORTED, SKP_DEVICE_MEMORY: it cannot be measured. */
skp_status skp__peak_find(struct skp_backend_peaks *out, char **path, struct skp_backend *b, bool anew);
/* Keeps in its place that the device cannot be measured, so that nobody tries it at each call. */
skp_status skp__peak_give_up(const struct skp_device *d, const char *cache);
/* What such a file in that folder (the options' `cache`) says of a device that is listed, not opened, and its
 * skp__peak_seconds; 0: nothing; -1: that the device cannot be measured. `out` NULL: nobody asks. */
double skp__peak_listed(struct skp_backend_peaks *out, const struct skp_device *d, const char *cache);
/* Whether what is measured of it is kept there at all: else it would be measured again each time. */
bool skp__peak_lasts(const struct skp_device *d, const char *cache);
/* What a training step of a usual network takes at least, ResNet-18 on 32 images: by this devices are compared. */
double skp__peak_seconds(const struct skp_backend_peaks *p);

#endif
