/* runtime.h: what the files of the runtime share and op files do not need: buffers, prepared ops, programs, tickets.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_BACKEND_OPENCL_RUNTIME_H
#define SKP_BACKEND_OPENCL_RUNTIME_H

#include "backend/opencl/cl.h"
#include "backend/opencl/devices.h"

struct skp_buffer {
  cl_mem mem;
  cl_mem root;    /* what was allocated: OpenCL knows no slice of a slice */
  int64_t offset; /* of mem in root */
  int64_t bytes;
  int64_t charged; /* what it adds to the memory in use; 0 for a slice */
};

/* One thing to enqueue: a kernel, or a call into a library. */
struct skp__cl_step {
  const char *name;
  cl_kernel kernel; /* NULL: `call` */
  cl_uint dims;
  size_t global[3], local[3];
  SKP_ARRAY(struct skp__cl_arg) args;
  skp__cl_call call;
  void *data;
};

struct skp_prepared {
  struct skp__cl *cl;
  struct skp_sig sig;
  const char *method;
  double tolerance;
  SKP_ARRAY(struct skp__cl_step) steps;
  int64_t workspace_bytes;
  bool bound;
  cl_mem *in, *out, workspace; /* those of the signature */
};

/* ---- cl.c ------------------------------------------------------------------------------------------------------- */
/* SKP_DEVICE once the context is lost. Every slot that talks to the device begins with it. */
skp_status skp__cl_alive(struct skp__cl *cl);
double skp__cl_now(void); /* seconds, from some start on */

/* ---- environment.c ---------------------------------------------------------------------------------------------- */
/* Before the first call of OpenCL: sets the variables without which some drivers show no
 * device; notes what that costs. */
void skp__environment_prepare(struct skp_device_list *list);

/* ---- devices.c, probe.c ----------------------------------------------------------------------------------------- */
/* Adds devices to a list without any by asking the drivers, in this process. */
void skp__devices_ask(struct skp_device_list *list);
/* The same by a child's asking; leaves out drivers that do not survive it. */
skp_status skp__devices_probe(struct skp_device_list *list);
void skp__devices_note(struct skp_device_list *list, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The driver's handles of a listed device. */
skp_status skp__device_handles(cl_platform_id *platform, cl_device_id *device, const struct skp_device *d);

/* ---- buffer.c: slots of the backend ----------------------------------------------------------------------------- */
skp_status skp__cl_buffer_create(struct skp_backend *b, struct skp_buffer **out, int64_t bytes);
skp_status skp__cl_buffer_slice(struct skp_backend *b, struct skp_buffer **out, struct skp_buffer *base, int64_t offset,
                                int64_t bytes);
void skp__cl_buffer_destroy(struct skp_backend *b, struct skp_buffer *buffer);
skp_status skp__cl_write(struct skp_backend *b, struct skp_buffer *buffer, int64_t offset, const void *from,
                         int64_t bytes);
skp_status skp__cl_read(struct skp_backend *b, struct skp_buffer *buffer, int64_t offset, void *to, int64_t bytes);

/* ---- program.c -------------------------------------------------------------------------------------------------- */
/* The program of cl/FILE.cl with these options; it stays the backend's. */
skp_status skp__cl_program(struct skp__cl *cl, cl_program *out, const char *file, const char *options);
/* The same from a text, not looked up among the embedded files; the caller releases it. */
skp_status skp__cl_build(struct skp__cl *cl, cl_program *out, const char *file, const char *text, const char *options);
void skp__cl_programs_free(struct skp__cl *cl);
/* Whether the kernels of cl/FILE.cl know maps in bfloat16: it takes in maps.clh. */
bool skp__cl_reads_maps(const char *file);
/* Whether a program is built or in the disk cache; *weight: the length of its source. */
bool skp__cl_program_ready(struct skp__cl *cl, const char *file, const char *options, size_t *weight);

/* ---- cache.c: none of it fails; without a folder it does nothing ------------------------------------------------- */
void skp__cl_cache_open(struct skp__cl *cl, const char *said);
bool skp__cl_cache_lasts(const struct skp__cl *cl); /* what is stored outlives the process */
void skp__cl_cache_close(struct skp__cl *cl);
bool skp__cl_cache_has(struct skp__cl *cl, const char *text, const char *options); /* as far as its name tells */
/* The built program, or NULL. */
cl_program skp__cl_cache_load(struct skp__cl *cl, const char *text, const char *options);
void skp__cl_cache_store(struct skp__cl *cl, cl_program program, const char *text, const char *options);

/* ---- compilers.c: programs compiled ahead by processes of their own ---------------------------------------------- */
/* Forks compilers for a device of which `cl` has the names and the cache; to be called before its driver is loaded. */
void skp__cl_compilers_start(struct skp__cl *cl, const struct skp_device *d, int threads);
void skp__cl_compilers_stop(struct skp__cl *cl);
/* Notes a program that is going to be launched as a job for the compilers. */
void skp__cl_note(struct skp__cl *cl, const char *file, const char *options);
void skp__cl_expect(struct skp_backend *b, const struct skp_sig *sigs, size_t n); /* a slot of the backend */

/* ---- parameters.c ----------------------------------------------------------------------------------------------- */
/* SKP_INTERNAL unless the kernel has just these parameters, in this order. */
skp_status skp__cl_check_args(const struct skp_sig *sig, const char *file, const char *kernel,
                              const struct skp__cl_arg *args);

/* ---- launch.c --------------------------------------------------------------------------------------------------- */
/* Frees the steps, so that another method can be tried. */
void skp__cl_steps_free(struct skp_prepared *p);
skp_status skp__cl_bind(struct skp_prepared *p, struct skp_buffer *const *in, struct skp_buffer *const *out,
                        struct skp_buffer *workspace);
skp_status skp__cl_check_bound(const struct skp_prepared *p);
/* Enqueues one step. `event` (may be NULL) receives its kernel's; it is left alone where the step is a call. */
skp_status skp__cl_run_step(struct skp_prepared *p, const struct skp__cl_step *step, cl_event *event);
skp_status skp__cl_run(struct skp_backend *b, struct skp_prepared *const *list, size_t n);

/* ---- timing.c ---------------------------------------------------------------------------------------------------- */
skp_status skp__cl_time(struct skp_backend *b, struct skp_prepared *const *list, size_t n, skp__tell_launch tell,
                        void *user);

/* ---- tickets.c -------------------------------------------------------------------------------------------------- */
skp_status skp__cl_tickets_create(struct skp__cl *cl, const struct skp_backend_options *options);
void skp__cl_tickets_destroy(struct skp__cl *cl);
/* Notes that `name` (a literal) was enqueued; now and then takes a ticket of its own,
 * and waits where too much is queued. */
skp_status skp__cl_launched(struct skp__cl *cl, const char *name);
skp_status skp__cl_ticket(struct skp_backend *b, uint64_t *out);
skp_status skp__cl_wait(struct skp_backend *b, uint64_t ticket);

/* ---- method.c: slots of the backend ----------------------------------------------------------------------------- */
/* Checks "OP=METHOD,…" (SKP_USAGE with what there is). */
skp_status skp__cl_forced_check(const char *forced);
/* Gives `p` the method `forced`, or without one the best of `table`; what was refused
 * goes to the trace or into the error. */
skp_status skp__cl_choose(struct skp_prepared *p, const struct skp__cl_method *table,
                          const struct skp__cl_method *forced);
skp_status skp__cl_prepare(struct skp_backend *b, struct skp_prepared **out, const struct skp_sig *sig,
                           const char *method);
void skp__cl_prepared_destroy(struct skp_prepared *p);
int64_t skp__cl_workspace(const struct skp_prepared *p);
const char *skp__cl_method_of(const struct skp_prepared *p);
double skp__cl_tolerance(const struct skp_prepared *p);
const char *skp__cl_method_name(const struct skp_backend *b, const struct skp_op *op, int n);
const char *skp__cl_method_refusal(struct skp_backend *b, const struct skp_sig *sig, int n);

#endif
