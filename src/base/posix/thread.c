/* thread.c: see thread.h. SPDX-License-Identifier: MIT */
#include "base/thread.h"
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

int skp__thread_start(pthread_t *out, void *(*work)(void *user), void *user) {
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  int error = pthread_create(out, NULL, work, user);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return error;
}

long skp__thread_number(void) { return (long)gettid(); }

bool skp__thread_gone(long number) { return kill((pid_t)number, 0) && errno == ESRCH; }

void skp__cond_init(pthread_cond_t *out) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(out, &attributes);
  pthread_condattr_destroy(&attributes);
}

void skp__cond_wait_ms(pthread_cond_t *changed, pthread_mutex_t *lock, long ms) {
  enum { NS = 1000000000 };
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  const long ns = until.tv_nsec + ms % 1000 * 1000000;
  until.tv_sec += ms / 1000 + ns / NS;
  until.tv_nsec = ns % NS;
  pthread_cond_timedwait(changed, lock, &until);
}
