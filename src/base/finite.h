/* finite.h: numbers that are none any more. SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_FINITE_H
#define SKP_BASE_FINITE_H

#include <stdint.h>

/* How many of n numbers are infinite or NaN, and where the first of these is; 0 where there are none. */
int64_t skp__nonfinite(const float *x, int64_t n, int64_t *first);

#endif
