/* compilers.h: programs compiled by processes of their own. SPDX-License-Identifier: MIT */
#ifndef SKP_BACKEND_OPENCL_COMPILERS_H
#define SKP_BACKEND_OPENCL_COMPILERS_H

#include "backend/opencl/cl.h"
#include "backend/opencl/devices.h"
#include "backend/opencl/jobs.h"

/* What a compiler does with a job: compiles into the disk cache. */
typedef skp_status (*skp__cl_compile)(struct skp__cl *cl, const char *file, const char *options);

/* Forks compilers for a device of which `cl` has the names and the cache; to be called before its driver is loaded. */
void skp__cl_compilers_start(struct skp__cl *cl, const struct skp_device *d, int threads, skp__cl_compile compile);
void skp__cl_compilers_stop(struct skp__cl *cl);
/* Has the jobs done; returns when all are done or lost. Without compilers it does nothing. */
void skp__cl_compilers_do(struct skp__cl *cl, const struct skp__cl_jobs *jobs);
/* What became of the compiler that had this program: "crashed (SIGABRT)"; NULL: nothing happened to it. */
const char *skp__cl_compilers_fate(const struct skp__cl *cl, const char *file, const char *options);

#endif
