/* thread.c: see thread.h. SPDX-License-Identifier: MIT */
#include "base/thread.h"
#include <signal.h>
#include <stddef.h>

int skp__thread_start(pthread_t *out, void *(*work)(void *user), void *user) {
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  int error = pthread_create(out, NULL, work, user);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return error;
}
