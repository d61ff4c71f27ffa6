/* timing.c: how long each launch of a list keeps the device, by the profiling events of a queue of its own. The whole
 * list is queued before any event is read, so that the device works as in a real step. SPDX-License-Identifier: MIT */
#include "backend/opencl/timing.h"

/* A launch and the events that bound it: from the start of `kernel` to its end; a call into a library has none, and
 * lies between the ends of two markers. */
struct timed {
  size_t op; /* its place in the list */
  const char *name;
  cl_event kernel, before, after;
};

struct timing {
  struct skp__cl *cl;
  SKP_ARRAY(struct timed) launches;
};

static skp_status mark(struct skp__cl *cl, cl_event *event, const char *name) {
  return SKP_CHECK(cl, "clEnqueueMarkerWithWaitList", name, clEnqueueMarkerWithWaitList(cl->queue, 0, NULL, event));
}

static skp_status queue_step(struct timing *t, size_t i, struct skp_prepared *p, const struct skp__cl_step *step) {
  SKP_TRY(SKP_GROW(&t->launches));
  struct timed *l = &t->launches.at[t->launches.n - 1];
  l->op = i;
  l->name = step->name;
  if (step->kernel) return skp__cl_run_step(p, step, &l->kernel);
  SKP_TRY(mark(t->cl, &l->before, l->name));
  SKP_TRY(skp__cl_run_step(p, step, NULL));
  return mark(t->cl, &l->after, l->name);
}

static skp_status queue_all(struct timing *t, struct skp_prepared *const *list, size_t n) {
  for (size_t i = 0; i < n; i++) {
    SKP_TRY(skp__cl_check_bound(list[i]));
    skp__cl_begin_run(list[i]);
    for (size_t j = 0; j < list[i]->steps.n; j++)
      if (skp__cl_is_due(list[i], &list[i]->steps.at[j])) SKP_TRY(queue_step(t, i, list[i], &list[i]->steps.at[j]));
    skp__cl_end_run(list[i]);
  }
  return skp__backend_finish(&t->cl->base);
}

static skp_status ask(struct timing *t, const struct timed *l, cl_event event, cl_profiling_info what, cl_ulong *ns) {
  return SKP_CHECK(t->cl, "clGetEventProfilingInfo", l->name,
                   clGetEventProfilingInfo(event, what, sizeof *ns, ns, NULL));
}

static skp_status tell_all(struct timing *t, skp__tell_launch tell, void *user) {
  for (size_t i = 0; i < t->launches.n; i++) {
    const struct timed *l = &t->launches.at[i];
    cl_ulong from = 0, to = 0;
    SKP_TRY(ask(t, l, l->kernel ? l->kernel : l->before,
                l->kernel ? CL_PROFILING_COMMAND_START : CL_PROFILING_COMMAND_END, &from));
    SKP_TRY(ask(t, l, l->kernel ? l->kernel : l->after, CL_PROFILING_COMMAND_END, &to));
    tell(user, l->op, l->name, to > from ? 1e-9 * (double)(to - from) : 0);
  }
  return SKP_OK;
}

static void release(struct timing *t, cl_event event) {
  if (event) SKP_CALL(t->cl, "clReleaseEvent", "", clReleaseEvent(event));
}

static void forget(struct timing *t) {
  for (size_t i = 0; i < t->launches.n && !t->cl->hung; i++) {
    const struct timed *l = &t->launches.at[i];
    release(t, l->kernel);
    release(t, l->before);
    release(t, l->after);
  }
  SKP_FREE(&t->launches);
}

skp_status skp__cl_time(struct skp_backend *b, struct skp_prepared *const *list, size_t n, skp__tell_launch tell,
                        void *user) {
  struct timing t = {.cl = (struct skp__cl *)b};
  struct skp__cl *cl = t.cl;
  cl_int code;
  SKP_TRY(skp__cl_alive(cl));
  SKP_TRY(skp__backend_finish(b));
  cl_command_queue usual = cl->queue, timed;
  SKP_TRY(SKP_CHECK(cl, "clCreateCommandQueue", "(profiling)",
                    (timed = clCreateCommandQueue(cl->context, cl->device, CL_QUEUE_PROFILING_ENABLE, &code), code)));
  cl->queue = timed;
  skp_status status = queue_all(&t, list, n);
  if (status == SKP_OK) status = tell_all(&t, tell, user);
  if (status != SKP_OK) b->ops->drain(b); /* the usual queue does not wait for what is still in this one */
  cl->queue = usual;
  forget(&t);
  if (!cl->hung) SKP_CALL(cl, "clReleaseCommandQueue", "", clReleaseCommandQueue(timed));
  return status;
}
