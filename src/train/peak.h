/* peak.h: what a device does at best, measured once and kept in a text file beside its compiled kernels.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_PEAK_H
#define SKP_TRAIN_PEAK_H

#include "backend/backend.h"

/* What the file says, else what is measured now; `anew`: measured in any case. *path: the file, in fresh memory; NULL:
 * nothing lasts of this device. `path` NULL: nobody asks. SKP_UNSUPPORTED, SKP_DEVICE_MEMORY: it cannot be measured. */
skp_status skp__peak_find(struct skp_backend_peaks *out, char **path, struct skp_backend *b, bool anew);

#endif
