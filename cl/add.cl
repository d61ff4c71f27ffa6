/* add.cl: the sum of two images, as a residual connection makes it, rectified if RELU. SPDX-License-Identifier: MIT
 *
 *   y[i] = f(a[i] + b[i]),   f(s) = s, or 0 where RELU and s < 0          (a NaN stays one)
 *
 * A work-item does WIDTH neighbouring values; the last ones of n one by one. */

#ifndef WIDTH
#define WIDTH 8 /* values of a work-item: 2, 4, 8, 16 */
#endif
#ifndef RELU
#define RELU 0 /* 1: negative sums become 0 */
#endif

#include "maps.clh"

kernel void add(global stored *restrict y, global const stored *restrict a, global const stored *restrict b, int n) {
  int i = (int)get_global_id(0) * WIDTH;
  if (i + WIDTH <= n) {
    FLOATS s = LOAD_MAP(a + i) + LOAD_MAP(b + i);
#if RELU
    s = s < 0.0f ? (FLOATS)(0.0f) : s;
#endif
    STORE_MAP(s, y + i);
  } else {
    for (; i < n; i++) {
      float s = get_map(a + i) + get_map(b + i);
      put_map(RELU && s < 0.0f ? 0.0f : s, y + i);
    }
  }
}
