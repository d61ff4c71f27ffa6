/* thread.c: see thread.h. SPDX-License-Identifier: MIT */
#include "base/thread.h"
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

int skp__thread_start(pthread_t *out, void *(*work)(void *user), void *user) {
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  int error = pthread_create(out, NULL, work, user);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return error;
}

#ifdef __APPLE__
/* The process's number, and which of its threads it is: of threads alone nobody can be asked there. */
enum { PROCESS = 32 };

long skp__thread_number(void) {
  uint64_t thread = 0;
  pthread_threadid_np(NULL, &thread);
  return (long)getpid() << PROCESS | (long)(thread & UINT32_MAX);
}

bool skp__thread_gone(long number) { return kill((pid_t)(number >> PROCESS), 0) && errno == ESRCH; }

/* That of the day: conditions know no other. */
const clockid_t skp__cond_clock = CLOCK_REALTIME;

void skp__cond_init(pthread_cond_t *out) { pthread_cond_init(out, NULL); }
#else
long skp__thread_number(void) { return (long)gettid(); }

bool skp__thread_gone(long number) { return kill((pid_t)number, 0) && errno == ESRCH; }

const clockid_t skp__cond_clock = CLOCK_MONOTONIC;

void skp__cond_init(pthread_cond_t *out) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, skp__cond_clock);
  pthread_cond_init(out, &attributes);
  pthread_condattr_destroy(&attributes);
}
#endif
