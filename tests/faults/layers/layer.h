/* layer.h: what the preloaded layers share that make calls fail. FAULT_AT says which call of those that a layer counts
 * is hit (FAULT_STICKY=1: all from then on; 0: none, they are only counted), FAULT_MODE what becomes of it, and the
 * file FAULT_COUNT gets the number of calls at the end. SPDX-License-Identifier: MIT */
#ifndef SKP_TESTS_LAYER_H
#define SKP_TESTS_LAYER_H

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LAYER_EXPORT __attribute__((visibility("default")))
/* `real` becomes the function that a layer stands before. */
#define LAYER_REAL(name)                                                                                               \
  static __typeof__(&name) real;                                                                                       \
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name)

static atomic_long layer_calls;
static long layer_at;
static bool layer_sticky;
static const char *layer_mode = "";

__attribute__((constructor)) static void layer_begin(void) {
  const char *at = getenv("FAULT_AT"), *mode = getenv("FAULT_MODE");
  layer_sticky = getenv("FAULT_STICKY") != NULL;
  if (mode) layer_mode = mode;
  layer_at = at ? atol(at) : 0;
}

/* Counts a call: is it hit? */
static inline bool layer_hit(void) {
  const long call = atomic_fetch_add(&layer_calls, 1) + 1;
  return layer_at > 0 && (call == layer_at || (layer_sticky && call > layer_at));
}

static inline bool layer_does(const char *mode) { return !strcmp(layer_mode, mode); }

/* Its own write: a layer may stand before the C library's. */
__attribute__((destructor)) static void layer_end(void) {
  const char *path = getenv("FAULT_COUNT");
  char text[32];
  const int n = snprintf(text, sizeof text, "%ld\n", atomic_load(&layer_calls));
  const int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : -1;
  if (fd < 0) return;
  if (write(fd, text, (size_t)n) != n) _exit(EXIT_FAILURE);
  close(fd);
}

#endif
