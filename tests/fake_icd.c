/* fake_icd.c: OpenCL drivers that misbehave while listing, to test that Skipper survives them. Built once for each
 * FAULT: CRASH, HANG, or NONE (a driver without devices). SPDX-License-Identifier: MIT */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl_icd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CRASH 1
#define HANG  2
#define NONE  3

#define EXPORT __attribute__((visibility("default")))

EXPORT cl_int CL_API_CALL clIcdGetPlatformIDsKHR(cl_uint room, cl_platform_id *platforms, cl_uint *n) {
  (void)room, (void)platforms;
  if (FAULT == CRASH) abort();
  while (FAULT == HANG) pause();
  if (n) *n = 0;
  return CL_PLATFORM_NOT_FOUND_KHR;
}

EXPORT void *CL_API_CALL clGetExtensionFunctionAddress(const char *name) {
  return strcmp(name, "clIcdGetPlatformIDsKHR") ? NULL : (void *)clIcdGetPlatformIDsKHR;
}

EXPORT cl_int CL_API_CALL clGetPlatformInfo(cl_platform_id platform, cl_platform_info what, size_t size, void *value,
                                            size_t *needed) {
  (void)platform, (void)what, (void)size, (void)value, (void)needed;
  return CL_INVALID_PLATFORM;
}
