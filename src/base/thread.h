/* thread.h: threads that leave signals to others. SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_THREAD_H
#define SKP_BASE_THREAD_H

#include <pthread.h>

/* pthread_create for work beside the caller's: signals stay with the caller's threads, so that Ctrl-C interrupts none
 * of it. Returns an errno value, 0 if the thread runs. */
int skp__thread_start(pthread_t *out, void *(*work)(void *user), void *user);

#endif
