/* thread.h: threads that leave signals to others, and waits that know how long they are: posix/thread.c,
 * windows/thread.c. SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_THREAD_H
#define SKP_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

/* pthread_create for work beside the caller's: signals stay with the caller's threads, so that Ctrl-C interrupts none
 * of it. Returns an errno value, 0 if the thread runs. */
int skp__thread_start(pthread_t *out, void *(*work)(void *user), void *user);

/* The calling thread's number, which no other one on this machine has; whether there is none of a number any more. */
long skp__thread_number(void);
bool skp__thread_gone(long number);

/* A condition for skp__cond_wait_ms, which waits by that clock; pthread_cond_destroy it. */
extern const clockid_t skp__cond_clock;
void skp__cond_init(pthread_cond_t *out);
/* pthread_cond_wait for so many milliseconds at most, by a clock that nobody sets where the system has one. */
void skp__cond_wait_ms(pthread_cond_t *changed, pthread_mutex_t *lock, long ms);

#endif
