/* error.c: OpenCL's codes by name, and what they mean for the open device. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"
#include "base/host.h"
#include <stdio.h>

/* X(code, name without CL_): all of OpenCL up to 3.0, and the ICD loader's. */
#define CODES(X)                                                                                                       \
  X(0, SUCCESS)                                                                                                        \
  X(-1, DEVICE_NOT_FOUND)                                                                                              \
  X(-2, DEVICE_NOT_AVAILABLE)                                                                                          \
  X(-3, COMPILER_NOT_AVAILABLE)                                                                                        \
  X(-4, MEM_OBJECT_ALLOCATION_FAILURE)                                                                                 \
  X(-5, OUT_OF_RESOURCES)                                                                                              \
  X(-6, OUT_OF_HOST_MEMORY)                                                                                            \
  X(-7, PROFILING_INFO_NOT_AVAILABLE)                                                                                  \
  X(-8, MEM_COPY_OVERLAP)                                                                                              \
  X(-9, IMAGE_FORMAT_MISMATCH)                                                                                         \
  X(-10, IMAGE_FORMAT_NOT_SUPPORTED)                                                                                   \
  X(-11, BUILD_PROGRAM_FAILURE)                                                                                        \
  X(-12, MAP_FAILURE)                                                                                                  \
  X(-13, MISALIGNED_SUB_BUFFER_OFFSET)                                                                                 \
  X(-14, EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST)                                                                    \
  X(-15, COMPILE_PROGRAM_FAILURE)                                                                                      \
  X(-16, LINKER_NOT_AVAILABLE)                                                                                         \
  X(-17, LINK_PROGRAM_FAILURE)                                                                                         \
  X(-18, DEVICE_PARTITION_FAILED)                                                                                      \
  X(-19, KERNEL_ARG_INFO_NOT_AVAILABLE)                                                                                \
  X(-30, INVALID_VALUE)                                                                                                \
  X(-31, INVALID_DEVICE_TYPE)                                                                                          \
  X(-32, INVALID_PLATFORM)                                                                                             \
  X(-33, INVALID_DEVICE)                                                                                               \
  X(-34, INVALID_CONTEXT)                                                                                              \
  X(-35, INVALID_QUEUE_PROPERTIES)                                                                                     \
  X(-36, INVALID_COMMAND_QUEUE)                                                                                        \
  X(-37, INVALID_HOST_PTR)                                                                                             \
  X(-38, INVALID_MEM_OBJECT)                                                                                           \
  X(-39, INVALID_IMAGE_FORMAT_DESCRIPTOR)                                                                              \
  X(-40, INVALID_IMAGE_SIZE)                                                                                           \
  X(-41, INVALID_SAMPLER)                                                                                              \
  X(-42, INVALID_BINARY)                                                                                               \
  X(-43, INVALID_BUILD_OPTIONS)                                                                                        \
  X(-44, INVALID_PROGRAM)                                                                                              \
  X(-45, INVALID_PROGRAM_EXECUTABLE)                                                                                   \
  X(-46, INVALID_KERNEL_NAME)                                                                                          \
  X(-47, INVALID_KERNEL_DEFINITION)                                                                                    \
  X(-48, INVALID_KERNEL)                                                                                               \
  X(-49, INVALID_ARG_INDEX)                                                                                            \
  X(-50, INVALID_ARG_VALUE)                                                                                            \
  X(-51, INVALID_ARG_SIZE)                                                                                             \
  X(-52, INVALID_KERNEL_ARGS)                                                                                          \
  X(-53, INVALID_WORK_DIMENSION)                                                                                       \
  X(-54, INVALID_WORK_GROUP_SIZE)                                                                                      \
  X(-55, INVALID_WORK_ITEM_SIZE)                                                                                       \
  X(-56, INVALID_GLOBAL_OFFSET)                                                                                        \
  X(-57, INVALID_EVENT_WAIT_LIST)                                                                                      \
  X(-58, INVALID_EVENT)                                                                                                \
  X(-59, INVALID_OPERATION)                                                                                            \
  X(-60, INVALID_GL_OBJECT)                                                                                            \
  X(-61, INVALID_BUFFER_SIZE)                                                                                          \
  X(-62, INVALID_MIP_LEVEL)                                                                                            \
  X(-63, INVALID_GLOBAL_WORK_SIZE)                                                                                     \
  X(-64, INVALID_PROPERTY)                                                                                             \
  X(-65, INVALID_IMAGE_DESCRIPTOR)                                                                                     \
  X(-66, INVALID_COMPILER_OPTIONS)                                                                                     \
  X(-67, INVALID_LINKER_OPTIONS)                                                                                       \
  X(-68, INVALID_DEVICE_PARTITION_COUNT)                                                                               \
  X(-69, INVALID_PIPE_SIZE)                                                                                            \
  X(-70, INVALID_DEVICE_QUEUE)                                                                                         \
  X(-71, INVALID_SPEC_ID)                                                                                              \
  X(-72, MAX_SIZE_RESTRICTION_EXCEEDED)                                                                                \
  X(-1001, PLATFORM_NOT_FOUND_KHR)

static const char *known_name(cl_int code) {
  switch (code) {
#define X(value, name)                                                                                                 \
  case value: return "CL_" #name;
    CODES(X)
#undef X
  }
  return NULL;
}

const char *skp__cl_error_name(cl_int code) {
  static _Thread_local char other[32];
  const char *name = known_name(code);
  if (name) return name;
  snprintf(other, sizeof other, "code %d", (int)code);
  return other;
}

static bool means_memory(cl_int code) {
  return code == CL_MEM_OBJECT_ALLOCATION_FAILURE || code == CL_OUT_OF_HOST_MEMORY || code == CL_INVALID_BUFFER_SIZE;
}

/* Vendors report a fault of the device under codes of their own (NVIDIA: -9999). */
static bool means_lost(cl_int code) {
  return code == CL_OUT_OF_RESOURCES || code == CL_INVALID_COMMAND_QUEUE || code == CL_INVALID_CONTEXT ||
         code == CL_DEVICE_NOT_AVAILABLE || code == CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST || !known_name(code);
}

/* Without a queue nothing of this program lies there yet. */
static skp_status fail_memory(struct skp__cl *cl, cl_int code, const char *call, const char *what) {
  const char *space = *what ? " " : "", *name = skp__cl_error_name(code);
  if (!cl->queue)
    return skp__fail(SKP_DEVICE_MEMORY,
                     "%s%s%s on %s: %s. Other programs have taken all of its memory or the host's: end some, or take "
                     "another device.",
                     call, space, what, cl->name, name);
  return skp__fail(SKP_DEVICE_MEMORY, "%s%s%s on %s: %s. The device is out of memory: use a smaller %s.", call, space,
                   what, cl->name, name, skp__option("batch"));
}

skp_status skp__cl_check(struct skp__cl *cl, cl_int code, const char *call, const char *what) {
  if (code == CL_SUCCESS) return SKP_OK;
  const char *name = skp__cl_error_name(code), *space = *what ? " " : "";
  if (means_memory(code)) return fail_memory(cl, code, call, what);
  if (!means_lost(code)) return skp__fail(SKP_DEVICE, "%s%s%s on %s: %s.", call, space, what, cl->name, name);
  cl->lost = true;
  return skp__fail(SKP_DEVICE,
                   "%s%s%s on %s: %s. The device gave up; usual causes are too little memory (use a smaller %s), a "
                   "kernel that ran too long, or a fault of the driver. %s shows which kernel it is.",
                   call, space, what, cl->name, name, skp__option("batch"), skp__option("sync"));
}

/* What was not even made or queued had no resources: nothing failed on the device itself. */
skp_status skp__cl_check_queued(struct skp__cl *cl, cl_int code, const char *call, const char *what) {
  return code == CL_OUT_OF_RESOURCES ? fail_memory(cl, code, call, what) : skp__cl_check(cl, code, call, what);
}

skp_status skp__cl_check_made(struct skp__cl *cl, cl_int code, const char *call, const char *what) {
  if (!means_memory(code) && code != CL_OUT_OF_RESOURCES) return skp__cl_check(cl, code, call, what);
  return skp__fail(SKP_BUILD, "%s %s on %s: %s.", call, what, cl->name, skp__cl_error_name(code));
}

skp_status skp__cl_alive(struct skp__cl *cl) {
  if (!cl->lost) return SKP_OK;
  return skp__fail(SKP_DEVICE, "%s failed earlier; what it holds is not to be trusted. Start again.", cl->name);
}
