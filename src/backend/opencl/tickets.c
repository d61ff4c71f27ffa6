/* tickets.c: knowing when queued work is done. A ticket is a marker in the queue whose event calls back; waiting sleeps
 * on a condition variable, as long as the watchdog bears it. Between two tickets lie at most PER_TICKET launches, so
 * that neither the work queued ahead nor the number of live events grows without bound. SPDX-License-Identifier: MIT */
#include "backend/opencl/tickets.h"
#include "backend/opencl/record.h"
#include "base/host.h"
#include "base/thread.h"
#include "base/trace.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  PER_TICKET = 32, /* launches after which a ticket is taken unasked */
  IN_FLIGHT = 24,  /* tickets that may be open: those of a backward pass of which ranks take some, too */
  NAMES = 1024     /* launches remembered; more than can be open */
};

/* What the driver's threads report to. It lives until the last of them is done with it. */
struct monitor {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int users;
  uint64_t done; /* the latest ticket */
  cl_int error;
};

struct report { /* one callback's */
  struct monitor *monitor;
  uint64_t ticket;
};

struct skp__cl_tickets {
  struct monitor *monitor;
  uint64_t taken;    /* tickets */
  uint64_t launches; /* enqueued */
  const char *names[NAMES];
  uint64_t launches_at[IN_FLIGHT + 2]; /* [ticket modulo]: launches before it */
  bool each;                           /* wait after every launch */
};

/* ---- the monitor ------------------------------------------------------------------------------------------------ */

static skp_status monitor_create(struct monitor **out) {
  SKP_TRY(skp__alloc(out, 1, sizeof **out));
  pthread_mutex_init(&(*out)->lock, NULL);
  skp__cond_init(&(*out)->changed);
  (*out)->users = 1;
  return SKP_OK;
}

static void monitor_leave(struct monitor *m) {
  pthread_mutex_lock(&m->lock);
  int users = --m->users;
  pthread_mutex_unlock(&m->lock);
  if (users) return;
  pthread_cond_destroy(&m->changed);
  pthread_mutex_destroy(&m->lock);
  free(m);
}

static void monitor_join(struct monitor *m) {
  pthread_mutex_lock(&m->lock);
  m->users++;
  pthread_mutex_unlock(&m->lock);
}

/* Runs in a thread of the driver. */
static void CL_CALLBACK on_complete(cl_event event, cl_int state, void *user) {
  (void)event;
  struct report *report = user;
  struct monitor *m = report->monitor;
  pthread_mutex_lock(&m->lock);
  if (state < 0 && !m->error) m->error = state;
  if (report->ticket > m->done) m->done = report->ticket;
  pthread_cond_broadcast(&m->changed);
  pthread_mutex_unlock(&m->lock);
  monitor_leave(m);
  free(report);
}

/* False if the watchdog found it late: no ticket was done for too long. */
static bool monitor_wait(struct monitor *m, uint64_t ticket, struct skp__watch *w, cl_int *error) {
  pthread_mutex_lock(&m->lock);
  skp__watch_begin_wait(w, "for the device");
  while (m->done < ticket && !m->error && !skp__watch_late(w)) {
    const uint64_t before = m->done;
    skp__cond_wait_ms(&m->changed, &m->lock, SKP_WATCH_TICK_MS);
    if (m->done > before) skp__watch_went_on(w);
  }
  skp__watch_end_wait(w);
  bool done = m->done >= ticket || m->error;
  *error = m->error;
  m->error = 0; /* told once: after a lack of memory work may go on */
  pthread_mutex_unlock(&m->lock);
  return done;
}

static uint64_t monitor_done(struct monitor *m) {
  pthread_mutex_lock(&m->lock);
  uint64_t done = m->done;
  pthread_mutex_unlock(&m->lock);
  return done;
}

/* ---- tickets ---------------------------------------------------------------------------------------------------- */

skp_status skp__cl_tickets_create(struct skp__cl *cl, const struct skp_backend_options *options) {
  struct skp__cl_tickets *t;
  SKP_TRY(skp__alloc(&t, 1, sizeof *t));
  t->each = options->sync;
  skp_status status = monitor_create(&t->monitor);
  if (status == SKP_OK)
    cl->tickets = t;
  else
    free(t);
  return status;
}

void skp__cl_tickets_destroy(struct skp__cl *cl) {
  if (!cl->tickets) return;
  monitor_leave(cl->tickets->monitor);
  free(cl->tickets);
  cl->tickets = NULL;
}

/* Whether nothing but fills of fresh memory is in flight, which are no launches. */
static bool only_fills(const struct skp__cl *cl) {
  const struct skp__cl_tickets *t = cl->tickets;
  const uint64_t done = monitor_done(t->monitor);
  return t->launches == (done ? t->launches_at[done % (IN_FLIGHT + 2)] : 0);
}

/* What became of work. A driver that finds memory late lacks it where it is filled. */
static skp_status check_work(struct skp__cl *cl, cl_int code, const char *call, const char *what) {
  return (only_fills(cl) ? skp__cl_check_queued : skp__cl_check)(cl, code, call, what);
}

static skp_status enqueue_marker(struct skp__cl *cl, uint64_t ticket) {
  struct report *report;
  SKP_TRY(skp__alloc(&report, 1, sizeof *report));
  *report = (struct report){cl->tickets->monitor, ticket};
  cl_event event = NULL;
  const char *call = "clEnqueueMarkerWithWaitList";
  cl_int code = SKP_CALL(cl, call, "", clEnqueueMarkerWithWaitList(cl->queue, 0, NULL, &event));
  if (code == CL_SUCCESS) {
    call = "clSetEventCallback";
    monitor_join(report->monitor);
    code = SKP_CALL(cl, call, "", clSetEventCallback(event, CL_COMPLETE, on_complete, report));
    if (code != CL_SUCCESS) monitor_leave(report->monitor);
    SKP_CALL(cl, "clReleaseEvent", "", clReleaseEvent(event));
  }
  if (code != CL_SUCCESS) {
    free(report);
    return skp__cl_check_queued(cl, code, call, "");
  }
  return check_work(cl, SKP_CALL(cl, "clFlush", "", clFlush(cl->queue)), "clFlush", "");
}

skp_status skp__cl_ticket(struct skp_backend *b, uint64_t *out) {
  struct skp__cl *cl = (struct skp__cl *)b;
  struct skp__cl_tickets *t = cl->tickets;
  SKP_TRY(skp__cl_alive(cl));
  if (t->taken >= IN_FLIGHT) SKP_TRY(skp__cl_wait(b, t->taken + 1 - IN_FLIGHT));
  SKP_TRY(enqueue_marker(cl, t->taken + 1));
  *out = ++t->taken;
  t->launches_at[t->taken % (IN_FLIGHT + 2)] = t->launches;
  return SKP_OK;
}

skp_status skp__cl_launched(struct skp__cl *cl, const char *name) {
  struct skp__cl_tickets *t = cl->tickets;
  t->names[t->launches++ % NAMES] = name;
  uint64_t before = t->taken ? t->launches_at[t->taken % (IN_FLIGHT + 2)] : 0, ticket;
  if (!t->each && t->launches - before < PER_TICKET) return SKP_OK;
  SKP_TRY(skp__cl_ticket(&cl->base, &ticket));
  return t->each ? skp__cl_wait(&cl->base, ticket) : SKP_OK;
}

/* Which launches are open: the first of them, or one soon after it, is what hangs. */
static skp_status fail_hung(struct skp__cl *cl) {
  struct skp__cl_tickets *t = cl->tickets;
  uint64_t done = monitor_done(t->monitor), first = done ? t->launches_at[done % (IN_FLIGHT + 2)] : 0;
  char names[400] = "";
  size_t n = 0;
  for (uint64_t i = first; i < t->launches && i < first + PER_TICKET; i++) {
    const char *name = t->names[i % NAMES];
    if (strstr(names, name) || n + strlen(name) + 3 > sizeof names) continue;
    n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", n ? ", " : "", name);
  }
  cl->lost = cl->hung = true;
  return skp__fail(SKP_DEVICE, "%s did not finish within %g s (%s). It hangs in one of: %s. %s shows in which.",
                   cl->name, skp__watch_limit(&cl->watch), skp__option("timeout"), n ? names : "no launch of ours",
                   skp__option("sync"));
}

skp_status skp__cl_wait(struct skp_backend *b, uint64_t ticket) {
  struct skp__cl *cl = (struct skp__cl *)b;
  SKP_TRY(skp__cl_alive(cl));
  if (ticket > cl->tickets->taken)
    return skp__fail(SKP_INTERNAL, "Ticket %llu was never taken.", (unsigned long long)ticket);
  cl_int error;
  const double begin = skp__trace_begin();
  if (!monitor_wait(cl->tickets->monitor, ticket, &cl->watch, &error)) return fail_hung(cl);
  skp__trace_end("wait", "wait for the device", begin);
  skp__cl_record_take(cl);
  const char *latest = cl->tickets->launches ? cl->tickets->names[(cl->tickets->launches - 1) % NAMES] : "";
  skp_status status = check_work(cl, error, "work up to", latest);
  if (error && status != SKP_DEVICE_MEMORY) cl->lost = true; /* whatever else the code means, work was lost */
  return status;
}

/* What hangs is left alone: it would be waited for for ever. */
void skp__cl_drain(struct skp_backend *b) {
  struct skp__cl *cl = (struct skp__cl *)b;
  if (!cl->hung) SKP_CALL(cl, "clFinish", "", clFinish(cl->queue));
}
