/* buffer.h: pieces of device memory, and the slots of the backend for them. SPDX-License-Identifier: MIT */
#ifndef SKP_BACKEND_OPENCL_BUFFER_H
#define SKP_BACKEND_OPENCL_BUFFER_H

#include "backend/opencl/cl.h"

struct skp_buffer {
  cl_mem mem;
  cl_mem root;    /* what was allocated: OpenCL knows no slice of a slice */
  int64_t offset; /* of mem in root */
  int64_t bytes;
  int64_t charged;  /* what it adds to the memory in use; 0 for a slice */
  uint64_t *writes; /* how often something was written into what was allocated: a slice's base counts */
  uint64_t own_writes;
};

skp_status skp__cl_buffer_create(struct skp_backend *b, struct skp_buffer **out, int64_t bytes);
skp_status skp__cl_buffer_slice(struct skp_backend *b, struct skp_buffer **out, struct skp_buffer *base, int64_t offset,
                                int64_t bytes);
void skp__cl_buffer_destroy(struct skp_backend *b, struct skp_buffer *buffer);
skp_status skp__cl_write(struct skp_backend *b, struct skp_buffer *buffer, int64_t offset, const void *from,
                         int64_t bytes);
skp_status skp__cl_read(struct skp_backend *b, struct skp_buffer *buffer, int64_t offset, void *to, int64_t bytes);

#endif
