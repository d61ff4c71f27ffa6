/* bounds.c: see bounds.h. SPDX-License-Identifier: MIT */
#include "base/bounds.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool skp__whole(int64_t *out, double x, int64_t least, int64_t most) {
  if (!(x >= (double)least && x <= (double)most) || x != floor(x)) return false;
  *out = x < (double)INT64_MAX ? (int64_t)x : INT64_MAX;
  return true;
}

bool skp__digits(uint64_t *out, const char *text, uint64_t most) {
  if (!*text || text[strspn(text, "0123456789")]) return false;
  errno = 0;
  const unsigned long long n = strtoull(text, NULL, 10);
  if (errno || n > most) return false;
  *out = n;
  return true;
}
