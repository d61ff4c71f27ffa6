/* array.c: growing arrays and checked allocation. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

skp_status skp__array_grow(void **at, size_t *n, size_t *capacity, size_t size) {
  if (*n == *capacity) {
    size_t more = *capacity ? 2 * *capacity : 8;
    void *moved = more > SIZE_MAX / size ? NULL : realloc(*at, more * size);
    if (!moved) return skp__fail_memory("a list", (unsigned long long)more * size);
    *at = moved;
    *capacity = more;
  }
  memset((char *)*at + *n * size, 0, size);
  ++*n;
  return SKP_OK;
}

void skp__array_free(void **at, size_t *n, size_t *capacity) {
  free(*at);
  *at = NULL;
  *n = *capacity = 0;
}

skp_status skp__alloc(void *out, size_t count, size_t size) {
  void *fresh = calloc(count ? count : 1, size ? size : 1);
  memcpy(out, &fresh, sizeof fresh);
  return fresh ? SKP_OK : skp__fail_memory("data", (unsigned long long)count * size);
}

skp_status skp__strdup(char **out, const char *source) {
  *out = strdup(source);
  return *out ? SKP_OK : skp__fail_memory("a text", strlen(source) + 1);
}

skp_status skp__format(char **out, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int n = vasprintf(out, format, args);
  va_end(args);
  if (n >= 0) return SKP_OK;
  *out = NULL;
  return skp__fail_memory("a text", strlen(format));
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

void skp__sort(double *x, size_t n) { qsort(x, n, sizeof *x, ascending); }
double skp__median(const double *x, size_t n) { return (x[(n - 1) / 2] + x[n / 2]) / 2; }
