/* relu.cl: the rectifier and its gradient. SPDX-License-Identifier: MIT
 *
 *   relu     y[i]  = x[i] if not x[i] < 0, else 0          (a NaN stays one)
 *   relu_dx  dx[i] = dy[i] if y[i] > 0, else 0
 *
 * A work-item does WIDTH neighbouring values; the last ones of n one by one. */

#ifndef WIDTH
#define WIDTH 8 /* values of a work-item: 2, 4, 8, 16 */
#endif

#include "width.clh"

kernel void relu(global float *restrict y, global const float *restrict x, int n) {
  int i = (int)get_global_id(0) * WIDTH;
  if (i + WIDTH <= n) {
    FLOATS v = LOAD(x + i);
    STORE(v < 0.0f ? (FLOATS)(0.0f) : v, y + i);
  } else {
    for (; i < n; i++) y[i] = x[i] < 0.0f ? 0.0f : x[i];
  }
}

kernel void relu_dx(global float *restrict dx, global const float *restrict dy, global const float *restrict y, int n) {
  int i = (int)get_global_id(0) * WIDTH;
  if (i + WIDTH <= n)
    STORE(LOAD(y + i) > 0.0f ? LOAD(dy + i) : (FLOATS)(0.0f), dx + i);
  else
    for (; i < n; i++) dx[i] = y[i] > 0.0f ? dy[i] : 0.0f;
}
