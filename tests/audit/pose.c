/* pose.c: a layer of the OpenCL loader (OPENCL_LAYERS=libpose.so) that makes any device pass for a GPU, so that the
 * methods for GPUs can be seen without one: POSE_NAME, POSE_VENDOR (PCI's number), POSE_UNITS, POSE_GROUP (most
 * work-items of a group, which counts for kernels, too), POSE_LOCAL (KB), POSE_GB; with POSE_LANES for a CPU with
 * vectors of so many floats. Kernels run on the real device; with POSE_LOG, a folder, they do not: programs go there as
 * ID.cl and ID.options, and into `launches`, a line each:
 *
 *   launch PROGRAM KERNEL global local (three times) BYTES ARGUMENT …    BYTES: of all buffers that it is given, each
 *   fill BYTES                                                           once; an ARGUMENT is a whole number, or -
 *   copy BYTES, write BYTES, read BYTES
 *
 * SPDX-License-Identifier: MIT */
#include "../opencl_layer.h"
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

static FILE *launches;

/* ---- who it is --------------------------------------------------------------------------------------------------- */

/* What is asked, of which type the answer is, the variable with it, and its unit. */
static const struct pose {
  cl_device_info what;
  size_t bytes; /* of the answer: 4 or 8 */
  const char *variable;
  uint64_t unit;
} poses[] = {
    {CL_DEVICE_VENDOR_ID, 4, "POSE_VENDOR", 1},
    {CL_DEVICE_MAX_COMPUTE_UNITS, 4, "POSE_UNITS", 1},
    {CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof(size_t), "POSE_GROUP", 1},
    {CL_DEVICE_LOCAL_MEM_SIZE, 8, "POSE_LOCAL", 1 << 10},
    {CL_DEVICE_GLOBAL_MEM_SIZE, 8, "POSE_GB", 1 << 30},
    {CL_DEVICE_MAX_MEM_ALLOC_SIZE, 8, "POSE_GB", 1 << 28},
};

static cl_int CL_API_CALL device_info(cl_device_id d, cl_device_info what, size_t size, void *value, size_t *size_ret) {
  const char *name = getenv("POSE_NAME"), *vectors = getenv("POSE_LANES");
  const cl_device_type type = vectors ? CL_DEVICE_TYPE_CPU : CL_DEVICE_TYPE_GPU;
  const cl_uint lanes = vectors ? (cl_uint)atoi(vectors) : 1;
  if (what == CL_DEVICE_TYPE) return give(&type, sizeof type, size, value, size_ret);
  if (what == CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT) return give(&lanes, sizeof lanes, size, value, size_ret);
  if (what == CL_DEVICE_NAME && name) return give(name, strlen(name) + 1, size, value, size_ret);
  for (size_t i = 0; i < sizeof poses / sizeof *poses; i++) {
    const char *text = getenv(poses[i].variable);
    if (poses[i].what != what || !text) continue;
    uint64_t number = strtoull(text, NULL, 0) * poses[i].unit; /* of which the first bytes are the small one's, too */
    return give(&number, poses[i].bytes, size, value, size_ret);
  }
  return next->clGetDeviceInfo(d, what, size, value, size_ret);
}

/* ---- how large groups may be ------------------------------------------------------------------------------------- */

/* The most work-items of a group that is posed with; 0: as many as there are. */
static size_t most_items(void) {
  const char *text = getenv("POSE_GROUP");
  return text ? strtoull(text, NULL, 0) : 0;
}

static cl_int CL_API_CALL kernel_info(cl_kernel kernel, cl_device_id d, cl_kernel_work_group_info what, size_t size,
                                      void *value, size_t *size_ret) {
  const cl_int code = next->clGetKernelWorkGroupInfo(kernel, d, what, size, value, size_ret);
  size_t *limit = what == CL_KERNEL_WORK_GROUP_SIZE && code == CL_SUCCESS ? value : NULL;
  if (limit && most_items() && *limit > most_items()) *limit = most_items();
  return code;
}

/* As a driver refuses groups that are too large. */
static cl_int CL_API_CALL launch_small(cl_command_queue queue, cl_kernel kernel, cl_uint dims, const size_t *offset,
                                       const size_t *global, const size_t *local, cl_uint n, const cl_event *wait,
                                       cl_event *event) {
  size_t items = 1;
  for (cl_uint i = 0; i < dims && local; i++) items *= local[i];
  if (most_items() && items > most_items()) return CL_INVALID_WORK_GROUP_SIZE;
  return next->clEnqueueNDRangeKernel(queue, kernel, dims, offset, global, local, n, wait, event);
}

/* ---- what it is asked to do -------------------------------------------------------------------------------------- */

static struct program {
  cl_program program;
  char *text;
  uint64_t id; /* of text and options */
} * programs;
static size_t n_programs;

static struct program *find(cl_program program) {
  for (size_t i = n_programs; i-- > 0;)
    if (programs[i].program == program) return &programs[i];
  return NULL;
}

static cl_program CL_API_CALL create_program(cl_context context, cl_uint n, const char **texts, const size_t *lengths,
                                             cl_int *code) {
  cl_program program = next->clCreateProgramWithSource(context, n, texts, lengths, code);
  size_t bytes = 0;
  char *text = must(calloc(1, 1));
  for (cl_uint i = 0; i < n; i++) {
    size_t length = lengths && lengths[i] ? lengths[i] : strlen(texts[i]);
    text = must(realloc(text, bytes + length + 1));
    memcpy(text + bytes, texts[i], length);
    text[bytes += length] = '\0';
  }
  programs = must(realloc(programs, (n_programs + 1) * sizeof *programs));
  programs[n_programs++] = (struct program){program, text, 0};
  return program;
}

/* Programs are given out as text alone: each process that uses one builds it, and says which one it is. */
static cl_int CL_API_CALL program_info(cl_program program, cl_program_info what, size_t size, void *value,
                                       size_t *size_ret) {
  const size_t none = 0;
  if (what == CL_PROGRAM_BINARY_SIZES) return give(&none, sizeof none, size, value, size_ret);
  return next->clGetProgramInfo(program, what, size, value, size_ret);
}

static uint64_t hash(uint64_t h, const char *text) { /* FNV-1a */
  for (; *text; text++) h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
  return h;
}

static void save(uint64_t id, const char *ending, const char *text) {
  char name[600];
  snprintf(name, sizeof name, "%.500s/%016" PRIx64 ".%s", getenv("POSE_LOG"), id, ending);
  FILE *f = must(fopen(name, "w"));
  fputs(text, f);
  fclose(f);
}

static cl_int CL_API_CALL build_program(cl_program program, cl_uint n, const cl_device_id *devices, const char *options,
                                        void(CL_CALLBACK *notify)(cl_program, void *), void *user) {
  struct program *p = find(program);
  if (p) {
    p->id = hash(hash(UINT64_C(14695981039346656037), p->text), options ? options : "");
    save(p->id, "cl", p->text);
    save(p->id, "options", options ? options : "");
  }
  return next->clBuildProgram(program, n, devices, options, notify, user);
}

/* Buffers: where nothing runs they need no memory, however large the device that is posed as. */
enum { HELD = 4096 }; /* bytes of the real one */
static struct buffer {
  cl_mem buffer;
  size_t bytes; /* as it was asked for */
} * buffers;
static size_t n_buffers;

static cl_mem note_buffer(cl_mem buffer, size_t bytes) {
  buffers = must(realloc(buffers, (n_buffers + 1) * sizeof *buffers));
  buffers[n_buffers++] = (struct buffer){buffer, bytes};
  return buffer;
}

/* Objects that were released may come back as others: what was last made counts. */
static size_t bytes_of(cl_mem buffer) {
  for (size_t i = n_buffers; i-- > 0;)
    if (buffers[i].buffer == buffer) return buffers[i].bytes;
  return 0;
}

static cl_mem CL_API_CALL create_buffer(cl_context context, cl_mem_flags flags, size_t bytes, void *host,
                                        cl_int *code) {
  (void)host;
  flags &= ~(cl_mem_flags)(CL_MEM_USE_HOST_PTR | CL_MEM_COPY_HOST_PTR);
  return note_buffer(next->clCreateBuffer(context, flags, HELD, NULL, code), bytes);
}

static cl_mem CL_API_CALL create_part(cl_mem buffer, cl_mem_flags flags, cl_buffer_create_type type, const void *info,
                                      cl_int *code) {
  const cl_buffer_region whole = {0, HELD}, *region = info;
  return note_buffer(next->clCreateSubBuffer(buffer, flags, type, &whole, code), region->size);
}

/* The arguments of the kernels, as they were last set. */
enum { ARGUMENTS = 64 };
static struct kernel {
  cl_kernel kernel;
  unsigned n;
  struct argument {
    cl_mem buffer; /* NULL: a number */
    cl_int number;
  } arguments[ARGUMENTS];
} * kernels;
static size_t n_kernels;

static struct kernel *find_kernel(cl_kernel kernel) {
  for (size_t i = n_kernels; i-- > 0;)
    if (kernels[i].kernel == kernel) return &kernels[i];
  return NULL;
}

static cl_kernel CL_API_CALL create_kernel(cl_program program, const char *name, cl_int *code) {
  cl_kernel kernel = next->clCreateKernel(program, name, code);
  kernels = must(realloc(kernels, (n_kernels + 1) * sizeof *kernels));
  kernels[n_kernels++] = (struct kernel){.kernel = kernel};
  return kernel;
}

static cl_int CL_API_CALL set_argument(cl_kernel kernel, cl_uint i, size_t size, const void *value) {
  struct kernel *k = find_kernel(kernel);
  if (k && i < ARGUMENTS) {
    struct argument *a = &k->arguments[i];
    *a = (struct argument){NULL, 0};
    if (value && size == sizeof a->buffer) memcpy(&a->buffer, value, size);
    if (value && size == sizeof a->number) memcpy(&a->number, value, size);
    if (i >= k->n) k->n = i + 1;
  }
  return next->clSetKernelArg(kernel, i, size, value);
}

static size_t bytes_of_all(const struct kernel *k) {
  size_t all = 0;
  for (unsigned i = 0; i < k->n; i++) {
    bool again = !k->arguments[i].buffer;
    for (unsigned j = 0; j < i; j++) again |= k->arguments[j].buffer == k->arguments[i].buffer;
    all += again ? 0 : bytes_of(k->arguments[i].buffer);
  }
  return all;
}

static void log_arguments(const struct kernel *k) {
  fprintf(launches, " %zu", bytes_of_all(k));
  for (unsigned i = 0; i < k->n; i++)
    if (k->arguments[i].buffer)
      fputs(" -", launches);
    else
      fprintf(launches, " %d", k->arguments[i].number);
}

static cl_int done(cl_command_queue queue, cl_uint n, const cl_event *wait, cl_event *event) {
  return event ? next->clEnqueueMarkerWithWaitList(queue, n, wait, event) : CL_SUCCESS;
}

static cl_int CL_API_CALL launch(cl_command_queue queue, cl_kernel kernel, cl_uint dims, const size_t *offset,
                                 const size_t *global, const size_t *local, cl_uint n, const cl_event *wait,
                                 cl_event *event) {
  char name[200] = "";
  cl_program program = NULL;
  (void)offset;
  next->clGetKernelInfo(kernel, CL_KERNEL_FUNCTION_NAME, sizeof name, name, NULL);
  next->clGetKernelInfo(kernel, CL_KERNEL_PROGRAM, sizeof(cl_program), &program, NULL);
  const struct program *p = find(program);
  fprintf(launches, "launch %016" PRIx64 " %s", p ? p->id : 0, name);
  for (cl_uint i = 0; i < 3; i++)
    fprintf(launches, " %zu %zu", i < dims ? global[i] : 1, i < dims && local ? local[i] : 1);
  log_arguments(must(find_kernel(kernel)));
  fputc('\n', launches);
  return done(queue, n, wait, event);
}

static cl_int CL_API_CALL fill(cl_command_queue queue, cl_mem buffer, const void *pattern, size_t pattern_size,
                               size_t offset, size_t size, cl_uint n, const cl_event *wait, cl_event *event) {
  (void)buffer, (void)pattern, (void)pattern_size, (void)offset;
  fprintf(launches, "fill %zu\n", size);
  return done(queue, n, wait, event);
}

static cl_int CL_API_CALL copy(cl_command_queue queue, cl_mem from, cl_mem to, size_t from_offset, size_t to_offset,
                               size_t size, cl_uint n, const cl_event *wait, cl_event *event) {
  (void)from, (void)to, (void)from_offset, (void)to_offset;
  fprintf(launches, "copy %zu\n", size);
  return done(queue, n, wait, event);
}

static cl_int CL_API_CALL upload(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size,
                                 const void *from, cl_uint n, const cl_event *wait, cl_event *event) {
  (void)buffer, (void)blocking, (void)offset, (void)from;
  fprintf(launches, "write %zu\n", size);
  return done(queue, n, wait, event);
}

static cl_int CL_API_CALL download(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size,
                                   void *to, cl_uint n, const cl_event *wait, cl_event *event) {
  (void)buffer, (void)blocking, (void)offset;
  memset(to, 0, size);
  fprintf(launches, "read %zu\n", size);
  return done(queue, n, wait, event);
}

static void take_over(void) {
  own.clGetDeviceInfo = device_info;
  own.clGetKernelWorkGroupInfo = kernel_info;
  own.clEnqueueNDRangeKernel = launch_small;
  if (!getenv("POSE_LOG")) return;
  char name[600];
  snprintf(name, sizeof name, "%.500s/launches", getenv("POSE_LOG"));
  launches = must(fopen(name, "a"));
  setvbuf(launches, NULL, _IOLBF, 0); /* a child that lists the devices ends with no farewell */
  own.clCreateProgramWithSource = create_program;
  own.clBuildProgram = build_program;
  own.clGetProgramInfo = program_info;
  own.clCreateBuffer = create_buffer;
  own.clCreateSubBuffer = create_part;
  own.clEnqueueWriteBuffer = upload;
  own.clEnqueueReadBuffer = download;
  own.clCreateKernel = create_kernel;
  own.clSetKernelArg = set_argument;
  own.clEnqueueNDRangeKernel = launch;
  own.clEnqueueFillBuffer = fill;
  own.clEnqueueCopyBuffer = copy;
}
