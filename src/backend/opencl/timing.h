/* timing.h: how long launches take. SPDX-License-Identifier: MIT */
#ifndef SKP_BACKEND_OPENCL_TIMING_H
#define SKP_BACKEND_OPENCL_TIMING_H

#include "backend/opencl/launch.h"

/* A slot of the backend. */
skp_status skp__cl_time(struct skp_backend *b, struct skp_prepared *const *list, size_t n, skp__tell_launch tell,
                        void *user);

#endif
