/* maxpool2d.cl: the largest value of each window, and its gradient. SPDX-License-Identifier: MIT
 *
 *   x {N, H, W, C},  y and index {N, P, Q, C},  h = p · STRIDE - PAD + r,  w = q · STRIDE - PAD + s
 *   y[n,p,q,c]     = max over r, s of x[n,h,w,c], inside the image only
 *   index[n,p,q,c] = h · W + w of the winner: the first in row-major order among equals; NaN beats every number
 *   dx[n,h,w,c]    = sum of the dy of the windows that (h, w) won, each asked in turn: no atomics
 *
 * A work-item does WIDTH neighbouring channels of one pixel; WIDTH divides C. */

#ifndef INDEX
#define INDEX 1 /* 0: nobody wants to know the winners */
#endif

#include "pool.clh"
#if WIDTH == 1
#define INTS int
#define PICK(no, yes, condition) ((condition) ? (yes) : (no))
#else
#define INTS JOIN(int, WIDTH)
#define PICK(no, yes, condition) select(no, yes, condition)
#endif

kernel void maxpool2d(global stored *restrict y, global int *restrict index, global const stored *restrict x,
                      int pixels, int H, int W, int P, int Q) {
  const int item = (int)get_global_id(0), pixel = item / (C / WIDTH), c = item % (C / WIDTH) * WIDTH;
  if (pixel >= pixels) return;
  const int q = pixel % Q, p = pixel / Q % P, n = pixel / Q / P;
  const int top = p * STRIDE - PAD, left = q * STRIDE - PAD;
  const int first = max(top, 0) * W + max(left, 0);
  global const stored *image = x + n * H * W * C + c;
  FLOATS most = LOAD_MAP(image + first * C);
  INTS winner = first;
  for (int r = 0; r < KERNEL; r++) {
    for (int s = 0; s < KERNEL; s++) {
      const int h = top + r, w = left + s;
      if (h < 0 || h >= H || w < 0 || w >= W) continue;
      const FLOATS value = LOAD_MAP(image + (h * W + w) * C);
      const INTS wins = value > most || (value != value && most == most);
      most = PICK(most, value, wins);
      winner = PICK(winner, (INTS)(h * W + w), wins);
    }
  }
  STORE_MAP(most, y + pixel * C + c);
  if (INDEX) STORE(winner, index + pixel * C + c);
}

kernel void maxpool2d_dx(global stored *restrict dx, global const stored *restrict dy, global const int *restrict index,
                         int pixels, int H, int W, int P, int Q) {
  const int item = (int)get_global_id(0), pixel = item / (C / WIDTH), c = item % (C / WIDTH) * WIDTH;
  if (pixel >= pixels) return;
  const int w = pixel % W, h = pixel / W % H, n = pixel / W / H;
  const int p_from = first_window(h), p_to = last_window(h, P), q_from = first_window(w), q_to = last_window(w, Q);
  const INTS own = h * W + w;
  FLOATS sum = 0.0f;
  for (int p = p_from; p <= p_to; p++) {
    for (int q = q_from; q <= q_to; q++) {
      const int at = ((n * P + p) * Q + q) * C + c;
      sum += PICK((FLOATS)(0.0f), LOAD_MAP(dy + at), LOAD(index + at) == own);
    }
  }
  STORE_MAP(sum, dx + pixel * C + c);
}
