/* avgpool2d.cl: the mean of each window, and its gradient. SPDX-License-Identifier: MIT
 *
 *   x {N, H, W, C},  y {N, P, Q, C},  h = p · STRIDE - PAD + r,  w = q · STRIDE - PAD + s
 *   y[n,p,q,c]  = (sum over r, s of x[n,h,w,c], zero outside the image) / D[p,q]
 *   D[p,q]      = KERNEL² if INCLUDE_PAD, else how many pixels of the window lie inside the image
 *   dx[n,h,w,c] = sum of dy[n,p,q,c] / D[p,q] over the windows that hold (h, w)
 *
 * A work-item does WIDTH neighbouring channels of one pixel; WIDTH divides C. */

#ifndef INCLUDE_PAD
#define INCLUDE_PAD 1 /* padding counts in the divisor */
#endif

#include "pool.clh"

/* How many positions of a window that begins at `from` lie inside an axis of that extent. */
static int inside(int from, int extent) { return min(from + KERNEL, extent) - max(from, 0); }

static float divisor(int top, int left, int H, int W) {
  return INCLUDE_PAD ? KERNEL * KERNEL : inside(top, H) * inside(left, W);
}

kernel void avgpool2d(global stored *restrict y, global const stored *restrict x, int pixels, int H, int W, int P,
                      int Q) {
  const int item = (int)get_global_id(0), pixel = item / (C / WIDTH), c = item % (C / WIDTH) * WIDTH;
  if (pixel >= pixels) return;
  const int q = pixel % Q, p = pixel / Q % P, n = pixel / Q / P;
  const int top = p * STRIDE - PAD, left = q * STRIDE - PAD;
  global const stored *image = x + n * H * W * C + c;
  FLOATS sum = 0.0f;
  for (int r = 0; r < KERNEL; r++) {
    for (int s = 0; s < KERNEL; s++) {
      const int h = top + r, w = left + s;
      if (h >= 0 && h < H && w >= 0 && w < W) sum += LOAD_MAP(image + (h * W + w) * C);
    }
  }
  STORE_MAP(sum / divisor(top, left, H, W), y + pixel * C + c);
}

kernel void avgpool2d_dx(global stored *restrict dx, global const stored *restrict dy, int pixels, int H, int W, int P,
                         int Q) {
  const int item = (int)get_global_id(0), pixel = item / (C / WIDTH), c = item % (C / WIDTH) * WIDTH;
  if (pixel >= pixels) return;
  const int w = pixel % W, h = pixel / W % H, n = pixel / W / H;
  const int p_from = first_window(h), p_to = last_window(h, P), q_from = first_window(w), q_to = last_window(w, Q);
  FLOATS sum = 0.0f;
  for (int p = p_from; p <= p_to; p++)
    for (int q = q_from; q <= q_to; q++)
      sum += LOAD_MAP(dy + ((n * P + p) * Q + q) * C + c) / divisor(p * STRIDE - PAD, q * STRIDE - PAD, H, W);
  STORE_MAP(sum, dx + pixel * C + c);
}
