/* compilers.h: programs compiled ahead by processes of their own. SPDX-License-Identifier: MIT */
#ifndef SKP_BACKEND_OPENCL_COMPILERS_H
#define SKP_BACKEND_OPENCL_COMPILERS_H

#include "backend/opencl/cl.h"
#include "backend/opencl/devices.h"

/* Forks compilers for a device of which `cl` has the names and the cache; to be called before its driver is loaded. */
void skp__cl_compilers_start(struct skp__cl *cl, const struct skp_device *d, int threads);
void skp__cl_compilers_stop(struct skp__cl *cl);
void skp__cl_expect(struct skp_backend *b, const struct skp_sig *sigs, size_t n); /* a slot of the backend */

#endif
