/* fault_layer.c: a layer of the OpenCL loader (OPENCL_LAYERS=libfault_layer.so) under which a good driver becomes a
 * faulty one. FAULTS holds rules with commas between:
 *
 *   CALL[/NAME][@FIRST[-LAST]]=WHAT
 *
 * CALL: clBuildProgram, … (CALLS below). NAME: only for kernels with names like it (conv2d*dw*), and for programs with
 * a text like it. FIRST to LAST: which of these calls in this process, counted from 1; without LAST all from FIRST on.
 * WHAT:
 *
 *   -5, …    the call fails with this code
 *   hang     it never returns
 *   abort    it ends the process
 *   drop     (clEnqueueNDRangeKernel) the kernel does not run, (clSetEventCallback) nobody is called back
 *   nanK     (clEnqueueNDRangeKernel) the kernel runs, then the first number in its buffer number K, from 0, is NaN
 *   spoilK   the same, and it is 12345
 *
 * With FAULTS_WHEN, a file, rules hold and calls are counted only while that file is there. FAULTS_LOG, a file, gets a
 * line for each fault: CALL NAME WHAT.
 * SPDX-License-Identifier: MIT */
#include "opencl_layer.h"
#include <fnmatch.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- rules ------------------------------------------------------------------------------------------------------- */

enum { ARGUMENTS = 64 }; /* of a kernel, at most */
/* What strike gives besides codes; the last two with the buffer's number added. */
enum { DROP = 1, NOT_A_NUMBER = 2, SPOIL = NOT_A_NUMBER + ARGUMENTS };

static struct rule {
  char call[48], name[48], what[16];
  long first, last, calls;
} rules[32];
static int n_rules;

#define CALLS(X)                                                                                                       \
  X(clCreateProgramWithSource), X(clSetKernelArg), X(clEnqueueNDRangeKernel), X(clSetEventCallback),                   \
      X(clBuildProgram), X(clGetProgramInfo), X(clGetKernelWorkGroupInfo), X(clEnqueueFillBuffer),                     \
      X(clEnqueueReadBuffer), X(clEnqueueWriteBuffer), X(clEnqueueMarkerWithWaitList), X(clFlush),                     \
      X(clReleaseMemObject), X(clReleaseEvent), X(clReleaseKernel), X(clReleaseProgram), X(clReleaseCommandQueue),     \
      X(clReleaseContext), X(clCreateKernel), X(clCreateBuffer), X(clCreateSubBuffer), X(clCreateContext),             \
      X(clCreateCommandQueue), X(clCreateProgramWithBinary), X(clGetEventProfilingInfo)

static bool is_known(const char *call) {
  bool known = false;
#define X(name) known = known || !strcmp(call, #name)
  CALLS(X);
#undef X
  return known;
}

static void read_rule(const char *text, size_t n) {
  struct rule *r = &rules[n_rules++];
  char rule[160];
  if (n_rules > 32 || n >= sizeof rule) abort();
  snprintf(rule, sizeof rule, "%.*s", (int)n, text);
  char *what = must(strchr(rule, '='));
  *what++ = 0;
  char *at = strchr(rule, '@'), *name = strchr(rule, '/');
  r->first = 1;
  r->last = INT32_MAX;
  if (at) {
    char *end;
    *at++ = 0;
    r->first = strtol(at, &end, 10);
    if (*end == '-') r->last = strtol(end + 1, NULL, 10);
  }
  if (name) *name++ = 0;
  snprintf(r->call, sizeof r->call, "%.47s", rule);
  snprintf(r->name, sizeof r->name, "%.47s", name ? name : "");
  snprintf(r->what, sizeof r->what, "%.15s", what);
  if (!is_known(r->call)) abort(); /* a rule that could hold for nothing */
}

static void read_rules(void) {
  for (const char *at = getenv("FAULTS"); at && *at;) {
    const size_t n = strcspn(at, ",");
    read_rule(at, n);
    at += n + (at[n] == ',');
  }
}

static void log_fault(const struct rule *r) {
  const char *path = getenv("FAULTS_LOG");
  FILE *to = path ? must(fopen(path, "a")) : NULL;
  if (!to) return;
  fprintf(to, "%s %s %s\n", r->call, r->name, r->what);
  fclose(to);
}

/* Whether the rule holds for this call. */
static bool holds(struct rule *r, const char *call, const char *subject) {
  if (strcmp(r->call, call) != 0 || (*r->name && (!subject || fnmatch(r->name, subject, 0)))) return false;
  pthread_mutex_lock(&lock);
  const long number = ++r->calls;
  pthread_mutex_unlock(&lock);
  return number >= r->first && number <= r->last;
}

/* What a rule says in a word that is not the end of everything. */
static cl_int meant(const char *what) {
  if (!strcmp(what, "drop")) return DROP;
  if (!strncmp(what, "nan", 3)) return NOT_A_NUMBER + atoi(what + 3);
  if (!strncmp(what, "spoil", 5)) return SPOIL + atoi(what + 5);
  return atoi(what);
}

/* What becomes of a call: 0: nothing, < 0: it fails with this code. `subject`: what NAME is to be like. */
static cl_int strike(const char *call, const char *subject) {
  const char *when = getenv("FAULTS_WHEN");
  if (when && access(when, F_OK)) return 0;
  for (int i = 0; i < n_rules; i++) {
    struct rule *r = &rules[i];
    if (!holds(r, call, subject)) continue;
    log_fault(r);
    if (!strcmp(r->what, "abort")) abort();
    while (!strcmp(r->what, "hang")) pause();
    return meant(r->what);
  }
  return 0;
}

/* ---- programs and kernels ---------------------------------------------------------------------------------------- */

static struct program {
  cl_program program;
  char *text;
} * programs;
static size_t n_programs;

static const char *text_of(cl_program program) {
  const char *text = NULL;
  pthread_mutex_lock(&lock);
  for (size_t i = n_programs; i-- > 0 && !text;)
    if (programs[i].program == program) text = programs[i].text;
  pthread_mutex_unlock(&lock);
  return text;
}

static cl_program CL_API_CALL f_clCreateProgramWithSource(cl_context context, cl_uint n, const char **texts,
                                                          const size_t *lengths, cl_int *code) {
  const cl_int fault = strike("clCreateProgramWithSource", *texts);
  if (fault < 0) {
    if (code) *code = fault;
    return NULL;
  }
  cl_program program = next->clCreateProgramWithSource(context, n, texts, lengths, code);
  pthread_mutex_lock(&lock);
  programs = must(realloc(programs, (n_programs + 1) * sizeof *programs));
  programs[n_programs++] = (struct program){program, must(strdup(*texts))};
  pthread_mutex_unlock(&lock);
  return program;
}

/* The buffers that a kernel was last given. */
static struct kernel {
  cl_kernel kernel;
  cl_mem argument[ARGUMENTS];
} * kernels;
static size_t n_kernels;

static cl_int CL_API_CALL f_clSetKernelArg(cl_kernel kernel, cl_uint i, size_t size, const void *value) {
  const cl_int fault = strike("clSetKernelArg", NULL);
  if (fault < 0) return fault;
  pthread_mutex_lock(&lock);
  size_t k = 0;
  while (k < n_kernels && kernels[k].kernel != kernel) k++;
  if (k == n_kernels) {
    kernels = must(realloc(kernels, (n_kernels + 1) * sizeof *kernels));
    kernels[n_kernels++] = (struct kernel){.kernel = kernel};
  }
  if (i < ARGUMENTS && value && size == sizeof(cl_mem)) memcpy(&kernels[k].argument[i], value, size);
  pthread_mutex_unlock(&lock);
  return next->clSetKernelArg(kernel, i, size, value);
}

/* Objects of a kernel that was released come back as others', whose arguments are then set anew. */
static cl_int spoil(cl_command_queue queue, cl_kernel kernel, cl_int fault) {
  const cl_uint not_a_number = 0x7fc00000;
  const cl_float wrong = 12345;
  int number = fault >= SPOIL ? fault - SPOIL : fault - NOT_A_NUMBER;
  cl_mem buffer = NULL;
  pthread_mutex_lock(&lock);
  for (size_t k = 0; k < n_kernels; k++)
    for (int i = 0; i < ARGUMENTS && kernels[k].kernel == kernel && !buffer; i++)
      if (kernels[k].argument[i] && number-- == 0) buffer = kernels[k].argument[i];
  pthread_mutex_unlock(&lock);
  if (!buffer) abort();
  const void *value = fault >= SPOIL ? (const void *)&wrong : &not_a_number;
  return next->clEnqueueFillBuffer(queue, buffer, value, 4, 0, 4, 0, NULL, NULL);
}

static cl_int CL_API_CALL f_clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dims,
                                                   const size_t *offset, const size_t *global, const size_t *local,
                                                   cl_uint n, const cl_event *wait, cl_event *event) {
  char name[200] = "";
  next->clGetKernelInfo(kernel, CL_KERNEL_FUNCTION_NAME, sizeof name, name, NULL);
  const cl_int fault = strike("clEnqueueNDRangeKernel", name);
  if (fault < 0) return fault;
  if (fault == DROP) return event ? next->clEnqueueMarkerWithWaitList(queue, n, wait, event) : CL_SUCCESS;
  cl_int code = next->clEnqueueNDRangeKernel(queue, kernel, dims, offset, global, local, n, wait, event);
  return code == CL_SUCCESS && fault >= NOT_A_NUMBER ? spoil(queue, kernel, fault) : code;
}

static cl_int CL_API_CALL f_clSetEventCallback(cl_event event, cl_int state,
                                               void(CL_CALLBACK *notify)(cl_event, cl_int, void *), void *user) {
  const cl_int fault = strike("clSetEventCallback", NULL);
  if (fault) return fault == DROP ? CL_SUCCESS : fault;
  return next->clSetEventCallback(event, state, notify, user);
}

/* ---- the other calls --------------------------------------------------------------------------------------------- */

#define CODE(call, subject, parameters, ...)                                                                           \
  static cl_int CL_API_CALL f_##call parameters {                                                                      \
    const cl_int fault = strike(#call, subject);                                                                       \
    return fault < 0 ? fault : next->call(__VA_ARGS__);                                                                \
  }
/* What gives an object back, and its code through `code`. */
#define OBJECT(type, call, subject, parameters, ...)                                                                   \
  static type CL_API_CALL f_##call parameters {                                                                        \
    const cl_int fault = strike(#call, subject);                                                                       \
    if (fault < 0 && code) *code = fault;                                                                              \
    return fault < 0 ? NULL : next->call(__VA_ARGS__);                                                                 \
  }
typedef void(CL_CALLBACK *on_program)(cl_program, void *);
typedef void(CL_CALLBACK *on_context)(const char *, const void *, size_t, void *);
#define WAIT cl_uint w, const cl_event *list, cl_event *event

CODE(clBuildProgram, text_of(p),
     (cl_program p, cl_uint n, const cl_device_id *d, const char *options, on_program notify, void *user), p, n, d,
     options, notify, user)
CODE(clGetProgramInfo, text_of(p), (cl_program p, cl_program_info what, size_t size, void *value, size_t *got), p, what,
     size, value, got)
CODE(clGetKernelWorkGroupInfo, NULL,
     (cl_kernel k, cl_device_id d, cl_kernel_work_group_info what, size_t size, void *value, size_t *got), k, d, what,
     size, value, got)
CODE(clEnqueueFillBuffer, NULL,
     (cl_command_queue q, cl_mem m, const void *pattern, size_t bytes, size_t at, size_t n, WAIT), q, m, pattern, bytes,
     at, n, w, list, event)
CODE(clEnqueueReadBuffer, NULL, (cl_command_queue q, cl_mem m, cl_bool b, size_t at, size_t n, void *to, WAIT), q, m, b,
     at, n, to, w, list, event)
CODE(clEnqueueWriteBuffer, NULL, (cl_command_queue q, cl_mem m, cl_bool b, size_t at, size_t n, const void *from, WAIT),
     q, m, b, at, n, from, w, list, event)
CODE(clEnqueueMarkerWithWaitList, NULL, (cl_command_queue q, WAIT), q, w, list, event)
CODE(clGetEventProfilingInfo, NULL, (cl_event e, cl_profiling_info what, size_t size, void *value, size_t *got), e,
     what, size, value, got)
CODE(clFlush, NULL, (cl_command_queue q), q)
CODE(clReleaseMemObject, NULL, (cl_mem m), m)
CODE(clReleaseEvent, NULL, (cl_event e), e)
CODE(clReleaseKernel, NULL, (cl_kernel k), k)
CODE(clReleaseProgram, NULL, (cl_program p), p)
CODE(clReleaseCommandQueue, NULL, (cl_command_queue q), q)
CODE(clReleaseContext, NULL, (cl_context c), c)
OBJECT(cl_kernel, clCreateKernel, name, (cl_program p, const char *name, cl_int *code), p, name, code)
OBJECT(cl_mem, clCreateBuffer, NULL, (cl_context c, cl_mem_flags flags, size_t n, void *host, cl_int *code), c, flags,
       n, host, code)
OBJECT(cl_mem, clCreateSubBuffer, NULL,
       (cl_mem m, cl_mem_flags flags, cl_buffer_create_type kind, const void *info, cl_int *code), m, flags, kind, info,
       code)
OBJECT(cl_context, clCreateContext, NULL,
       (const cl_context_properties *p, cl_uint n, const cl_device_id *d, on_context notify, void *user, cl_int *code),
       p, n, d, notify, user, code)
OBJECT(cl_command_queue, clCreateCommandQueue, NULL,
       (cl_context c, cl_device_id d, cl_command_queue_properties p, cl_int *code), c, d, p, code)
OBJECT(cl_program, clCreateProgramWithBinary, NULL,
       (cl_context c, cl_uint n, const cl_device_id *d, const size_t *sizes, const unsigned char **binaries,
        cl_int *states, cl_int *code),
       c, n, d, sizes, binaries, states, code)

/* ---- the layer --------------------------------------------------------------------------------------------------- */

static void take_over(void) {
#define X(name) own.name = f_##name
  CALLS(X);
#undef X
  read_rules();
}
