/* record.c: see record.h. While something is recorded, a queue that takes times stands in for the usual one; the
 * device's clock is set by the host's once, by a marker that both see the end of. SPDX-License-Identifier: MIT */
#include "backend/opencl/record.h"
#include "base/clock.h"
#include "base/trace.h"
#include <stdlib.h>

/* From the start of `event` to its end; or from the end of the marker `before`. */
struct recorded {
  const char *kind, *name, *detail;
  cl_event before, event;
};

struct skp__cl_record {
  cl_command_queue usual;
  double offset; /* what is added to the device's seconds for the host's */
  size_t taken;  /* of the list */
  SKP_ARRAY(struct recorded) list;
};

static struct recorded *add(struct skp__cl *cl, const char *kind, const char *name, const char *detail) {
  struct skp__cl_record *r = cl->record;
  if (!r || SKP_GROW(&r->list) != SKP_OK) return NULL; /* without memory it goes on unseen */
  struct recorded *it = &r->list.at[r->list.n - 1];
  *it = (struct recorded){.kind = kind, .name = name, .detail = detail};
  return it;
}

cl_event *skp__cl_recorded(struct skp__cl *cl, const char *kind, const char *name, const char *detail) {
  struct recorded *it = add(cl, kind, name, detail);
  return it ? &it->event : NULL;
}

static skp_status mark(struct skp__cl *cl, cl_event *event) {
  return SKP_CHECK_QUEUED(cl, "clEnqueueMarkerWithWaitList", "",
                          clEnqueueMarkerWithWaitList(cl->queue, 0, NULL, event));
}

skp_status skp__cl_record_begin(struct skp__cl *cl, const char *name, const char *detail) {
  struct recorded *it = add(cl, "launch", name, detail);
  return it ? mark(cl, &it->before) : SKP_OK;
}

skp_status skp__cl_record_end(struct skp__cl *cl) {
  struct skp__cl_record *r = cl->record;
  const bool open = r && r->list.n && r->list.at[r->list.n - 1].before;
  return open ? mark(cl, &r->list.at[r->list.n - 1].event) : SKP_OK;
}

/* Seconds on the device's clock; below 0: the driver does not say. */
static double ask(cl_event event, cl_profiling_info what) {
  cl_ulong ns = 0;
  return clGetEventProfilingInfo(event, what, sizeof ns, &ns, NULL) == CL_SUCCESS ? 1e-9 * (double)ns : -1;
}

static bool is_done(cl_event event) {
  cl_int state = CL_QUEUED;
  const cl_int code = clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof state, &state, NULL);
  return code != CL_SUCCESS || state <= CL_COMPLETE;
}

static void tell(const struct skp__cl_record *r, const struct recorded *it) {
  const double from =
      it->before ? ask(it->before, CL_PROFILING_COMMAND_END) : ask(it->event, CL_PROFILING_COMMAND_START);
  const double to = ask(it->event, CL_PROFILING_COMMAND_END);
  if (from >= 0 && to >= 0) skp__trace_device(it->kind, it->name, it->detail, from + r->offset, to + r->offset);
}

static void release(struct skp__cl *cl, const struct recorded *it) {
  if (it->before) SKP_CALL(cl, "clReleaseEvent", "", clReleaseEvent(it->before));
  if (it->event) SKP_CALL(cl, "clReleaseEvent", "", clReleaseEvent(it->event));
}

void skp__cl_record_take(struct skp__cl *cl) {
  struct skp__cl_record *r = cl->record;
  for (; r && r->taken < r->list.n; r->taken++) {
    const struct recorded *it = &r->list.at[r->taken];
    if (it->event && !is_done(it->event)) return;
    if (it->event) tell(r, it);
    release(cl, it);
  }
  if (r) r->list.n = r->taken = 0;
}

/* The queue is empty: the marker ends when it is waited for. */
static skp_status set_clock(struct skp__cl *cl) {
  cl_event event;
  SKP_TRY(mark(cl, &event));
  skp_status status = skp__backend_finish(&cl->base);
  const double now = skp__clock(), then = ask(event, CL_PROFILING_COMMAND_END);
  cl->record->offset = now - then;
  SKP_CALL(cl, "clReleaseEvent", "", clReleaseEvent(event));
  if (status != SKP_OK || then >= 0) return status;
  return skp__fail(SKP_UNSUPPORTED, "%s does not say how long its work takes.", cl->name);
}

static skp_status begin(struct skp__cl *cl) {
  cl_command_queue timed;
  cl_int code;
  SKP_TRY(skp__backend_finish(&cl->base));
  SKP_TRY(SKP_CHECK(cl, "clCreateCommandQueue", "(profiling)",
                    (timed = clCreateCommandQueue(cl->context, cl->device, CL_QUEUE_PROFILING_ENABLE, &code), code)));
  skp_status status = skp__alloc(&cl->record, 1, sizeof *cl->record);
  if (status != SKP_OK) {
    SKP_CALL(cl, "clReleaseCommandQueue", "", clReleaseCommandQueue(timed));
    return status;
  }
  cl->record->usual = cl->queue;
  cl->queue = timed;
  return set_clock(cl);
}

void skp__cl_record_free(struct skp__cl *cl) {
  struct skp__cl_record *r = cl->record;
  if (!r) return;
  for (; !cl->hung && r->taken < r->list.n; r->taken++) release(cl, &r->list.at[r->taken]);
  if (!cl->hung) SKP_CALL(cl, "clReleaseCommandQueue", "", clReleaseCommandQueue(cl->queue));
  cl->queue = r->usual;
  cl->record = NULL;
  SKP_FREE(&r->list);
  free(r);
}

skp_status skp__cl_record(struct skp_backend *b, bool on) {
  struct skp__cl *cl = (struct skp__cl *)b;
  if (on == (cl->record != NULL)) return SKP_OK;
  skp_status status = skp__cl_alive(cl);
  if (on && status == SKP_OK) status = begin(cl);
  if (on && status == SKP_OK) return SKP_OK;
  if (status == SKP_OK) status = skp__backend_finish(b);
  if (!on && status == SKP_OK) skp__cl_record_take(cl);
  if (status != SKP_OK && !on) cl->lost = true; /* the usual queue would not wait for what is still in this one */
  skp__cl_record_free(cl);
  return status;
}
