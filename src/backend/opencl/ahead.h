/* ahead.h: programs compiled before they are needed. SPDX-License-Identifier: MIT */
#ifndef SKP_BACKEND_OPENCL_AHEAD_H
#define SKP_BACKEND_OPENCL_AHEAD_H

#include "backend/opencl/cl.h"

void skp__cl_expect(struct skp_backend *b, const struct skp_sig *sigs, size_t n); /* a slot of the backend */

#endif
