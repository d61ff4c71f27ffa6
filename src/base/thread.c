/* thread.c: see thread.h. SPDX-License-Identifier: MIT */
#include "base/thread.h"

void skp__cond_wait_ms(pthread_cond_t *changed, pthread_mutex_t *lock, long ms) {
  enum { NS = 1000000000 };
  struct timespec until;
  clock_gettime(skp__cond_clock, &until);
  const long ns = until.tv_nsec + ms % 1000 * 1000000;
  until.tv_sec += ms / 1000 + ns / NS;
  until.tv_nsec = ns % NS;
  pthread_cond_timedwait(changed, lock, &until);
}
