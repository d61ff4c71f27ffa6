/* cache.h: built programs on disk. None of it fails; without a folder it does nothing. SPDX-License-Identifier: MIT */
#ifndef SKP_BACKEND_OPENCL_CACHE_H
#define SKP_BACKEND_OPENCL_CACHE_H

#include "backend/opencl/cl.h"

void skp__cl_cache_open(struct skp__cl *cl, const char *said);
bool skp__cl_cache_lasts(const struct skp__cl *cl); /* what is stored outlives the process */
/* The folder that it is in, which others share; NULL: nothing lasts. */
const char *skp__cl_cache_folder(const struct skp__cl *cl);
void skp__cl_cache_close(struct skp__cl *cl);
bool skp__cl_cache_has(struct skp__cl *cl, const char *text, const char *options); /* as far as its name tells */
/* The built program, or NULL. */
cl_program skp__cl_cache_load(struct skp__cl *cl, const char *text, const char *options);
void skp__cl_cache_store(struct skp__cl *cl, cl_program program, const char *text, const char *options);

#endif
