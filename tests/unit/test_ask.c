/* test_ask.c: what is made of drivers' answers, whatever they are. The drivers are here: a table of answers.
 * SPDX-License-Identifier: MIT */
#include "backend/opencl/devices.h"
#include "test.h"
#include <stdint.h>

/* ---- drivers ----------------------------------------------------------------------------------------------------- */

/* What a device says to a question; a driver that knows none says CL_INVALID_VALUE. */
struct answer {
  cl_uint question;
  size_t bytes;
  const void *value;
};

static struct driver {
  const char *name;
  cl_int code; /* when it is asked for devices */
  cl_uint devices;
} drivers[40];
static cl_uint n_drivers;
static struct answer answers[64];
static size_t n_answers;

static const struct answer *find(cl_uint question) {
  for (size_t i = n_answers; i-- > 0;) /* the last one counts */
    if (answers[i].question == question) return &answers[i];
  return NULL;
}

static void says(cl_uint question, const void *value, size_t bytes) {
  answers[n_answers++] = (struct answer){question, bytes, value};
}
static void says_text(cl_uint question, const char *text) { says(question, text, strlen(text) + 1); }
#define SAYS(question, type, ...) says(question, (type[]){__VA_ARGS__}, sizeof(type[]){__VA_ARGS__})

cl_int CL_API_CALL clGetPlatformIDs(cl_uint room, cl_platform_id *out, cl_uint *n) {
  *n = n_drivers;
  for (cl_uint i = 0; i < n_drivers && i < room; i++) out[i] = (cl_platform_id)&drivers[i];
  return n_drivers ? CL_SUCCESS : -1001;
}

cl_int CL_API_CALL clGetPlatformInfo(cl_platform_id p, cl_platform_info what, size_t size, void *value, size_t *got) {
  (void)what, (void)got;
  snprintf(value, size, "%s", ((struct driver *)p)->name);
  return CL_SUCCESS;
}

cl_int CL_API_CALL clGetDeviceIDs(cl_platform_id p, cl_device_type type, cl_uint room, cl_device_id *out, cl_uint *n) {
  const struct driver *d = (struct driver *)p;
  (void)type;
  if (d->code != CL_SUCCESS) return d->code;
  *n = d->devices;
  for (cl_uint i = 0; i < d->devices && i < room; i++) out[i] = (cl_device_id)d;
  return CL_SUCCESS;
}

cl_int CL_API_CALL clGetDeviceInfo(cl_device_id d, cl_device_info what, size_t size, void *value, size_t *got) {
  const struct answer *a = find(what);
  (void)d;
  if (!a || (value && size < a->bytes)) return CL_INVALID_VALUE;
  if (got) *got = a->bytes;
  if (value) memcpy(value, a->value, a->bytes);
  return CL_SUCCESS;
}

/* ---- devices ----------------------------------------------------------------------------------------------------- */

static struct skp_device_list list;

static const struct skp_device *asked(void) {
  list = (struct skp_device_list){.n = 0};
  skp__devices_ask(&list);
  ck_assert_int_gt(list.n, 0);
  return &list.at[0];
}

/* One device that is all that Skipper wants. */
static void good(void) {
  static const cl_device_type gpu = CL_DEVICE_TYPE_GPU;
  static const cl_device_exec_capabilities kernels = CL_EXEC_KERNEL;
  static const cl_bool yes = CL_TRUE;
  drivers[0] = (struct driver){.name = " Good  ", .devices = 1};
  n_drivers = 1;
  n_answers = 0;
  says(CL_DEVICE_TYPE, &gpu, sizeof gpu);
  says(CL_DEVICE_AVAILABLE, &yes, sizeof yes);
  says(CL_DEVICE_COMPILER_AVAILABLE, &yes, sizeof yes);
  says(CL_DEVICE_ENDIAN_LITTLE, &yes, sizeof yes);
  says(CL_DEVICE_EXECUTION_CAPABILITIES, &kernels, sizeof kernels);
  says_text(CL_DEVICE_NAME, "  GPU 1 \n");
  says_text(CL_DEVICE_OPENCL_C_VERSION, "OpenCL C 1.2 ");
  says_text(CL_DEVICE_EXTENSIONS, "cl_khr_fp64_not cl_khr_fp16 cl_khr_subgroups");
}

START_TEST(usable) {
  const struct skp_device *d = asked();
  ck_assert(d->usable);
  ck_assert_str_eq(d->skipped, "");
  ck_assert_str_eq(d->platform_name, "Good");
  ck_assert_str_eq(d->name, "GPU 1");
  ck_assert_str_eq(d->type, "GPU");
  ck_assert(d->fp16 && d->subgroups && !d->fp64);
  ck_assert_str_eq(d->bus, "");
  ck_assert_int_eq(d->units, 0); /* it does not say */
}
END_TEST

static void refused(const char *why) {
  const struct skp_device *d = asked();
  ck_assert(!d->usable);
  ck_assert_str_eq(d->skipped, why);
  good();
}

START_TEST(unusable) {
  const cl_bool no = CL_FALSE;
  const cl_device_exec_capabilities native = CL_EXEC_NATIVE_KERNEL;
  const cl_device_type custom = CL_DEVICE_TYPE_CUSTOM;
  says(CL_DEVICE_AVAILABLE, &no, sizeof no);
  refused("the driver says it is not available");
  says(CL_DEVICE_COMPILER_AVAILABLE, &no, sizeof no);
  refused("its driver has no compiler");
  says(CL_DEVICE_ENDIAN_LITTLE, &no, sizeof no);
  refused("it is big-endian");
  says(CL_DEVICE_EXECUTION_CAPABILITIES, &native, sizeof native);
  refused("it cannot run OpenCL kernels");
  for (int i = 0; i < 3; i++) {
    says_text(CL_DEVICE_OPENCL_C_VERSION, (const char *[]){"OpenCL C 1.1", "", "1.2"}[i]);
    refused("it lacks OpenCL C 1.2");
  }
  says(CL_DEVICE_TYPE, &custom, sizeof custom);
  refused("it is a custom device");
}
END_TEST

/* Numbers that no int holds, and names of any length. */
START_TEST(extremes) {
  static char name[1024];
  memset(name, 'x', sizeof name - 1);
  says_text(CL_DEVICE_NAME, name);
  SAYS(CL_DEVICE_MAX_COMPUTE_UNITS, cl_uint, UINT32_MAX);
  SAYS(CL_DEVICE_GLOBAL_MEM_SIZE, cl_ulong, UINT64_MAX);
  const struct skp_device *d = asked();
  ck_assert_int_eq(d->units, INT32_MAX);
  ck_assert_int_eq(d->memory, INT64_MAX);
  ck_assert_uint_eq(strlen(d->name), sizeof d->name - 1);
}
END_TEST

/* Khronos', NVIDIA's and AMD's ways to say where a GPU is plugged in. */
START_TEST(bus) {
  unsigned char amd[24] = {1};
  amd[21] = 3, amd[22] = 1, amd[23] = 0x12;
  says(0x4037, amd, sizeof amd);
  ck_assert_str_eq(asked()->bus, "0000:03:01.2");
  amd[0] = 2; /* no PCI */
  ck_assert_str_eq(asked()->bus, "");
  SAYS(0x4008, cl_uint, 0x65);
  ck_assert_str_eq(asked()->bus, "");
  SAYS(0x4009, cl_uint, 0x0b);
  ck_assert_str_eq(asked()->bus, "0000:65:01.3");
  SAYS(0x400A, cl_uint, 0x10001);
  ck_assert_str_eq(asked()->bus, "0001:65:01.3");
  SAYS(0x410F, cl_uint, 2, 0xb3, 4, 1);
  ck_assert_str_eq(asked()->bus, "0002:b3:04.1");
}
END_TEST

/* ---- platforms --------------------------------------------------------------------------------------------------- */

START_TEST(platforms_without_devices) {
  drivers[0] = (struct driver){.name = "Broken", .code = CL_OUT_OF_HOST_MEMORY};
  drivers[1] = (struct driver){.name = "rusticl"};
  drivers[2] = (struct driver){.name = "Good", .devices = 2};
  n_drivers = 3;
  ck_assert_int_eq(asked()->platform, 2);
  ck_assert_int_eq(list.n, 2);
  ck_assert_int_eq(list.at[1].device, 1);
  ck_assert_int_eq(list.n_notes, 2);
  ck_assert_str_eq(list.notes[0], "Platform 0 (Broken) lists no device.");
  ck_assert_str_eq(list.notes[1],
                   "Platform 1 (rusticl) lists no device. It has none for the drivers that RUSTICL_ENABLE names.");
}
END_TEST

/* More of everything than there is room for. */
START_TEST(too_many) {
  for (n_drivers = 0; n_drivers < 40; n_drivers++) drivers[n_drivers] = (struct driver){.name = "Many", .devices = 500};
  asked();
  ck_assert_int_eq(list.n, SKP_MAX_DEVICES);
  for (cl_uint i = 0; i < n_drivers; i++) drivers[i].devices = 0;
  list = (struct skp_device_list){.n = 0};
  skp__devices_ask(&list);
  ck_assert_int_eq(list.n, 0);
  ck_assert_int_eq(list.n_notes, SKP_MAX_NOTES);
  n_drivers = 0;
  list = (struct skp_device_list){.n = 0};
  skp__devices_ask(&list);
  ck_assert(!list.n && !list.n_notes);
}
END_TEST

/* A device is taken by its place, if it is still the one that was listed there. */
START_TEST(found_again) {
  cl_platform_id platform;
  cl_device_id device;
  const struct skp_device d = *asked();
  ck_ok(skp__device_handles(&platform, &device, &d));
  ck_assert_ptr_eq(platform, &drivers[0]);
  says_text(CL_DEVICE_NAME, "GPU 2");
  ck_fails(skp__device_handles(&platform, &device, &d), SKP_NO_DEVICE, "GPU 1 of Good was listed, and is gone now");
  good();
  drivers[0].devices = 0;
  ck_fails(skp__device_handles(&platform, &device, &d), SKP_NO_DEVICE, "gone now");
  drivers[0].code = CL_DEVICE_NOT_FOUND;
  ck_fails(skp__device_handles(&platform, &device, &d), SKP_NO_DEVICE, "gone now (CL_DEVICE_NOT_FOUND)");
  n_drivers = 0;
  ck_fails(skp__device_handles(&platform, &device, &d), SKP_NO_DEVICE, "gone now (CL_PLATFORM_NOT_FOUND_KHR)");
}
END_TEST

/* ---- codes ------------------------------------------------------------------------------------------------------- */

/* The names are the header's. */
START_TEST(names) {
#define N(name)                                                                                                        \
  { CL_##name, "CL_" #name }
  static const struct {
    cl_int code;
    const char *name;
  } header[] = {N(SUCCESS),
                N(DEVICE_NOT_FOUND),
                N(DEVICE_NOT_AVAILABLE),
                N(COMPILER_NOT_AVAILABLE),
                N(MEM_OBJECT_ALLOCATION_FAILURE),
                N(OUT_OF_RESOURCES),
                N(OUT_OF_HOST_MEMORY),
                N(PROFILING_INFO_NOT_AVAILABLE),
                N(MEM_COPY_OVERLAP),
                N(IMAGE_FORMAT_MISMATCH),
                N(IMAGE_FORMAT_NOT_SUPPORTED),
                N(BUILD_PROGRAM_FAILURE),
                N(MAP_FAILURE),
                N(MISALIGNED_SUB_BUFFER_OFFSET),
                N(EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST),
                N(COMPILE_PROGRAM_FAILURE),
                N(LINKER_NOT_AVAILABLE),
                N(LINK_PROGRAM_FAILURE),
                N(DEVICE_PARTITION_FAILED),
                N(KERNEL_ARG_INFO_NOT_AVAILABLE),
                N(INVALID_VALUE),
                N(INVALID_DEVICE_TYPE),
                N(INVALID_PLATFORM),
                N(INVALID_DEVICE),
                N(INVALID_CONTEXT),
                N(INVALID_QUEUE_PROPERTIES),
                N(INVALID_COMMAND_QUEUE),
                N(INVALID_HOST_PTR),
                N(INVALID_MEM_OBJECT),
                N(INVALID_IMAGE_FORMAT_DESCRIPTOR),
                N(INVALID_IMAGE_SIZE),
                N(INVALID_SAMPLER),
                N(INVALID_BINARY),
                N(INVALID_BUILD_OPTIONS),
                N(INVALID_PROGRAM),
                N(INVALID_PROGRAM_EXECUTABLE),
                N(INVALID_KERNEL_NAME),
                N(INVALID_KERNEL_DEFINITION),
                N(INVALID_KERNEL),
                N(INVALID_ARG_INDEX),
                N(INVALID_ARG_VALUE),
                N(INVALID_ARG_SIZE),
                N(INVALID_KERNEL_ARGS),
                N(INVALID_WORK_DIMENSION),
                N(INVALID_WORK_GROUP_SIZE),
                N(INVALID_WORK_ITEM_SIZE),
                N(INVALID_GLOBAL_OFFSET),
                N(INVALID_EVENT_WAIT_LIST),
                N(INVALID_EVENT),
                N(INVALID_OPERATION),
                N(INVALID_GL_OBJECT),
                N(INVALID_BUFFER_SIZE),
                N(INVALID_MIP_LEVEL),
                N(INVALID_GLOBAL_WORK_SIZE),
                N(INVALID_PROPERTY),
                N(INVALID_IMAGE_DESCRIPTOR),
                N(INVALID_COMPILER_OPTIONS),
                N(INVALID_LINKER_OPTIONS),
                N(INVALID_DEVICE_PARTITION_COUNT)};
#undef N
  for (size_t i = 0; i < sizeof header / sizeof *header; i++)
    ck_assert_str_eq(skp__cl_error_name(header[i].code), header[i].name);
  ck_assert_str_eq(skp__cl_error_name(-9999), "code -9999");
}
END_TEST

enum { FAILED, SHORT, LOST, BUILD };

/* What a code means where it comes from a call, from one that queues, and from one that makes a kernel. */
static void means(cl_int code, int call, int queued, int made) {
  const skp_status statuses[] = {SKP_DEVICE, SKP_DEVICE_MEMORY, SKP_DEVICE, SKP_BUILD};
  skp_status (*const checks[])(struct skp__cl *, cl_int, const char *,
                               const char *) = {skp__cl_check, skp__cl_check_queued, skp__cl_check_made};
  const int meant[] = {call, queued, made};
  for (int i = 0; i < 3; i++) {
    struct skp__cl cl = {.name = "device"};
    char begin[80];
    snprintf(begin, sizeof begin, "clCall kernel on device: %s", skp__cl_error_name(code));
    ck_fails(checks[i](&cl, code, "clCall", "kernel"), statuses[meant[i]], begin);
    ck_assert_int_eq(cl.lost, meant[i] == LOST);
    if (cl.lost)
      ck_fails(skp__cl_alive(&cl), SKP_DEVICE, "device failed earlier");
    else
      ck_ok(skp__cl_alive(&cl));
  }
}

START_TEST(meanings) {
  struct skp__cl cl = {.name = "device"};
  ck_ok(skp__cl_check(&cl, CL_SUCCESS, "clCall", ""));
  means(CL_MEM_OBJECT_ALLOCATION_FAILURE, SHORT, SHORT, BUILD);
  means(CL_OUT_OF_HOST_MEMORY, SHORT, SHORT, BUILD);
  means(CL_INVALID_BUFFER_SIZE, SHORT, SHORT, BUILD);
  means(CL_OUT_OF_RESOURCES, LOST, SHORT, BUILD);
  means(CL_INVALID_COMMAND_QUEUE, LOST, LOST, LOST);
  means(-9999, LOST, LOST, LOST);
  means(CL_INVALID_VALUE, FAILED, FAILED, FAILED);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("ask");
  TCase *c = tcase_create("ask");
  tcase_add_checked_fixture(c, good, NULL);
  tcase_add_test(c, usable);
  tcase_add_test(c, unusable);
  tcase_add_test(c, extremes);
  tcase_add_test(c, bus);
  tcase_add_test(c, platforms_without_devices);
  tcase_add_test(c, too_many);
  tcase_add_test(c, found_again);
  tcase_add_test(c, names);
  tcase_add_test(c, meanings);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
