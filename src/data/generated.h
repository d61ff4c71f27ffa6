/* generated.h: what the built-in sets share. Sample i of a split is a pure function of (set, split, i), in integers
 * only, so that every machine draws the same bytes; each is drawn once and kept. SPDX-License-Identifier: MIT */
#ifndef SKP_DATA_GENERATED_H
#define SKP_DATA_GENERATED_H

#include "base/bounds.h"
#include "base/random.h"
#include "data/source.h"
#include <stdatomic.h>

struct skp__generated;

struct skp__generated_kind {
  const char *name;
  uint64_t seed; /* fixed for ever: with it the set would change */
  int64_t train, test;
  int side, C, classes;
  const char *const *class_names; /* NULL: by number */
  /* Draws a sample, {side, side, C}, from the numbers that are its own. */
  void (*draw)(const struct skp__generated *set, struct skp__random *r, uint8_t *pixels, uint8_t *label);
};

struct skp__generated {
  struct skp_source base;
  const struct skp__generated_kind *kind;
  skp_split split;
  _Atomic uint8_t *progress; /* [n] how far each sample is */
  uint8_t *labels, *pixels;  /* {n}, {n, side, side, C} */
};

/* Makes a set; `size` bytes begin with struct skp__generated, and what follows is zero: the set's own. */
skp_status skp__generated_create(struct skp__generated **out, size_t size, const struct skp__generated_kind *kind,
                                 skp_split split);

/* ---- integer arithmetic ------------------------------------------------------------------------------------------ */

enum { SKP_UNIT = 4096 }; /* 1.0 in ratios */

static inline int32_t skp__times(int32_t a, int32_t b) { return a * b / SKP_UNIT; } /* |a|, |b| below 46340 */

/* low + 0 … high - low, as 32 random bits decide. */
static inline int32_t skp__pick(uint32_t bits, int32_t low, int32_t high) {
  return low + (int32_t)((uint64_t)bits * (uint32_t)(high - low + 1) >> 32);
}

static inline int32_t skp__between(struct skp__random *r, int32_t low, int32_t high) {
  return skp__pick((uint32_t)(skp__random_next(r) >> 32), low, high);
}

/* Around 0, the middle likelier than the ends. */
static inline int32_t skp__around(struct skp__random *r, int32_t limit) {
  uint64_t bits = skp__random_next(r);
  return (skp__pick((uint32_t)bits, -limit, limit) + skp__pick((uint32_t)(bits >> 32), -limit, limit)) / 2;
}

/* The angle whose half has this tangent: its sine and cosine in SKP_UNIT. */
static inline void skp__turn(int32_t *sine, int32_t *cosine, int32_t half) {
  int32_t square = skp__times(half, half);
  *sine = 2 * half * SKP_UNIT / (SKP_UNIT + square);
  *cosine = (SKP_UNIT - square) * SKP_UNIT / (SKP_UNIT + square);
}

#endif
