/* jobs.h: what is going to be launched, noted instead: to compile it ahead, or to know it again.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_BACKEND_OPENCL_JOBS_H
#define SKP_BACKEND_OPENCL_JOBS_H

#include "backend/opencl/cl.h"

/* Compilers are images of this process: they know the same literals. */
struct skp__cl_job {
  const char *file;
  char options[200];
  size_t weight; /* length of the source, a guess at how long it takes */
};

struct skp__cl_jobs {
  bool ahead; /* what neither memory nor the disk cache has is listed: */
  SKP_ARRAY(struct skp__cl_job) list;
  uint64_t kernels; /* a number made of all launches: see the slot of backend.h */
};

/* Notes a launch in `cl->noting`; local NULL: the runtime chooses. */
void skp__cl_note(struct skp__cl *cl, const char *file, const char *kernel, const char *options, int dims,
                  const size_t *local);
/* The same of a step that is not a kernel of ours. */
void skp__cl_note_call(struct skp__cl *cl, const char *name);

#endif
