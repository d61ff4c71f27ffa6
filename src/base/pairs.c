/* pairs.c: the pairs of classes that are mixed up most. SPDX-License-Identifier: MIT */
#include "base/pairs.h"

size_t skp__pairs(struct skp__pair best[SKP_PAIRS], const struct skp__counts *c) {
  size_t n = 0;
  for (size_t i = 0; i < c->n; i++)
    for (size_t k = 0; k < c->n; k++) {
      const struct skp__pair p = {i, k, c->count(c->user, i, k)};
      if (i == k || !(p.n > 0) || (n == SKP_PAIRS && p.n <= best[n - 1].n)) continue;
      size_t at = n < SKP_PAIRS ? n++ : n - 1;
      for (; at > 0 && best[at - 1].n < p.n; at--) best[at] = best[at - 1];
      best[at] = p;
    }
  return n;
}
