/* objects.c: a layer of the OpenCL loader (OPENCL_LAYERS=liblayer_objects.so) that counts the buffers, events, kernels
 * and programs which a program has: made and retained less released. The file FAULT_COUNT gets their present numbers, a
 * line, with each 1000th flush, and at the end. SPDX-License-Identifier: MIT */
#include "../../opencl_layer.h"
#include <stdatomic.h>
#include <stdio.h>

static atomic_long buffers, events, kernels, programs, flushes;

__attribute__((destructor)) static void tell(void) {
  const char *path = getenv("FAULT_COUNT");
  FILE *to = path ? fopen(path, "a") : NULL;
  if (!to) return;
  fprintf(to, "buffers %ld events %ld kernels %ld programs %ld\n", atomic_load(&buffers), atomic_load(&events),
          atomic_load(&kernels), atomic_load(&programs));
  fclose(to);
}

/* One object more, if there is one; one less. */
static void *made(atomic_long *of, void *object) {
  if (object) atomic_fetch_add(of, 1);
  return object;
}
static cl_int gone(atomic_long *of, cl_int code) {
  if (code == CL_SUCCESS) atomic_fetch_sub(of, 1);
  return code;
}
static cl_int kept(atomic_long *of, cl_int code) {
  if (code == CL_SUCCESS) atomic_fetch_add(of, 1);
  return code;
}
/* What was queued has an event if one was asked for. */
static cl_int queued(cl_int code, const cl_event *event) {
  if (code == CL_SUCCESS && event) atomic_fetch_add(&events, 1);
  return code;
}

static cl_mem CL_API_CALL create_buffer(cl_context c, cl_mem_flags flags, size_t n, void *host, cl_int *code) {
  return made(&buffers, next->clCreateBuffer(c, flags, n, host, code));
}
static cl_mem CL_API_CALL create_part(cl_mem of, cl_mem_flags flags, cl_buffer_create_type type, const void *region,
                                      cl_int *code) {
  return made(&buffers, next->clCreateSubBuffer(of, flags, type, region, code));
}
static cl_int CL_API_CALL release_buffer(cl_mem m) { return gone(&buffers, next->clReleaseMemObject(m)); }
static cl_int CL_API_CALL retain_buffer(cl_mem m) { return kept(&buffers, next->clRetainMemObject(m)); }
static cl_kernel CL_API_CALL create_kernel(cl_program p, const char *name, cl_int *code) {
  return made(&kernels, next->clCreateKernel(p, name, code));
}
static cl_int CL_API_CALL release_kernel(cl_kernel k) { return gone(&kernels, next->clReleaseKernel(k)); }
static cl_program CL_API_CALL create_source(cl_context c, cl_uint n, const char **texts, const size_t *lengths,
                                            cl_int *code) {
  return made(&programs, next->clCreateProgramWithSource(c, n, texts, lengths, code));
}
static cl_program CL_API_CALL create_binary(cl_context c, cl_uint n, const cl_device_id *devices, const size_t *lengths,
                                            const unsigned char **binaries, cl_int *states, cl_int *code) {
  return made(&programs, next->clCreateProgramWithBinary(c, n, devices, lengths, binaries, states, code));
}
static cl_int CL_API_CALL release_program(cl_program p) { return gone(&programs, next->clReleaseProgram(p)); }
static cl_int CL_API_CALL release_event(cl_event e) { return gone(&events, next->clReleaseEvent(e)); }
static cl_int CL_API_CALL retain_event(cl_event e) { return kept(&events, next->clRetainEvent(e)); }

static cl_int CL_API_CALL launch(cl_command_queue q, cl_kernel k, cl_uint dims, const size_t *from,
                                 const size_t *global, const size_t *local, cl_uint n, const cl_event *after,
                                 cl_event *event) {
  return queued(next->clEnqueueNDRangeKernel(q, k, dims, from, global, local, n, after, event), event);
}
static cl_int CL_API_CALL read_buffer(cl_command_queue q, cl_mem m, cl_bool wait, size_t from, size_t n, void *to,
                                      cl_uint before, const cl_event *after, cl_event *event) {
  return queued(next->clEnqueueReadBuffer(q, m, wait, from, n, to, before, after, event), event);
}
static cl_int CL_API_CALL write_buffer(cl_command_queue q, cl_mem m, cl_bool wait, size_t to, size_t n,
                                       const void *from, cl_uint before, const cl_event *after, cl_event *event) {
  return queued(next->clEnqueueWriteBuffer(q, m, wait, to, n, from, before, after, event), event);
}
static cl_int CL_API_CALL fill_buffer(cl_command_queue q, cl_mem m, const void *with, size_t size, size_t to, size_t n,
                                      cl_uint before, const cl_event *after, cl_event *event) {
  return queued(next->clEnqueueFillBuffer(q, m, with, size, to, n, before, after, event), event);
}
static cl_int CL_API_CALL mark(cl_command_queue q, cl_uint n, const cl_event *after, cl_event *event) {
  return queued(next->clEnqueueMarkerWithWaitList(q, n, after, event), event);
}
static cl_int CL_API_CALL flush(cl_command_queue q) {
  if (atomic_fetch_add(&flushes, 1) % 1000 == 999) tell();
  return next->clFlush(q);
}

static void take_over(void) {
  own.clCreateBuffer = create_buffer;
  own.clCreateSubBuffer = create_part;
  own.clReleaseMemObject = release_buffer;
  own.clRetainMemObject = retain_buffer;
  own.clCreateKernel = create_kernel;
  own.clReleaseKernel = release_kernel;
  own.clCreateProgramWithSource = create_source;
  own.clCreateProgramWithBinary = create_binary;
  own.clReleaseProgram = release_program;
  own.clReleaseEvent = release_event;
  own.clRetainEvent = retain_event;
  own.clEnqueueNDRangeKernel = launch;
  own.clEnqueueReadBuffer = read_buffer;
  own.clEnqueueWriteBuffer = write_buffer;
  own.clEnqueueFillBuffer = fill_buffer;
  own.clEnqueueMarkerWithWaitList = mark;
  own.clFlush = flush;
}
