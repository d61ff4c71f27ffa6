/* watch.h: the watchdog: one thread that sees which calls into drivers do not return. SPDX-License-Identifier: MIT
 *
 * Whoever works with a device says what it is going to call and when that is over: a few stores, no lock. The thread
 * looks ten times a second and counts the time in which this process was awake: while it was stopped (Ctrl-Z, a
 * debugger, a laptop's sleep), so was what it waits for. */
#ifndef SKP_BACKEND_OPENCL_WATCH_H
#define SKP_BACKEND_OPENCL_WATCH_H

#include "base/error.h"
#include <stdatomic.h>
#include <stdbool.h>

/* Of one open device, in which one thread works at a time. */
struct skp__watch {
  const char *device; /* its name, for texts */
  double limit;       /* seconds that a call may take */
  /* Hears in the watchdog's thread of a call that did not return: nothing but the end of the process ends it. NULL:
   * nobody does. It must neither open nor close a device. */
  void (*hung)(void *user, const char *text);
  void *user;
  const atomic_int *hurry; /* not 0: this is to come to an end, and the limit is a lower one */

  atomic_uint at; /* counts up at each begin and end: odd within a call */
  _Atomic(const char *) call, what;
  atomic_bool yields; /* the call looks itself whether it is late */
  atomic_uint late;   /* the `at` of the call that was late */

  unsigned seen; /* the watchdog's own: the latest `at`, and for how long it has stayed */
  double awake;
  struct skp__watch *next;
};

enum {
  SKP_WATCH_TICK_MS = 100,
  SKP_WATCH_LIMIT_S = 600, /* where none was said */
  SKP_WATCH_LEAST_S = 10   /* after a stop: a tenth of the limit, but not less than this */
};

/* Sees to it from now on; `device`, `limit`, `hung` and `hurry` are set. */
skp_status skp__watch_start(struct skp__watch *w);
void skp__watch_stop(struct skp__watch *w); /* one that was not started is fine */

static inline void skp__watch_step(struct skp__watch *w) {
  atomic_store_explicit(&w->at, atomic_load_explicit(&w->at, memory_order_relaxed) + 1, memory_order_release);
}

/* `call` and `what` are literals: "clBuildProgram", "conv2d_direct". */
static inline void skp__watch_begin(struct skp__watch *w, const char *call, const char *what) {
  atomic_store_explicit(&w->call, call, memory_order_relaxed);
  atomic_store_explicit(&w->what, what, memory_order_relaxed);
  skp__watch_step(w);
}

/* Hands the call's code on. */
static inline int skp__watch_end(struct skp__watch *w, int code) {
  skp__watch_step(w);
  return code;
}

/* The same for a wait of ours, which asks after each tick whether it is late, and says when it got on. */
void skp__watch_begin_wait(struct skp__watch *w, const char *what);
bool skp__watch_late(const struct skp__watch *w);
void skp__watch_went_on(struct skp__watch *w);
void skp__watch_end_wait(struct skp__watch *w);

/* The limit that holds now. */
double skp__watch_limit(const struct skp__watch *w);
/* Seconds since the moment `*then` in which this process was awake, if it is asked every tick; *then is now. */
double skp__awake_since(double *then);

#endif
