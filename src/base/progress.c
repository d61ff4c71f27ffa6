/* progress.c: see progress.h. SPDX-License-Identifier: MIT */
#include "base/progress.h"
#include <stddef.h>

const char skp__progress_compiling[] = "compiling kernels";

static _Thread_local struct {
  void (*hear)(void *user, const struct skp_progress *p);
  void *user;
} listener;

void skp__progress_listen(void (*hear)(void *user, const struct skp_progress *p), void *user) {
  listener.hear = hear;
  listener.user = user;
}

void skp__progress_tell(const struct skp_progress *p) {
  if (listener.hear) listener.hear(listener.user, p);
}

void skp__progress_work(const char *doing, int64_t done, int64_t all) {
  skp__progress_tell(&(struct skp_progress){.doing = doing, .done = done, .all = all});
}
