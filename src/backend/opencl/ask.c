/* ask.c: asks the drivers, in this process, which devices there are, what each can do, and whether Skipper can use it.
 * SPDX-License-Identifier: MIT */
#include "backend/opencl/devices.h"
#include "base/pattern.h"
#include <CL/cl_ext.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PLATFORMS = 32 };

/* Vendors' own ways to say where a GPU is plugged in, older than the Khronos one. */
enum {
  PCI_BUS_NV = 0x4008,
  PCI_SLOT_NV = 0x4009,
  PCI_DOMAIN_NV = 0x400A,
  TOPOLOGY_AMD = 0x4037,
  PCI_BUS_INFO = 0x410F
};

void skp__devices_note(struct skp_device_list *list, const char *format, ...) {
  if (list->n_notes == SKP_MAX_NOTES) return;
  va_list args;
  va_start(args, format);
  vsnprintf(list->notes[list->n_notes++], sizeof *list->notes, format, args);
  va_end(args);
}

/* ---- asking one device ------------------------------------------------------------------------------------------ */

/* False, and zeros, if the device does not know. */
static bool ask(cl_device_id id, cl_device_info what, void *out, size_t size) {
  memset(out, 0, size);
  return clGetDeviceInfo(id, what, size, out, NULL) == CL_SUCCESS;
}

/* Drivers pad names with blanks, in front too. */
static void trim(char *text) {
  size_t skip = strspn(text, " \t\n"), n = strlen(text + skip);
  while (n && isspace((unsigned char)text[skip + n - 1])) n--;
  memmove(text, text + skip, n);
  text[n] = 0;
}

static void ask_text(cl_device_id id, cl_device_info what, char *out, size_t size) {
  char text[1024];
  if (!ask(id, what, text, sizeof text)) text[0] = 0;
  text[sizeof text - 1] = 0;
  trim(text);
  snprintf(out, size, "%s", text);
}

static bool has_extension(const char *all, const char *name) {
  size_t n = strlen(name);
  for (const char *at = all; (at = strstr(at, name)); at += n)
    if ((at == all || at[-1] == ' ') && (!at[n] || at[n] == ' ')) return true;
  return false;
}

static void ask_extensions(cl_device_id id, struct skp_device *d) {
  size_t n = 0;
  if (clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, 0, NULL, &n) != CL_SUCCESS) return;
  char *all = calloc(n + 1, 1);
  if (all && clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, n, all, NULL) == CL_SUCCESS) {
    d->fp16 = has_extension(all, "cl_khr_fp16");
    d->fp64 = has_extension(all, "cl_khr_fp64");
    d->subgroups = has_extension(all, "cl_khr_subgroups");
  }
  free(all);
}

static void ask_bus(cl_device_id id, struct skp_device *d) {
  cl_uint khronos[4], domain, bus, slot; /* domain, bus, device, function */
  unsigned char amd[24];                 /* a union: type 1 is PCI; bus, device and function are its last three bytes */
  if (ask(id, PCI_BUS_INFO, khronos, sizeof khronos))
    snprintf(d->bus, sizeof d->bus, "%04x:%02x:%02x.%x", khronos[0] & 0xffff, khronos[1] & 0xff, khronos[2] & 0xff,
             khronos[3] & 0xf);
  else if (ask(id, PCI_BUS_NV, &bus, sizeof bus) && ask(id, PCI_SLOT_NV, &slot, sizeof slot)) {
    ask(id, PCI_DOMAIN_NV, &domain, sizeof domain);
    snprintf(d->bus, sizeof d->bus, "%04x:%02x:%02x.%x", domain & 0xffff, bus & 0xff, (slot >> 3) & 0x1f, slot & 7);
  } else if (ask(id, TOPOLOGY_AMD, amd, sizeof amd) && amd[0] == 1)
    snprintf(d->bus, sizeof d->bus, "0000:%02x:%02x.%x", amd[21], amd[22], amd[23] & 0xf);
}

static int64_t ask_long(cl_device_id id, cl_device_info what) {
  cl_ulong value;
  ask(id, what, &value, sizeof value);
  return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

static int ask_int(cl_device_id id, cl_device_info what) {
  cl_uint value;
  ask(id, what, &value, sizeof value);
  return value > INT32_MAX ? INT32_MAX : (int)value;
}

static void ask_numbers(cl_device_id id, struct skp_device *d) {
  d->units = ask_int(id, CL_DEVICE_MAX_COMPUTE_UNITS);
  d->clock_mhz = ask_int(id, CL_DEVICE_MAX_CLOCK_FREQUENCY);
  d->unified = ask_int(id, CL_DEVICE_HOST_UNIFIED_MEMORY);
  d->memory = ask_long(id, CL_DEVICE_GLOBAL_MEM_SIZE);
  d->max_allocation = ask_long(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
  d->local_memory = ask_long(id, CL_DEVICE_LOCAL_MEM_SIZE);
  ask(id, CL_DEVICE_MAX_WORK_GROUP_SIZE, &d->max_group, sizeof d->max_group);
}

/* Why Skipper cannot use the device; NULL if it can. */
static const char *unusable(cl_device_id id, const struct skp_device *d) {
  cl_device_exec_capabilities can;
  int major = 0, minor = 0;
  if (!ask_int(id, CL_DEVICE_AVAILABLE)) return "the driver says it is not available";
  if (!ask_int(id, CL_DEVICE_COMPILER_AVAILABLE)) return "its driver has no compiler";
  if (!ask_int(id, CL_DEVICE_ENDIAN_LITTLE)) return "it is big-endian";
  if (!ask(id, CL_DEVICE_EXECUTION_CAPABILITIES, &can, sizeof can) || !(can & CL_EXEC_KERNEL))
    return "it cannot run OpenCL kernels";
  if (sscanf(d->c_version, "OpenCL C %d.%d", &major, &minor) != 2 || 100 * major + 10 * minor < 120)
    return "it lacks OpenCL C 1.2";
  if (!*d->type) return "it is a custom device";
  return NULL;
}

static void ask_device(struct skp_device *d, cl_device_id id) {
  cl_device_type type;
  ask(id, CL_DEVICE_TYPE, &type, sizeof type);
  snprintf(d->type, sizeof d->type, "%s",
           type & CL_DEVICE_TYPE_GPU           ? "GPU"
           : type & CL_DEVICE_TYPE_CPU         ? "CPU"
           : type & CL_DEVICE_TYPE_ACCELERATOR ? "ACCELERATOR"
                                               : "");
  ask_text(id, CL_DEVICE_NAME, d->name, sizeof d->name);
  ask_text(id, CL_DEVICE_VENDOR, d->vendor, sizeof d->vendor);
  ask_text(id, CL_DEVICE_VERSION, d->version, sizeof d->version);
  ask_text(id, CL_DRIVER_VERSION, d->driver, sizeof d->driver);
  ask_text(id, CL_DEVICE_OPENCL_C_VERSION, d->c_version, sizeof d->c_version);
  ask_numbers(id, d);
  ask_extensions(id, d);
  ask_bus(id, d);
  const char *reason = unusable(id, d);
  d->usable = !reason;
  snprintf(d->skipped, sizeof d->skipped, "%s", reason ? reason : "");
}

/* ---- asking all ------------------------------------------------------------------------------------------------- */

static void ask_platform(struct skp_device_list *list, cl_platform_id platform, int index) {
  cl_device_id ids[SKP_MAX_DEVICES];
  char name[160] = "?";
  cl_uint n = 0;
  clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof name - 1, name, NULL);
  trim(name);
  if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, SKP_MAX_DEVICES, ids, &n) != CL_SUCCESS) n = 0;
  if (!n)
    skp__devices_note(list, "Platform %d (%s) lists no device.%s", index, name,
                      skp__text_has(name, "rusticl") ? " It has none for the drivers that RUSTICL_ENABLE names." : "");
  for (cl_uint i = 0; i < n && i < SKP_MAX_DEVICES && list->n < SKP_MAX_DEVICES; i++) {
    struct skp_device *d = &list->at[list->n++];
    *d = (struct skp_device){.platform = index, .device = (int)i};
    snprintf(d->platform_name, sizeof d->platform_name, "%s", name);
    ask_device(d, ids[i]);
  }
}

void skp__devices_ask(struct skp_device_list *list) {
  cl_platform_id platforms[MAX_PLATFORMS];
  cl_uint n = 0;
  if (clGetPlatformIDs(MAX_PLATFORMS, platforms, &n) != CL_SUCCESS) return; /* the loader's way to say "none" */
  for (cl_uint p = 0; p < n && p < MAX_PLATFORMS; p++) ask_platform(list, platforms[p], (int)p);
}

/* ---- finding one again ----------------------------------------------------------------------------------------- */

skp_status skp__device_handles(cl_platform_id *platform, cl_device_id *device, const struct skp_device *d) {
  cl_platform_id platforms[MAX_PLATFORMS];
  cl_device_id devices[SKP_MAX_DEVICES];
  char name[160] = "";
  cl_uint n = 0;
  cl_int code = clGetPlatformIDs(MAX_PLATFORMS, platforms, &n);
  bool found = code == CL_SUCCESS && (cl_uint)d->platform < n;
  if (found) {
    *platform = platforms[d->platform];
    code = clGetDeviceIDs(*platform, CL_DEVICE_TYPE_ALL, SKP_MAX_DEVICES, devices, &n);
    found = code == CL_SUCCESS && (cl_uint)d->device < n;
  }
  if (found) {
    *device = devices[d->device];
    ask_text(*device, CL_DEVICE_NAME, name, sizeof name);
    found = !strcmp(name, d->name);
  }
  if (found) return SKP_OK;
  return skp__fail(SKP_NO_DEVICE, "%s of %s was listed, and is gone now (%s).", d->name, d->platform_name,
                   skp__cl_error_name(code));
}
