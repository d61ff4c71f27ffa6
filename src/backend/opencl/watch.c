/* watch.c: see watch.h. SPDX-License-Identifier: MIT */
#include "backend/opencl/watch.h"
#include "base/clock.h"
#include "base/host.h"
#include "base/thread.h"
#include <stdio.h>

static const double TICK = 1e-3 * SKP_WATCH_TICK_MS;

/* All that is watched, and the thread, which lives as long as there is something. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER; /* of those who begin or end: the thread is theirs */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* what follows is everybody's */
static pthread_cond_t changed;
static struct skp__watch *all;
static pthread_t thread;

double skp__awake_since(double *then) {
  const double now = skp__clock(), passed = now - *then;
  *then = now;
  return passed < 2 * TICK ? passed : 2 * TICK;
}

double skp__watch_limit(const struct skp__watch *w) {
  const double tenth = w->limit / 10 > SKP_WATCH_LEAST_S ? w->limit / 10 : SKP_WATCH_LEAST_S;
  return w->hurry && atomic_load(w->hurry) && tenth < w->limit ? tenth : w->limit;
}

/* ---- the watchdog ------------------------------------------------------------------------------------------------ */

static void tell_hung(const struct skp__watch *w, const char *call, const char *what, double limit) {
  char text[600];
  if (!w->hung) return;
  snprintf(text, sizeof text, "%s%s%s on %s has not returned for %g s (%s). A call into a driver cannot be ended.",
           call, *what ? " " : "", what, w->device, limit, skp__option("timeout"));
  w->hung(w->user, text);
}

/* Counts `passed` seconds more. A call is told of once. */
static void look_at(struct skp__watch *w, double passed) {
  const unsigned at = atomic_load_explicit(&w->at, memory_order_acquire);
  const char *call = atomic_load_explicit(&w->call, memory_order_relaxed);
  const char *what = atomic_load_explicit(&w->what, memory_order_relaxed);
  const double limit = skp__watch_limit(w);
  w->awake = at == w->seen ? w->awake + passed : 0;
  w->seen = at;
  if (at % 2 == 0 || w->awake < limit || atomic_load(&w->late) == at) return;
  if (atomic_load(&w->at) != at) return; /* it is over, and the words may be those of the next */
  atomic_store(&w->late, at);
  if (!atomic_load(&w->yields)) tell_hung(w, call, what, limit);
}

static void *watch(void *user) {
  double then = skp__clock();
  pthread_mutex_lock(&lock);
  while (all) {
    skp__cond_wait_ms(&changed, &lock, SKP_WATCH_TICK_MS);
    const double passed = skp__awake_since(&then);
    for (struct skp__watch *w = all; w; w = w->next) look_at(w, passed);
  }
  pthread_mutex_unlock(&lock);
  return user;
}

/* Without it nothing else was watched. */
static int start_thread(void) {
  skp__cond_init(&changed);
  return skp__thread_start(&thread, watch, NULL);
}

skp_status skp__watch_start(struct skp__watch *w) {
  pthread_mutex_lock(&turn);
  pthread_mutex_lock(&lock);
  w->next = all;
  all = w;
  const int error = w->next ? 0 : start_thread();
  if (error) all = NULL;
  pthread_mutex_unlock(&lock);
  pthread_mutex_unlock(&turn);
  return error ? skp__fail(SKP_MEMORY, "There is no thread to be had that watches over %s.", w->device) : SKP_OK;
}

void skp__watch_stop(struct skp__watch *w) {
  pthread_mutex_lock(&turn);
  pthread_mutex_lock(&lock);
  struct skp__watch **at = &all;
  while (*at && *at != w) at = &(*at)->next;
  const bool started = *at;
  if (started) *at = w->next;
  const bool last = started && !all;
  if (last) pthread_cond_signal(&changed);
  pthread_mutex_unlock(&lock);
  if (last) pthread_join(thread, NULL);
  if (last) pthread_cond_destroy(&changed);
  pthread_mutex_unlock(&turn);
}

/* ---- waits ------------------------------------------------------------------------------------------------------- */

void skp__watch_begin_wait(struct skp__watch *w, const char *what) {
  atomic_store(&w->yields, true);
  skp__watch_begin(w, "a wait", what);
}

bool skp__watch_late(const struct skp__watch *w) { return atomic_load(&w->late) == atomic_load(&w->at); }

void skp__watch_went_on(struct skp__watch *w) {
  skp__watch_step(w);
  skp__watch_step(w);
}

void skp__watch_end_wait(struct skp__watch *w) {
  skp__watch_step(w);
  atomic_store(&w->yields, false);
}
