/* bounds.h: numbers that are not taken at their word. SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_BOUNDS_H
#define SKP_BASE_BOUNDS_H

#include <stdbool.h>
#include <stdint.h>

static inline int32_t skp__clamp(int32_t v, int32_t low, int32_t high) { return v < low ? low : v > high ? high : v; }

/* A number that a file says as the whole number that it is; false, and *out stays: it is none from least to most. One
 * of 2^63, which is what files make of INT64_MAX, is that. */
bool skp__whole(int64_t *out, double x, int64_t least, int64_t most);
/* The whole number that all of a text is in decimal digits; false, and *out stays: it is none, or larger than most. */
bool skp__digits(uint64_t *out, const char *text, uint64_t most);

#endif
