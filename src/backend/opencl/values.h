/* values.h: launches of kernels in which a work-item does WIDTH neighbouring values, whatever they belong to.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_BACKEND_OPENCL_VALUES_H
#define SKP_BACKEND_OPENCL_VALUES_H

#include "backend/opencl/cl.h"

/* Adds the launch of such a kernel of cl/FILE.cl over n values; `more`: options besides WIDTH, "" for none. */
skp_status skp__cl_launch_values(struct skp_prepared *p, const char *file, const char *kernel, const char *more, int n,
                                 const struct skp__cl_arg *args);
/* How many values output 0 has, of an op that no method takes where these are too many for an int. */
int skp__cl_values(const struct skp_sig *sig);

#endif
