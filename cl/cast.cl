/* cast.cl: a float map as bfloat16, and back. SPDX-License-Identifier: MIT
 *
 * A work-item does WIDTH neighbouring values; the last ones of n one by one. */

#ifndef WIDTH
#define WIDTH 8 /* values of a work-item: 2, 4, 8, 16 */
#endif
#include "maps.clh"

kernel void to_bfloat16(global stored *restrict y, global const float *restrict x, int n) {
  int i = (int)get_global_id(0) * WIDTH;
  if (i + WIDTH <= n)
    STORE_MAP(LOAD(x + i), y + i);
  else
    for (; i < n; i++) put_map(x[i], y + i);
}

kernel void to_float32(global float *restrict y, global const stored *restrict x, int n) {
  int i = (int)get_global_id(0) * WIDTH;
  if (i + WIDTH <= n)
    STORE(LOAD_MAP(x + i), y + i);
  else
    for (; i < n; i++) y[i] = get_map(x + i);
}
