/* pairs.h: the pairs of classes that are mixed up most. SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_PAIRS_H
#define SKP_BASE_PAIRS_H

#include <stddef.h>

/* As many are looked at closely, and shown; and as many images of each. */
enum { SKP_PAIRS = 12, SKP_PAIR_IMAGES = 3 };

struct skp__pair {
  size_t is, taken; /* the class, and the one that it was taken for */
  double n;         /* how often */
};

/* Counts between n classes, as somebody keeps them. */
struct skp__counts {
  size_t n;
  double (*count)(const void *user, size_t is, size_t taken); /* NaN: unknown */
  const void *user;
};

/* The pairs with the highest counts, the highest first, of equal ones the first in the order of the classes. Returns
 * how many: those that never happen are none. */
size_t skp__pairs(struct skp__pair best[SKP_PAIRS], const struct skp__counts *c);

#endif
