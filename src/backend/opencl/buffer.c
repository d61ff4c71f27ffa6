/* buffer.c: device memory and copies. SPDX-License-Identifier: MIT */
#include "backend/opencl/buffer.h"
#include "backend/opencl/record.h"
#include "backend/opencl/tickets.h"
#include "base/text.h"
#include <stdlib.h>

static const char to_device[] = "a copy to the device", from_device[] = "a copy from the device";

static struct skp__cl *device_of(struct skp_backend *b) { return (struct skp__cl *)b; }

/* Before the driver is asked: some promise memory that they do not have, and fail much later. */
static skp_status check_size(const struct skp__cl *cl, int64_t bytes) {
  if (bytes < 0) return skp__fail(SKP_INTERNAL, "A buffer of %lld bytes was asked for.", (long long)bytes);
  if (bytes > cl->max_allocation)
    return skp__fail(SKP_DEVICE_MEMORY,
                     "Out of memory: %.1f MiB are needed in one piece, and %s has at most %.1f in one.",
                     skp__mib((double)bytes), cl->name, skp__mib((double)cl->max_allocation));
  if (bytes > cl->memory - cl->used)
    return skp__fail(SKP_DEVICE_MEMORY,
                     "Out of memory: %.1f MiB more are needed, and %s has %.1f, of which %.1f are in use.",
                     skp__mib((double)bytes), cl->name, skp__mib((double)cl->memory), skp__mib((double)cl->used));
  return SKP_OK;
}

/* Filling also touches the memory: a driver that allocates late says so now. */
static skp_status allocate(struct skp__cl *cl, struct skp_buffer *buffer, size_t size) {
  const cl_uint zero = 0;
  cl_int code;
  SKP_TRY(SKP_CHECK_QUEUED(
      cl, "clCreateBuffer", "",
      (buffer->mem = buffer->root = clCreateBuffer(cl->context, CL_MEM_READ_WRITE, size, NULL, &code), code)));
  return SKP_CHECK_QUEUED(cl, "clEnqueueFillBuffer", "",
                          clEnqueueFillBuffer(cl->queue, buffer->mem, &zero, sizeof zero, 0, size, 0, NULL, NULL));
}

skp_status skp__cl_buffer_create(struct skp_backend *b, struct skp_buffer **out, int64_t bytes) {
  struct skp__cl *cl = device_of(b);
  *out = NULL;
  SKP_TRY(skp__cl_alive(cl));
  SKP_TRY(check_size(cl, bytes));
  struct skp_buffer *buffer;
  SKP_TRY(skp__alloc(&buffer, 1, sizeof *buffer));
  size_t size = bytes ? ((size_t)bytes + 3) & ~(size_t)3 : 4; /* what the pattern divides, and never nothing */
  skp_status status = allocate(cl, buffer, size);
  if (status != SKP_OK) {
    skp__cl_buffer_destroy(b, buffer);
    if (status != SKP_DEVICE_MEMORY) return status;
    return skp__fail_in(status, "%.1f MiB beside %.1f in use", skp__mib((double)bytes), skp__mib((double)cl->used));
  }
  buffer->bytes = bytes;
  buffer->writes = &buffer->own_writes;
  cl->used += buffer->charged = (int64_t)size;
  *out = buffer;
  return SKP_OK;
}

skp_status skp__cl_buffer_slice(struct skp_backend *b, struct skp_buffer **out, struct skp_buffer *base, int64_t offset,
                                int64_t bytes) {
  struct skp__cl *cl = device_of(b);
  *out = NULL;
  SKP_TRY(skp__cl_alive(cl));
  if (offset < 0 || bytes <= 0 || offset > base->bytes || bytes > base->bytes - offset || offset % cl->alignment)
    return skp__fail(SKP_INTERNAL, "A slice of %lld bytes at %lld does not fit a buffer of %lld (alignment %lld).",
                     (long long)bytes, (long long)offset, (long long)base->bytes, (long long)cl->alignment);
  struct skp_buffer *slice;
  SKP_TRY(skp__alloc(&slice, 1, sizeof *slice));
  cl_buffer_region region = {(size_t)(base->offset + offset), (size_t)bytes};
  cl_int code;
  skp_status status = SKP_CHECK_QUEUED(
      cl, "clCreateSubBuffer", "",
      (slice->mem = clCreateSubBuffer(base->root, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &region, &code),
       code));
  if (status != SKP_OK) {
    free(slice);
    return status;
  }
  slice->root = base->root;
  slice->offset = base->offset + offset;
  slice->bytes = bytes;
  slice->writes = base->writes;
  *out = slice;
  return SKP_OK;
}

void skp__cl_buffer_destroy(struct skp_backend *b, struct skp_buffer *buffer) {
  if (!buffer) return;
  struct skp__cl *cl = device_of(b);
  if (buffer->mem && !cl->hung) SKP_CALL(cl, "clReleaseMemObject", "", clReleaseMemObject(buffer->mem));
  cl->used -= buffer->charged;
  free(buffer);
}

static skp_status check_copy(struct skp__cl *cl, const struct skp_buffer *buffer, int64_t offset, int64_t bytes) {
  SKP_TRY(skp__cl_alive(cl));
  if (offset >= 0 && bytes >= 0 && offset <= buffer->bytes && bytes <= buffer->bytes - offset) return SKP_OK;
  return skp__fail(SKP_INTERNAL, "A copy of %lld bytes at %lld leaves a buffer of %lld.", (long long)bytes,
                   (long long)offset, (long long)buffer->bytes);
}

skp_status skp__cl_write(struct skp_backend *b, struct skp_buffer *buffer, int64_t offset, const void *from,
                         int64_t bytes) {
  struct skp__cl *cl = device_of(b);
  SKP_TRY(check_copy(cl, buffer, offset, bytes));
  if (!bytes) return SKP_OK;
  ++*buffer->writes;
  cl_event *event = skp__cl_recorded(cl, "copy", to_device, "");
  SKP_TRY(SKP_CHECK_QUEUED(
      cl, "clEnqueueWriteBuffer", "",
      clEnqueueWriteBuffer(cl->queue, buffer->mem, CL_FALSE, (size_t)offset, (size_t)bytes, from, 0, NULL, event)));
  return skp__cl_launched(cl, to_device);
}

skp_status skp__cl_read(struct skp_backend *b, struct skp_buffer *buffer, int64_t offset, void *to, int64_t bytes) {
  struct skp__cl *cl = device_of(b);
  SKP_TRY(check_copy(cl, buffer, offset, bytes));
  if (!bytes) return SKP_OK;
  cl_event *event = skp__cl_recorded(cl, "copy", from_device, "");
  SKP_TRY(SKP_CHECK_QUEUED(
      cl, "clEnqueueReadBuffer", "",
      clEnqueueReadBuffer(cl->queue, buffer->mem, CL_FALSE, (size_t)offset, (size_t)bytes, to, 0, NULL, event)));
  return skp__cl_launched(cl, from_device);
}
