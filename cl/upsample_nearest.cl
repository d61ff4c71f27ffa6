/* upsample_nearest.cl: each pixel becomes a square of `scale` × `scale`, and its gradient. SPDX-License-Identifier: MIT
 *
 *   x, dx {pixels / W, W, C},  y, dy {scale · pixels / W, scale · W, C}: the images lie one below the other
 *   y[h,w,c] = x[h / scale, w / scale, c],   dx[p,q,c] = sum over that square of dy
 *
 * A work-item does WIDTH neighbouring channels of one pixel of y, or of dx; WIDTH divides C. */

#ifndef WIDTH
#define WIDTH 1 /* channels of a work-item: 1, 2, 4, 8, 16, a divisor of C */
#endif

#include "width.clh"

/* `pixels` and W are those of y. */
kernel void upsample_nearest(global float *restrict y, global const float *restrict x, int pixels, int W, int C,
                             int scale) {
  const int item = (int)get_global_id(0), pixel = item / (C / WIDTH), c = item % (C / WIDTH) * WIDTH;
  if (pixel >= pixels) return;
  const int h = pixel / W / scale, w = pixel % W / scale;
  STORE(LOAD(x + (h * (W / scale) + w) * C + c), y + pixel * C + c);
}

/* Here they are those of dx. */
kernel void upsample_nearest_dx(global float *restrict dx, global const float *restrict dy, int pixels, int W, int C,
                                int scale) {
  const int item = (int)get_global_id(0), pixel = item / (C / WIDTH), c = item % (C / WIDTH) * WIDTH;
  if (pixel >= pixels) return;
  const int top = pixel / W * scale, left = pixel % W * scale;
  FLOATS sum = 0.0f;
  for (int r = 0; r < scale; r++)
    for (int s = 0; s < scale; s++) sum += LOAD(dy + ((top + r) * (W * scale) + left + s) * C + c);
  STORE(sum, dx + pixel * C + c);
}
