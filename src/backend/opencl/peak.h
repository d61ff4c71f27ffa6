/* peak.h: what the device does at best. SPDX-License-Identifier: MIT */
#ifndef SKP_BACKEND_OPENCL_PEAK_H
#define SKP_BACKEND_OPENCL_PEAK_H

#include "backend/opencl/launch.h"

/* A slot of the backend. */
skp_status skp__cl_measure(struct skp_backend *b, struct skp_backend_peaks *out);

#endif
