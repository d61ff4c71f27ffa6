/* launch.c: from a method's description of its launches to work in the queue. Arguments are set when buffers are bound,
 * each launch owning its kernel object, so that running a step only enqueues. SPDX-License-Identifier: MIT */
#include "backend/opencl/launch.h"
#include "backend/opencl/buffer.h"
#include "backend/opencl/jobs.h"
#include "backend/opencl/program.h"
#include "backend/opencl/record.h"
#include "backend/opencl/tickets.h"
#include <stdlib.h>
#include <string.h>

enum {
  FREE_GROUP = 64,    /* work-items of a group where the kernel leaves it open */
  MOST_KEPT = 1 << 26 /* bytes: what is larger is made anew for each run */
};

struct skp__cl *skp__cl_of(struct skp_prepared *p) {
  return p->cl;
}

bool skp__cl_keep(struct skp_prepared *p, int64_t bytes) {
  if (!p->sig.constant || bytes > MOST_KEPT) {
    skp__cl_need_workspace(p, bytes);
    return false;
  }
  p->kept_bytes = bytes;
  return true;
}

void skp__cl_of_weights(struct skp_prepared *p) {
  if (p->sig.constant && p->steps.n) p->steps.at[p->steps.n - 1].of_weights = true;
}

void skp__cl_in_parts(struct skp_prepared *p, int parts) { p->parts = parts; }

void skp__cl_need_workspace(struct skp_prepared *p, int64_t bytes) {
  if (bytes > p->workspace_bytes) p->workspace_bytes = bytes;
}

const char *skp__cl_refuse_huge(const struct skp__cl *cl, const struct skp_sig *sig) {
  (void)cl;
  const int64_t limit = INT32_MAX - 4096; /* room for rounding up */
  for (int i = 0; i < sig->n_in; i++)
    if (skp__shape_count(&sig->in[i]) > limit) return "more than 2^31 elements";
  for (int i = 0; i < sig->n_out; i++)
    if (skp__shape_count(&sig->out[i]) > limit) return "more than 2^31 elements";
  return NULL;
}

static void step_free(struct skp__cl *cl, struct skp__cl_step *step) {
  if (step->kernel) SKP_CALL(cl, "clReleaseKernel", step->name, clReleaseKernel(step->kernel));
  SKP_FREE(&step->args);
  free(step->data);
}

void skp__cl_steps_free(struct skp_prepared *p) {
  for (size_t i = 0; i < p->steps.n; i++) step_free(p->cl, &p->steps.at[i]);
  SKP_FREE(&p->steps);
  p->workspace_bytes = p->kept_bytes = 0;
  p->parts = 0;
}

/* ---- describing a launch ---------------------------------------------------------------------------------------- */

static bool is_buffer(const struct skp__cl_arg *arg) { return arg->kind < SKP_CL_INT; }

/* Sets the arguments that never change; those that depend on the buffers follow when these are bound. */
static skp_status set_values(struct skp__cl *cl, const struct skp__cl_step *step) {
  for (cl_uint i = 0; i < step->args.n; i++) {
    const struct skp__cl_arg *arg = &step->args.at[i];
    if (is_buffer(arg)) continue;
    const void *value = arg->kind == SKP_CL_INT ? (const void *)&arg->as_int : &arg->as_float;
    SKP_TRY(SKP_CHECK_QUEUED(cl, "clSetKernelArg", step->name, clSetKernelArg(step->kernel, i, sizeof(cl_int), value)));
  }
  return SKP_OK;
}

static skp_status keep_args(struct skp__cl_step *step, const struct skp__cl_arg *args) {
  for (; args->name; args++) {
    SKP_TRY(SKP_GROW(&step->args));
    step->args.at[step->args.n - 1] = *args;
  }
  return SKP_OK;
}

static skp_status ask_kernel(const struct skp__cl_step *step, struct skp__cl *cl, cl_kernel_work_group_info what,
                             size_t size, void *out) {
  return SKP_CHECK_MADE(cl, "clGetKernelWorkGroupInfo", step->name,
                        clGetKernelWorkGroupInfo(step->kernel, cl->device, what, size, out, NULL));
}

/* The kernel itself is asked how large a group it stands: registers may allow less than the device does. (rusticl of
 * Mesa 22.3 answers with the width of a subgroup whatever the kernel; larger groups work there.) */
static skp_status group_limit(struct skp__cl *cl, const struct skp__cl_step *step, size_t *limit) {
  size_t multiple = 0;
  SKP_TRY(ask_kernel(step, cl, CL_KERNEL_WORK_GROUP_SIZE, sizeof *limit, limit));
  SKP_TRY(ask_kernel(step, cl, CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE, sizeof multiple, &multiple));
  if (!strcmp(cl->platform, "rusticl") && *limit == multiple) *limit = cl->max_group;
  return SKP_OK;
}

/* Groups for a kernel that does not care: a power of two along the first dimension, the
 * global size rounded up to it. */
static void choose_group(struct skp__cl_step *step, size_t limit, size_t most) {
  size_t n = 1;
  while (2 * n <= FREE_GROUP && 2 * n <= limit && 2 * n <= most) n *= 2;
  step->local[0] = n;
  step->local[1] = step->local[2] = 1;
  step->global[0] = skp__cl_round_up((int64_t)step->global[0], (int64_t)n);
}

static skp_status check_group(struct skp__cl *cl, const struct skp__cl_step *step, size_t limit) {
  size_t items = 1;
  cl_ulong local_memory = 0;
  for (cl_uint i = 0; i < step->dims; i++) {
    if (!step->global[i] || !step->local[i] || step->global[i] % step->local[i])
      return skp__fail(SKP_INTERNAL, "Kernel %s: global size %zu is not a multiple of local size %zu.", step->name,
                       step->global[i], step->local[i]);
    if (step->local[i] > cl->max_items[i])
      return skp__fail(SKP_UNSUPPORTED, "kernel %s wants %zu work-items along dimension %u, %zu are possible",
                       step->name, step->local[i], i, cl->max_items[i]);
    items *= step->local[i];
  }
  if (items > limit)
    return skp__fail(SKP_UNSUPPORTED, "kernel %s wants groups of %zu work-items, %zu are possible", step->name, items,
                     limit);
  SKP_TRY(ask_kernel(step, cl, CL_KERNEL_LOCAL_MEM_SIZE, sizeof local_memory, &local_memory));
  if ((int64_t)local_memory > cl->local_memory)
    return skp__fail(SKP_UNSUPPORTED, "kernel %s wants %llu bytes of local memory, the device has %lld", step->name,
                     (unsigned long long)local_memory, (long long)cl->local_memory);
  return SKP_OK;
}

/* Once for a device: with it much goes slower than it could. */
static void say_limit(struct skp__cl *cl) {
  if (cl->report && !cl->said_limit)
    fprintf(cl->report, "%s: %s. Other, slower methods are taken for this and the like.\n", cl->name,
            skp_error_message());
  cl->said_limit = true;
}

/* Sizes, given or chosen, that the kernel stands on this device. */
static skp_status set_sizes(struct skp__cl *cl, struct skp__cl_step *step, const size_t *global, const size_t *local) {
  size_t limit = 0;
  SKP_TRY(group_limit(cl, step, &limit));
  for (cl_uint i = 0; i < step->dims; i++) {
    step->global[i] = global[i];
    step->local[i] = local ? local[i] : 1;
  }
  if (!local) choose_group(step, limit, cl->max_items[0]);
  skp_status status = check_group(cl, step, limit);
  if (status == SKP_UNSUPPORTED) say_limit(cl);
  return status;
}

/* The method's options, and what kernels that read maps are told of their type. */
static skp_status add_types(char **out, const struct skp_prepared *p, const char *file, const char *options) {
  const bool narrow = skp__sig_narrow(&p->sig) && skp__cl_reads_maps(file);
  return skp__format(out, "%s%s%s", options, narrow ? " -DNARROW_MAPS" : "",
                     narrow && p->cl->bf16_dot ? " -DBF16_DOT" : "");
}

static skp_status add_step(struct skp_prepared *p, const char *file, const char *kernel, const char *options,
                           const struct skp__cl_arg *args) {
  cl_program program;
  SKP_TRY(skp__cl_program(p->cl, &program, file, options));
  SKP_TRY(SKP_GROW(&p->steps));
  struct skp__cl_step *step = &p->steps.at[p->steps.n - 1];
  step->name = kernel;
  cl_int code;
  SKP_TRY(
      SKP_CHECK_MADE(p->cl, "clCreateKernel", kernel, (step->kernel = clCreateKernel(program, kernel, &code), code)));
  SKP_TRY(keep_args(step, args));
  return set_values(p->cl, step);
}

skp_status skp__cl_launch(struct skp_prepared *p, const char *file, const char *kernel, const char *options, int dims,
                          const size_t *global, const size_t *local, const struct skp__cl_arg *args) {
  char *all;
  skp_status status = SKP_OK;
  SKP_TRY(skp__cl_check_args(&p->sig, file, kernel, args));
  SKP_TRY(add_types(&all, p, file, options));
  if (p->cl->noting)
    skp__cl_note(p->cl, file, kernel, all, dims, local);
  else
    status = add_step(p, file, kernel, all, args);
  free(all);
  if (p->cl->noting || status != SKP_OK) return status;
  struct skp__cl_step *step = &p->steps.at[p->steps.n - 1];
  step->dims = (cl_uint)dims;
  return set_sizes(p->cl, step, global, local);
}

skp_status skp__cl_add_call(struct skp_prepared *p, const char *name, skp__cl_call call, void *data) {
  if (p->cl->noting) skp__cl_note_call(p->cl, name);
  skp_status status = SKP_GROW(&p->steps);
  if (status != SKP_OK) {
    free(data);
    return status;
  }
  struct skp__cl_step *step = &p->steps.at[p->steps.n - 1];
  step->name = name;
  step->call = call;
  step->data = data;
  return SKP_OK;
}

/* ---- binding ---------------------------------------------------------------------------------------------------- */

static cl_mem mem_of(const struct skp_buffer *buffer) { return buffer ? buffer->mem : NULL; }
static uint64_t *writes_of(const struct skp_buffer *buffer) { return buffer ? buffer->writes : NULL; }

/* Stands in for an absent value; its kernel does not touch it. The last input is one of the small ones of most ops:
 * a driver that moves all that a kernel is given moves little. */
static cl_mem any_present(const struct skp_prepared *p) {
  for (int i = p->sig.n_in; i-- > 0;)
    if (p->in[i]) return p->in[i];
  for (int i = 0; i < p->sig.n_out; i++)
    if (p->out[i]) return p->out[i];
  return NULL;
}

static cl_mem buffer_of(const struct skp_prepared *p, const struct skp__cl_arg *arg) {
  cl_mem mem = arg->kind == SKP_CL_IN     ? p->in[arg->number]
               : arg->kind == SKP_CL_OUT  ? p->out[arg->number]
               : arg->kind == SKP_CL_WORK ? p->workspace
               : arg->kind == SKP_CL_KEPT ? (p->kept ? p->kept->mem : p->workspace)
                                          : NULL;
  return mem ? mem : any_present(p);
}

static skp_status set_buffers(struct skp_prepared *p, const struct skp__cl_step *step) {
  for (cl_uint i = 0; i < step->args.n; i++) {
    if (!is_buffer(&step->args.at[i])) continue;
    cl_mem mem = buffer_of(p, &step->args.at[i]);
    SKP_TRY(SKP_CHECK_QUEUED(p->cl, "clSetKernelArg", step->name, clSetKernelArg(step->kernel, i, sizeof mem, &mem)));
  }
  return SKP_OK;
}

skp_status skp__cl_bind(struct skp_prepared *p, struct skp_buffer *const *in, struct skp_buffer *const *out,
                        struct skp_buffer *workspace) {
  p->bound = p->made = false;
  SKP_TRY(skp__cl_alive(p->cl));
  if (p->kept_bytes && !p->kept) SKP_TRY(skp__cl_buffer_create(&p->cl->base, &p->kept, p->kept_bytes));
  for (int i = 0; i < p->sig.n_in; i++) p->in[i] = mem_of(in[i]), p->in_writes[i] = writes_of(in[i]);
  for (int i = 0; i < p->sig.n_out; i++) p->out[i] = mem_of(out[i]), p->out_writes[i] = writes_of(out[i]);
  p->workspace = mem_of(workspace);
  if (p->workspace_bytes > (workspace ? workspace->bytes : 0))
    return skp__fail(SKP_INTERNAL, "%s by %s needs %lld bytes of workspace.", p->sig.op->name, p->method,
                     (long long)p->workspace_bytes);
  for (size_t i = 0; i < p->steps.n; i++) SKP_TRY(set_buffers(p, &p->steps.at[i]));
  p->bound = true;
  return SKP_OK;
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

/* How often the weights were written of which `step` makes something. */
static uint64_t writes_behind(const struct skp_prepared *p, const struct skp__cl_step *step) {
  uint64_t n = 0;
  for (size_t i = 0; step->of_weights && i < step->args.n; i++) {
    const struct skp__cl_arg *arg = &step->args.at[i];
    if (arg->kind == SKP_CL_IN && p->in_writes[arg->number]) n += *p->in_writes[arg->number];
  }
  return n;
}

void skp__cl_begin_run(struct skp_prepared *p) {
  uint64_t n = 0;
  for (size_t i = 0; i < p->steps.n; i++) n += writes_behind(p, &p->steps.at[i]);
  if (n != p->seen) p->made = false;
  p->seen = n;
}

bool skp__cl_is_due(const struct skp_prepared *p, const struct skp__cl_step *step) {
  return !step->of_weights || !p->made;
}

void skp__cl_end_run(struct skp_prepared *p) {
  p->made = true;
  for (int i = 0; i < p->sig.n_out; i++)
    if (p->out_writes[i]) ++*p->out_writes[i];
}

/* A call into a library. */
static skp_status call_step(struct skp_prepared *p, const struct skp__cl_step *step) {
  SKP_TRY(skp__cl_record_begin(p->cl, step->name, p->sig.op->name));
  SKP_TRY(step->call(p->cl, &p->sig, p->in, p->out, p->workspace, step->data));
  return skp__cl_record_end(p->cl);
}

skp_status skp__cl_run_step(struct skp_prepared *p, const struct skp__cl_step *step, cl_event *event) {
  struct skp__cl *cl = p->cl;
  if (step->kernel && !event) event = skp__cl_recorded(cl, "launch", step->name, p->sig.op->name);
  if (step->kernel)
    SKP_TRY(SKP_CHECK_QUEUED(
        cl, "clEnqueueNDRangeKernel", step->name,
        clEnqueueNDRangeKernel(cl->queue, step->kernel, step->dims, NULL, step->global, step->local, 0, NULL, event)));
  else
    SKP_TRY(call_step(p, step));
  return skp__cl_launched(cl, step->name);
}

skp_status skp__cl_check_bound(const struct skp_prepared *p) {
  if (p->bound) return SKP_OK;
  return skp__fail(SKP_INTERNAL, "%s was run before its buffers were bound.", p->sig.op->name);
}

skp_status skp__cl_run(struct skp_backend *b, struct skp_prepared *const *list, size_t n) {
  SKP_TRY(skp__cl_alive((struct skp__cl *)b));
  for (size_t i = 0; i < n; i++) {
    SKP_TRY(skp__cl_check_bound(list[i]));
    skp__cl_begin_run(list[i]);
    for (size_t j = 0; j < list[i]->steps.n; j++)
      if (skp__cl_is_due(list[i], &list[i]->steps.at[j]))
        SKP_TRY(skp__cl_run_step(list[i], &list[i]->steps.at[j], NULL));
    skp__cl_end_run(list[i]);
  }
  return SKP_OK;
}
