/* relu.cl: the rectifier and its gradient. SPDX-License-Identifier: MIT
 *
 *   relu     y[i]  = x[i] if not x[i] < 0, else 0          (a NaN stays one)
 *   relu_dx  dx[i] = dy[i] if y[i] > 0, else 0
 *
 * A work-item does WIDTH neighbouring values; the last ones of n one by one. */

#ifndef WIDTH
#define WIDTH 8 /* values of a work-item: 2, 4, 8, 16 */
#endif

#include "maps.clh"

kernel void relu(global stored *restrict y, global const stored *restrict x, int n) {
  int i = (int)get_global_id(0) * WIDTH;
  if (i + WIDTH <= n) {
    FLOATS v = LOAD_MAP(x + i);
    STORE_MAP(v < 0.0f ? (FLOATS)(0.0f) : v, y + i);
  } else {
    for (; i < n; i++) put_map(get_map(x + i) < 0.0f ? 0.0f : get_map(x + i), y + i);
  }
}

kernel void relu_dx(global stored *restrict dx, global const stored *restrict dy, global const stored *restrict y,
                    int n) {
  int i = (int)get_global_id(0) * WIDTH;
  if (i + WIDTH <= n)
    STORE_MAP(LOAD_MAP(y + i) > 0.0f ? LOAD_MAP(dy + i) : (FLOATS)(0.0f), dx + i);
  else
    for (; i < n; i++) put_map(get_map(y + i) > 0.0f ? get_map(dy + i) : 0.0f, dx + i);
}
