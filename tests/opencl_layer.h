/* opencl_layer.h: what makes a module a layer of the OpenCL loader (OPENCL_LAYERS=libNAME.so). It includes this and
 * defines take_over, which puts its own calls into `own`; the calls below stay in `next`.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_TESTS_OPENCL_LAYER_H
#define SKP_TESTS_OPENCL_LAYER_H

#define CL_TARGET_OPENCL_VERSION 300
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl_layer.h>
#include <stdlib.h>
#include <string.h>

static struct _cl_icd_dispatch own;
static const struct _cl_icd_dispatch *next;

static void take_over(void);

static inline void *must(void *p) {
  if (!p) abort();
  return p;
}

/* Answers as clGet…Info do. */
static inline cl_int give(const void *from, size_t bytes, size_t size, void *value, size_t *size_ret) {
  if (size_ret) *size_ret = bytes;
  if (!value) return CL_SUCCESS;
  if (size < bytes) return CL_INVALID_VALUE;
  memcpy(value, from, bytes);
  return CL_SUCCESS;
}

__attribute__((visibility("default"))) cl_int CL_API_CALL clGetLayerInfo(cl_layer_info what, size_t size, void *value,
                                                                         size_t *size_ret) {
  const cl_layer_api_version version = CL_LAYER_API_VERSION_100;
  return what == CL_LAYER_API_VERSION ? give(&version, sizeof version, size, value, size_ret) : CL_INVALID_VALUE;
}

__attribute__((visibility("default"))) cl_int CL_API_CALL clInitLayer(cl_uint n, const struct _cl_icd_dispatch *target,
                                                                      cl_uint *n_own,
                                                                      const struct _cl_icd_dispatch **layer) {
  if (n < sizeof own / sizeof(void *)) return CL_INVALID_VALUE;
  next = target;
  own = *target;
  take_over();
  *layer = &own;
  *n_own = sizeof own / sizeof(void *);
  return CL_SUCCESS;
}

#endif
