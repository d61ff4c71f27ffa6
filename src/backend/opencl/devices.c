/* devices.c: which OpenCL devices there are, and what each can do. SPDX-License-Identifier: MIT */
#include "backend/opencl/runtime.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_PLATFORMS = 32, MAX_DEVICES = 64 };

static void device_text(cl_device_id id, cl_device_info what, char *text, size_t size) {
  memset(text, 0, size);
  if (clGetDeviceInfo(id, what, size - 1, text, NULL) != CL_SUCCESS) snprintf(text, size, "?");
}

static void fill(struct skp_device *d, cl_platform_id platform, cl_device_id id) {
  cl_device_type type = 0;
  cl_uint units = 0, clock = 0;
  cl_ulong memory = 0, most = 0, local = 0;
  clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof d->platform_name - 1, d->platform_name, NULL);
  device_text(id, CL_DEVICE_NAME, d->name, sizeof d->name);
  device_text(id, CL_DEVICE_VENDOR, d->vendor, sizeof d->vendor);
  device_text(id, CL_DEVICE_VERSION, d->version, sizeof d->version);
  device_text(id, CL_DRIVER_VERSION, d->driver, sizeof d->driver);
  device_text(id, CL_DEVICE_OPENCL_C_VERSION, d->c_version, sizeof d->c_version);
  clGetDeviceInfo(id, CL_DEVICE_TYPE, sizeof type, &type, NULL);
  clGetDeviceInfo(id, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units, NULL);
  clGetDeviceInfo(id, CL_DEVICE_MAX_CLOCK_FREQUENCY, sizeof clock, &clock, NULL);
  clGetDeviceInfo(id, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof memory, &memory, NULL);
  clGetDeviceInfo(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof most, &most, NULL);
  clGetDeviceInfo(id, CL_DEVICE_LOCAL_MEM_SIZE, sizeof local, &local, NULL);
  clGetDeviceInfo(id, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof d->max_group, &d->max_group, NULL);
  snprintf(d->type, sizeof d->type, "%s",
           type & CL_DEVICE_TYPE_GPU   ? "GPU"
           : type & CL_DEVICE_TYPE_CPU ? "CPU"
                                       : "ACCELERATOR");
  d->units = (int)units;
  d->clock_mhz = (int)clock;
  d->memory = (int64_t)memory;
  d->max_allocation = (int64_t)most;
  d->local_memory = (int64_t)local;
  d->usable = true;
}

skp_status skp__devices_list(struct skp_device_list *out) {
  cl_platform_id platforms[MAX_PLATFORMS];
  cl_device_id devices[MAX_DEVICES];
  cl_uint n_platforms = 0, n_devices = 0;
  *out = (struct skp_device_list){0};
  SKP_TRY(skp__alloc(&out->at, MAX_DEVICES, sizeof *out->at));
  if (clGetPlatformIDs(MAX_PLATFORMS, platforms, &n_platforms) != CL_SUCCESS) return SKP_OK;
  for (cl_uint p = 0; p < n_platforms; p++) {
    if (clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, MAX_DEVICES, devices, &n_devices) != CL_SUCCESS) continue;
    for (cl_uint i = 0; i < n_devices && out->n < MAX_DEVICES; i++) {
      struct skp_device *d = &out->at[out->n++];
      d->platform = (int)p;
      d->device = (int)i;
      fill(d, platforms[p], devices[i]);
    }
  }
  return SKP_OK;
}

void skp__devices_free(struct skp_device_list *list) {
  free(list->at);
  free(list->notes);
  *list = (struct skp_device_list){0};
}

skp_status skp__device_handles(cl_platform_id *platform, cl_device_id *device, const struct skp_device *d) {
  cl_platform_id platforms[MAX_PLATFORMS];
  cl_device_id devices[MAX_DEVICES];
  cl_uint n = 0;
  if (clGetPlatformIDs(MAX_PLATFORMS, platforms, &n) != CL_SUCCESS || (cl_uint)d->platform >= n)
    return skp__fail(SKP_NO_DEVICE, "Platform %s is gone.", d->platform_name);
  *platform = platforms[d->platform];
  if (clGetDeviceIDs(*platform, CL_DEVICE_TYPE_ALL, MAX_DEVICES, devices, &n) != CL_SUCCESS || (cl_uint)d->device >= n)
    return skp__fail(SKP_NO_DEVICE, "Device %s is gone.", d->name);
  *device = devices[d->device];
  return SKP_OK;
}

skp_status skp__devices_choose(const struct skp_device **out, const struct skp_device_list *list, const char *platform,
                               const char *device) {
  *out = NULL;
  for (size_t i = 0; i < list->n; i++)
    if ((!platform || strstr(list->at[i].platform_name, platform)) && (!device || strstr(list->at[i].name, device))) {
      *out = &list->at[i];
      return SKP_OK;
    }
  return skp__fail(SKP_NO_DEVICE, "%s", skp__devices_advice());
}

const char *skp__devices_advice(void) { return "There is no OpenCL device."; }
