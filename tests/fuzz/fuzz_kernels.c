/* fuzz_kernels.c: whatever an entry of the cache of kernels holds, the driver is given what was once stored, byte for
 * byte, or nothing. The bytes are the entry itself (the first is odd), or a binary that is stored, after what is then
 * done to its entry: where a byte is changed (2 bytes), by which bits (1), and how long it stays (2; more than it has:
 * all of it). The driver is here. SPDX-License-Identifier: MIT */
#include "backend/opencl/cache.h"
#include "base/file.h"
#include "parts.h"
#include <dirent.h>

enum { DAMAGE = 6 };
static const char TEXT[] = "kernel void nothing(void) {}", OPTIONS[] = "-DN=1";
static unsigned char object[1]; /* of which there is one program */

static const uint8_t *stored;
static size_t stored_bytes;
static bool given; /* to the driver */

cl_int CL_API_CALL clGetProgramInfo(cl_program program, cl_program_info what, size_t size, void *value, size_t *got) {
  (void)program, (void)size, (void)got;
  if (what == CL_PROGRAM_BINARY_SIZES) memcpy(value, &stored_bytes, sizeof stored_bytes);
  if (what == CL_PROGRAM_BINARIES) memcpy(*(unsigned char **)value, stored, stored_bytes);
  return CL_SUCCESS;
}

cl_program CL_API_CALL clCreateProgramWithBinary(cl_context context, cl_uint n, const cl_device_id *devices,
                                                 const size_t *sizes, const unsigned char **binaries, cl_int *states,
                                                 cl_int *code) {
  (void)context, (void)n, (void)devices;
  if (!stored || *sizes != stored_bytes || memcmp(*binaries, stored, stored_bytes)) abort();
  given = true;
  *states = *code = CL_SUCCESS;
  return (cl_program)object;
}

cl_int CL_API_CALL clBuildProgram(cl_program program, cl_uint n, const cl_device_id *devices, const char *options,
                                  void(CL_CALLBACK *notify)(cl_program, void *), void *user) {
  (void)program, (void)n, (void)devices, (void)notify, (void)user;
  return strcmp(options, OPTIONS) ? CL_INVALID_BUILD_OPTIONS : CL_SUCCESS;
}

/* The one entry, as it is told by what is stored first. */
static const char *entry(void) {
  static char path[512];
  char kernels[128];
  snprintf(kernels, sizeof kernels, "%s/kernels", folder());
  DIR *dir = *path ? NULL : opendir(kernels);
  for (struct dirent *e; dir && (e = readdir(dir));)
    if (*e->d_name != '.') snprintf(path, sizeof path, "kernels/%s", e->d_name);
  if (dir) closedir(dir);
  return path;
}

static void load(struct skp__cl *cl, bool must) {
  given = false;
  const bool got = skp__cl_cache_load(cl, TEXT, OPTIONS) != NULL;
  if (got != given || (must && !got)) abort();
}

/* True: nothing was done to it. */
static bool damage(const uint8_t *how) {
  char path[600];
  snprintf(path, sizeof path, "%s/%s", folder(), entry());
  uint8_t *bytes;
  int64_t size;
  if (skp__file_read((void **)&bytes, &size, path, 1 << 20) != SKP_OK) abort();
  const int64_t at = how[1] << 8 | how[2], length = how[4] << 8 | how[5];
  const bool changed = at < size && how[3], cut = length < size;
  if (changed) bytes[at] ^= how[3];
  folder_put(entry(), bytes, (size_t)(cut ? length : size));
  free(bytes);
  return !changed && !cut;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static struct skp__cl cl = {.name = "device", .driver = "1", .platform = "platform"};
  if (!cl.cache) skp__cl_cache_open(&cl, folder());
  if (!cl.cache) abort();
  stored = size > DAMAGE ? bytes + DAMAGE : bytes;
  stored_bytes = size > DAMAGE ? size - DAMAGE : 0;
  skp__cl_cache_store(&cl, (cl_program)object, TEXT, OPTIONS);
  if (!*entry() || !skp__cl_cache_has(&cl, TEXT, OPTIONS)) abort();
  if (size >= DAMAGE && *bytes % 2 == 0)
    load(&cl, damage(bytes) && stored_bytes);
  else {
    stored = NULL;
    folder_put(entry(), bytes, size);
    load(&cl, false);
  }
  return 0;
}
