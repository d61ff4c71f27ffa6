/* thread.c: see thread.h. Windows sends no signals to threads: what Ctrl-C calls runs in one of its own.
 * SPDX-License-Identifier: MIT */
#include "base/thread.h"
#include "base/windows/windows.h"

int skp__thread_start(pthread_t *out, void *(*work)(void *user), void *user) {
  return pthread_create(out, NULL, work, user);
}

long skp__thread_number(void) { return (long)GetCurrentThreadId(); }

bool skp__thread_gone(long number) {
  const HANDLE thread = OpenThread(THREAD_QUERY_LIMITED_INFORMATION, FALSE, (DWORD)number);
  const bool gone =
      thread ? WaitForSingleObject(thread, 0) == WAIT_OBJECT_0 : GetLastError() == ERROR_INVALID_PARAMETER;
  if (thread) CloseHandle(thread);
  return gone;
}

/* That of the day: one that is set meanwhile makes a wait shorter or longer. */
const clockid_t skp__cond_clock = CLOCK_REALTIME;

void skp__cond_init(pthread_cond_t *out) { pthread_cond_init(out, NULL); }
