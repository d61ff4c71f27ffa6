/* finite.c: numbers that are none any more, counted. SPDX-License-Identifier: MIT */
#include "base/finite.h"
#include <stdbool.h>
#include <string.h>

/* All bits of the exponent are set. Unlike isfinite, compilers count that many numbers at a time. */
static bool is_lost(float x) {
  const uint32_t exponent = 0x7f800000;
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return (bits & exponent) == exponent;
}

int64_t skp__nonfinite(const float *x, int64_t n, int64_t *first) {
  int64_t lost = 0;
  for (int64_t i = 0; i < n; i++) lost += is_lost(x[i]);
  for (*first = 0; lost && !is_lost(x[*first]);) ++*first;
  return lost;
}
