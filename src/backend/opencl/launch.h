/* launch.h: what a prepared op is made of, and how it is bound and run. SPDX-License-Identifier: MIT */
#ifndef SKP_BACKEND_OPENCL_LAUNCH_H
#define SKP_BACKEND_OPENCL_LAUNCH_H

#include "backend/opencl/cl.h"

/* One thing to enqueue: a kernel, or a call into a library. */
struct skp__cl_step {
  const char *name;
  cl_kernel kernel; /* NULL: `call` */
  cl_uint dims;
  size_t global[3], local[3];
  SKP_ARRAY(struct skp__cl_arg) args;
  skp__cl_call call;
  void *data;
  bool of_weights; /* it makes of constant weights what is kept: runs when they have changed */
};

struct skp_prepared {
  struct skp__cl *cl;
  struct skp_sig sig;
  const char *method;
  double tolerance;
  SKP_ARRAY(struct skp__cl_step) steps;
  int64_t workspace_bytes, kept_bytes;
  int parts;               /* of its sum, see skp__cl_in_parts; 0: it has none */
  struct skp_buffer *kept; /* its own; NULL: it keeps nothing */
  bool bound;
  cl_mem *in, *out, workspace;        /* those of the signature */
  uint64_t **in_writes, **out_writes; /* how often their memory was written */
  bool made;                          /* what is kept is there, made of the weights … */
  uint64_t seen;                      /* … as they were after so many writes */
};

/* parameters.c: SKP_INTERNAL unless the kernel has just these parameters, in this order. */
skp_status skp__cl_check_args(const struct skp_sig *sig, const char *file, const char *kernel,
                              const struct skp__cl_arg *args);

/* Frees the steps, so that another method can be tried. */
void skp__cl_steps_free(struct skp_prepared *p);
skp_status skp__cl_bind(struct skp_prepared *p, struct skp_buffer *const *in, struct skp_buffer *const *out,
                        struct skp_buffer *workspace);
skp_status skp__cl_check_bound(const struct skp_prepared *p);
/* A run: what is kept is made anew if the weights behind it have changed, so each step is asked if it is due. */
void skp__cl_begin_run(struct skp_prepared *p);
bool skp__cl_is_due(const struct skp_prepared *p, const struct skp__cl_step *step);
void skp__cl_end_run(struct skp_prepared *p);
/* Enqueues one step. `event` (may be NULL) receives its kernel's; it is left alone where the step is a call. */
skp_status skp__cl_run_step(struct skp_prepared *p, const struct skp__cl_step *step, cl_event *event);
skp_status skp__cl_run(struct skp_backend *b, struct skp_prepared *const *list, size_t n);

#endif
