/* cl.c: opening, closing and describing an OpenCL device; the backend's table of slots. SPDX-License-Identifier: MIT */
#include "backend/opencl/ahead.h"
#include "backend/opencl/buffer.h"
#include "backend/opencl/cache.h"
#include "backend/opencl/compilers.h"
#include "backend/opencl/conv.h"
#include "backend/opencl/devices.h"
#include "backend/opencl/method.h"
#include "backend/opencl/peak.h"
#include "backend/opencl/program.h"
#include "backend/opencl/record.h"
#include "backend/opencl/tickets.h"
#include "backend/opencl/timing.h"
#include "base/host.h"
#include <stdlib.h>
#include <string.h>

static skp_status ask(struct skp__cl *cl, cl_device_info what, size_t size, void *out) {
  return skp__cl_check(cl, clGetDeviceInfo(cl->device, what, size, out, NULL), "clGetDeviceInfo", "");
}

/* Asked first: rusticl of Mesa 22.3 crashes when a device that cannot is partitioned. */
static bool can_partition(struct skp__cl *cl) {
  cl_device_partition_property kinds[16] = {0};
  if (ask(cl, CL_DEVICE_PARTITION_PROPERTIES, sizeof kinds, kinds) != SKP_OK) return false;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (kinds[i] == CL_DEVICE_PARTITION_BY_COUNTS) return true;
  return false;
}

/* A part of the device with so many compute units; on a GPU there is nothing to limit. */
static skp_status limit_threads(struct skp__cl *cl, bool gpu, int threads, bool at_will) {
  cl_uint units = 0, n = 0;
  SKP_TRY(ask(cl, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units));
  if (threads <= 0 || (!gpu && (cl_uint)threads >= units)) return SKP_OK;
  if (gpu) {
    if (cl->trace) fprintf(cl->trace, "%s is no CPU: %s does not limit it.\n", cl->name, skp__option("threads"));
    return SKP_OK;
  }
  const cl_device_partition_property parts[] = {CL_DEVICE_PARTITION_BY_COUNTS, threads,
                                                CL_DEVICE_PARTITION_BY_COUNTS_LIST_END, 0};
  cl_device_id part;
  cl_int code = CL_INVALID_VALUE;
  if (can_partition(cl))
    code = SKP_CALL(cl, "clCreateSubDevices", "", clCreateSubDevices(cl->device, parts, 1, &part, &n));
  if (code != CL_SUCCESS && at_will) return SKP_OK;
  if (code != CL_SUCCESS)
    return skp__fail(SKP_UNSUPPORTED, "%s cannot be limited to %d threads (clCreateSubDevices: %s). Leave out %s.",
                     cl->name, threads, skp__cl_error_name(code), skp__option("threads"));
  cl->device = cl->part = part;
  return SKP_OK;
}

/* "VERSION, DRIVER" */
static void name_driver(char out[256], const struct skp_device *d) {
  snprintf(out, 256, "%.120s, %.120s", d->version, d->driver);
}

static skp_status find_device(struct skp__cl *cl, const struct skp_backend_options *options) {
  const struct skp_device_list *list;
  const struct skp_device *d;
  cl_uint width;
  SKP_TRY(skp__cl_devices(&list));
  SKP_TRY(skp__cl_choose_device(&d, NULL, list, NULL, options->platform, options->device));
  snprintf(cl->name, sizeof cl->name, "%s", d->name);
  snprintf(cl->platform, sizeof cl->platform, "%s", d->platform_name);
  name_driver(cl->driver, d);
  skp__cl_cache_open(cl, options->cache);
  skp__cl_compilers_start(cl, d, options->threads, skp__cl_compile_here);
  SKP_TRY(skp__watch_start(&cl->watch));
  SKP_TRY((skp_status)SKP_CALL(cl, "clGetPlatformIDs", "", skp__device_handles(&cl->platform_id, &cl->device, d)));
  SKP_TRY(ask(cl, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, sizeof width, &width));
  bool checker = !strcmp(d->platform_name, "Oclgrind"); /* calls itself a GPU too, and should see all methods */
  cl->lanes = (int)width;
  cl->cpu = checker || (!strcmp(d->type, "CPU") && width > 1);
  const bool pocl = !strcmp(d->platform_name, "Portable Computing Language");
  cl->bf16_dot = pocl && width >= 16 && skp__cl_host_has_bf16();
  cl->amx = cl->bf16_dot && skp__cl_host_has_amx();
  cl->plain_tiles = pocl || checker;
  cl->max_group = d->max_group;
  cl->memory = d->memory;
  cl->max_allocation = d->max_allocation;
  if (options->memory && options->memory < cl->memory) cl->memory = options->memory;
  if (cl->memory < cl->max_allocation) cl->max_allocation = cl->memory;
  cl->local_memory = d->local_memory;
  return limit_threads(cl, strcmp(d->type, "CPU"), options->threads, options->at_will);
}

static skp_status describe(struct skp__cl *cl) {
  cl_uint units, align_bits, vendor;
  size_t items[16] = {0};
  char language[80] = "";
  int major = 1, minor = 2;
  SKP_TRY(ask(cl, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units));
  SKP_TRY(ask(cl, CL_DEVICE_VENDOR_ID, sizeof vendor, &vendor));
  SKP_TRY(ask(cl, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof align_bits, &align_bits));
  SKP_TRY(ask(cl, CL_DEVICE_MAX_WORK_ITEM_SIZES, sizeof items, items));
  SKP_TRY(ask(cl, CL_DEVICE_OPENCL_C_VERSION, sizeof language, language));
  sscanf(language, "OpenCL C %d.%d", &major, &minor);
  cl->c_version = 100 * major + 10 * minor;
  cl->units = (int)units;
  cl->vendor = vendor;
  cl->alignment = align_bits / 8 < 64 ? 64 : align_bits / 8; /* at least a vector of 16 floats, a cache line */
  memcpy(cl->max_items, items, sizeof cl->max_items);
  return SKP_OK;
}

static skp_status open_queue(struct skp__cl *cl) {
  const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM, (cl_context_properties)cl->platform_id, 0};
  cl_int code;
  SKP_TRY(SKP_CHECK_QUEUED(cl, "clCreateContext", "",
                           (cl->context = clCreateContext(properties, 1, &cl->device, NULL, NULL, &code), code)));
  return SKP_CHECK_QUEUED(cl, "clCreateCommandQueue", "",
                          (cl->queue = clCreateCommandQueue(cl->context, cl->device, 0, &code), code));
}

static skp_status open_parts(struct skp__cl *cl, const struct skp_backend_options *options) {
  SKP_TRY(skp__strdup(&cl->forced, options->method ? options->method : ""));
  SKP_TRY(skp__cl_forced_check(cl->forced));
  SKP_TRY(find_device(cl, options));
  SKP_TRY(describe(cl));
  SKP_TRY(open_queue(cl));
  return skp__cl_tickets_create(cl, options);
}

static void close_device(struct skp_backend *b) {
  struct skp__cl *cl = (struct skp__cl *)b;
  if (!cl) return;
  uint64_t last;
  skp__cl_compilers_stop(cl);
  if (cl->tickets && !cl->lost && skp__cl_ticket(b, &last) == SKP_OK) (void)skp__cl_wait(b, last);
  skp__cl_record_free(cl);
  skp__cl_programs_free(cl);
  if (!cl->hung) {
    /* else its programs are released when the process ends, after the driver's own data (oclgrind crashes) */
    skp__conv_clblast_forget(cl);
    if (cl->queue) SKP_CALL(cl, "clReleaseCommandQueue", "", clReleaseCommandQueue(cl->queue));
    if (cl->context) SKP_CALL(cl, "clReleaseContext", "", clReleaseContext(cl->context));
    if (cl->part) SKP_CALL(cl, "clReleaseDevice", "", clReleaseDevice(cl->part));
  }
  skp__watch_stop(&cl->watch);
  skp__cl_tickets_destroy(cl);
  skp__cl_cache_close(cl);
  free(cl->forced);
  free(cl);
}

static skp_status open_device(struct skp_backend **out, const struct skp_backend_options *options) {
  struct skp__cl *cl;
  *out = NULL;
  SKP_TRY(skp__alloc(&cl, 1, sizeof *cl));
  cl->base.ops = &skp__backend_opencl;
  cl->trace = options->trace;
  cl->report = options->report;
  cl->watch = (struct skp__watch){.device = cl->name,
                                  .limit = options->timeout > 0 ? options->timeout : SKP_WATCH_LIMIT_S,
                                  .hung = options->hung,
                                  .user = options->user,
                                  .hurry = &cl->base.hurry};
  skp_status status = open_parts(cl, options);
  if (status != SKP_OK) {
    close_device(&cl->base);
    return status;
  }
  *out = &cl->base;
  return SKP_OK;
}

/* What it is called, opened or not. */
static void name(struct skp_backend_info *out, const char *device, const char *platform, const char *driver) {
  const char *layers = skp__environment_get("OPENCL_LAYERS");
  snprintf(out->name, sizeof out->name, "%s", device);
  snprintf(out->driver, sizeof out->driver, "%.80s, %.170s", platform, driver);
  snprintf(out->layers, sizeof out->layers, "%s", layers ? layers : "");
}

static void describe_listed(struct skp_backend_info *out, const struct skp_device *d) {
  char driver[256];
  *out = (struct skp_backend_info){.units = d->units};
  name_driver(driver, d);
  name(out, d->name, d->platform_name, driver);
}

static void info(struct skp_backend *b, struct skp_backend_info *out) {
  const struct skp__cl *cl = (const struct skp__cl *)b;
  *out = (struct skp_backend_info){.memory = cl->memory,
                                   .max_allocation = cl->max_allocation,
                                   .alignment = cl->alignment,
                                   .used = cl->used,
                                   .keeps_kernels = skp__cl_cache_lasts(cl),
                                   .forced = *cl->forced,
                                   .narrow_maps = cl->cpu,
                                   .statistics = !cl->cpu,
                                   .units = cl->units,
                                   .cache = skp__cl_cache_folder(cl)};
  name(out, cl->name, cl->platform, cl->driver);
}

const struct skp_backend_ops skp__backend_opencl = {
    .name = "opencl",
    .devices = skp__cl_devices,
    .describe = describe_listed,
    .choose = skp__cl_choose_device,
    .open = open_device,
    .close = close_device,
    .info = info,
    .buffer_create = skp__cl_buffer_create,
    .buffer_slice = skp__cl_buffer_slice,
    .buffer_destroy = skp__cl_buffer_destroy,
    .write = skp__cl_write,
    .read = skp__cl_read,
    .expect = skp__cl_expect,
    .prepare = skp__cl_prepare,
    .workspace = skp__cl_workspace,
    .launches = skp__cl_launches,
    .parts = skp__cl_parts,
    .kept = skp__cl_kept,
    .method = skp__cl_method_of,
    .tolerance = skp__cl_tolerance,
    .bind = skp__cl_bind,
    .prepared_destroy = skp__cl_prepared_destroy,
    .run = skp__cl_run,
    .time = skp__cl_time,
    .measure = skp__cl_measure,
    .record = skp__cl_record,
    .ticket = skp__cl_ticket,
    .drain = skp__cl_drain,
    .wait = skp__cl_wait,
    .method_name = skp__cl_method_name,
    .method_refusal = skp__cl_method_refusal,
    .method_suits = skp__cl_method_suits,
    .kernels = skp__cl_kernels_of,
    .compiled = skp__cl_compiled,
};
