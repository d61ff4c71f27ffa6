/* program.h: kernels from source to program. SPDX-License-Identifier: MIT */
#ifndef SKP_BACKEND_OPENCL_PROGRAM_H
#define SKP_BACKEND_OPENCL_PROGRAM_H

#include "backend/opencl/cl.h"

/* The program of cl/FILE.cl with these options; it stays the backend's. */
skp_status skp__cl_program(struct skp__cl *cl, cl_program *out, const char *file, const char *options);
/* The same from a text, not looked up among the embedded files; the caller releases it. */
skp_status skp__cl_build(struct skp__cl *cl, cl_program *out, const char *file, const char *text, const char *options);
/* Compiles it in this process, whatever comes of it, into the disk cache. */
skp_status skp__cl_compile_here(struct skp__cl *cl, const char *file, const char *options);
void skp__cl_programs_free(struct skp__cl *cl);
/* The text of cl/FILE.cl; "" if there is none. */
const char *skp__cl_source_of(const char *file);
/* Whether the kernels of cl/FILE.cl know maps in bfloat16: it takes in maps.clh. */
bool skp__cl_reads_maps(const char *file);
/* Whether a program is built or in the disk cache; *weight: the length of its source. */
bool skp__cl_program_ready(struct skp__cl *cl, const char *file, const char *options, size_t *weight);

#endif
