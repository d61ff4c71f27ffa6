/* kernels.c: a layer of the OpenCL loader (OPENCL_LAYERS=liblayer_kernels.so) under which launches go wrong without a
 * word: those of the kernels with names like FAULT_KERNEL ("conv2d*dw*"), from the FAULT_AT-th on (1).
 *
 *   FAULT_MODE=drop    they do nothing
 *   FAULT_MODE=spoil   afterwards a word of the first buffer that they were given is another number
 *
 * SPDX-License-Identifier: MIT */
#define CL_TARGET_OPENCL_VERSION 300
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl_layer.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

static struct _cl_icd_dispatch own;
static const struct _cl_icd_dispatch *next;

/* The first buffer of each kernel that a fault is meant for. */
static struct kernel {
  cl_kernel kernel;
  cl_mem first;
  bool hit; /* its name is said */
} * kernels;
static size_t n_kernels;
static long launches, from;

static struct kernel *find(cl_kernel kernel) {
  for (size_t i = n_kernels; i-- > 0;) /* one that was released may come back as another */
    if (kernels[i].kernel == kernel) return &kernels[i];
  return NULL;
}

static cl_kernel CL_API_CALL create_kernel(cl_program program, const char *name, cl_int *code) {
  cl_kernel kernel = next->clCreateKernel(program, name, code);
  const char *like = getenv("FAULT_KERNEL");
  kernels = realloc(kernels, (n_kernels + 1) * sizeof *kernels);
  if (!kernels) abort();
  kernels[n_kernels++] = (struct kernel){kernel, NULL, like && !fnmatch(like, name, 0)};
  return kernel;
}

static cl_int CL_API_CALL set_argument(cl_kernel kernel, cl_uint i, size_t size, const void *value) {
  struct kernel *k = find(kernel);
  if (k && !i && value && size == sizeof k->first) memcpy(&k->first, value, size);
  return next->clSetKernelArg(kernel, i, size, value);
}

static cl_int CL_API_CALL launch(cl_command_queue queue, cl_kernel kernel, cl_uint dims, const size_t *offset,
                                 const size_t *global, const size_t *local, cl_uint n, const cl_event *wait,
                                 cl_event *event) {
  const struct kernel *k = find(kernel);
  const char *mode = getenv("FAULT_MODE");
  const bool hit = k && k->hit && ++launches >= from;
  const cl_float wrong = 12345;
  if (hit && mode && !strcmp(mode, "drop"))
    return event ? next->clEnqueueMarkerWithWaitList(queue, n, wait, event) : CL_SUCCESS;
  const cl_int code = next->clEnqueueNDRangeKernel(queue, kernel, dims, offset, global, local, n, wait, event);
  if (hit && code == CL_SUCCESS && mode && !strcmp(mode, "spoil"))
    return next->clEnqueueFillBuffer(queue, k->first, &wrong, sizeof wrong, 0, sizeof wrong, 0, NULL, NULL);
  return code;
}

static void take_over(void) {
  const char *at = getenv("FAULT_AT");
  from = at ? atol(at) : 1;
  own.clCreateKernel = create_kernel;
  own.clSetKernelArg = set_argument;
  own.clEnqueueNDRangeKernel = launch;
}

EXPORT cl_int CL_API_CALL clGetLayerInfo(cl_layer_info what, size_t size, void *value, size_t *size_ret) {
  const cl_layer_api_version version = CL_LAYER_API_VERSION_100;
  if (what != CL_LAYER_API_VERSION) return CL_INVALID_VALUE;
  if (size_ret) *size_ret = sizeof version;
  if (value && size >= sizeof version) memcpy(value, &version, sizeof version);
  return CL_SUCCESS;
}

EXPORT cl_int CL_API_CALL clInitLayer(cl_uint n, const struct _cl_icd_dispatch *target, cl_uint *n_own,
                                      const struct _cl_icd_dispatch **layer) {
  if (n < sizeof own / sizeof(void *)) return CL_INVALID_VALUE;
  next = target;
  own = *target;
  take_over();
  *layer = &own;
  *n_own = sizeof own / sizeof(void *);
  return CL_SUCCESS;
}
