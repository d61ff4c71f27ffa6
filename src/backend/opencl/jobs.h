/* jobs.h: programs that are going to be launched, noted to be compiled ahead. SPDX-License-Identifier: MIT */
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
  SKP_ARRAY(struct skp__cl_job) list;
};

/* Adds a program to `cl->noting`, unless it is there, built, or in the disk cache. */
void skp__cl_note(struct skp__cl *cl, const char *file, const char *options);

#endif
