/* axpby.cl: a weighted sum in place. SPDX-License-Identifier: MIT
 *
 *   new_y[i] = w[0] · y[i] + w[1] · x[i]          new_y may be y; w[0] = 0: whatever y was, also if no number
 *
 * A work-item does WIDTH neighbouring values; the last ones of n one by one. */

#ifndef WIDTH
#define WIDTH 8 /* values of a work-item: 2, 4, 8, 16 */
#endif

#include "width.clh"

kernel void axpby(global float *new_y, global const float *y, global const float *restrict x,
                  global const float *restrict w, int n) {
  int i = (int)get_global_id(0) * WIDTH;
  if (i + WIDTH <= n) {
    STORE(w[0] == 0 ? w[1] * LOAD(x + i) : w[0] * LOAD(y + i) + w[1] * LOAD(x + i), new_y + i);
  } else {
    for (; i < n; i++) new_y[i] = w[0] == 0 ? w[1] * x[i] : w[0] * y[i] + w[1] * x[i];
  }
}
