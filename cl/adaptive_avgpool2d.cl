/* adaptive_avgpool2d.cl: the mean of each of SIZE × SIZE windows that cover the image, and its gradient.
 * SPDX-License-Identifier: MIT
 *
 *   x {N, H, W, C},  y {N, SIZE, SIZE, C}
 *   y[n,p,q,c]  = mean of x[n,h,w,c] over  first(p,H,SIZE) <= h < last(p,H,SIZE),
 *               first(q,W,SIZE) <= w < last(q,W,SIZE)
 *   first(p,H,SIZE) = floor(p · H / SIZE),  last(p,H,SIZE) = ceil((p + 1) · H / SIZE)
 *   dx[n,h,w,c] = sum of dy[n,p,q,c] / (pixels of the window) over the windows that hold (h, w):
 *                 first(h,SIZE,H) <= p < last(h,SIZE,H),  q likewise
 *
 * A work-item does WIDTH neighbouring channels of one pixel; WIDTH divides C. Extents and SIZE are at most 2^20 each,
 * so products with positions are taken in 64 bits. */

#ifndef SIZE
#define SIZE 7 /* rows and columns of y */
#endif

#include "pixels.clh"
#include "width.clh"

static int first(int p, int from, int to) { return (int)((long)p * from / to); }
static int last(int p, int from, int to) { return (int)(((long)(p + 1) * from + to - 1) / to); }

kernel void adaptive_avgpool2d(global float *restrict y, global const float *restrict x, int pixels, int H, int W) {
  const int item = (int)get_global_id(0), pixel = item / (C / WIDTH), c = item % (C / WIDTH) * WIDTH;
  if (pixel >= pixels) return;
  const int q = pixel % SIZE, p = pixel / SIZE % SIZE, n = pixel / SIZE / SIZE;
  const int top = first(p, H, SIZE), bottom = last(p, H, SIZE), left = first(q, W, SIZE), right = last(q, W, SIZE);
  global const float *image = x + n * H * W * C + c;
  FLOATS sum = 0.0f;
  for (int h = top; h < bottom; h++) {
    FLOATS row = 0.0f;
    for (int w = left; w < right; w++) row += LOAD(image + (h * W + w) * C);
    sum += row;
  }
  STORE(sum / (float)((bottom - top) * (right - left)), y + pixel * C + c);
}

kernel void adaptive_avgpool2d_dx(global float *restrict dx, global const float *restrict dy, int pixels, int H,
                                  int W) {
  const int item = (int)get_global_id(0), pixel = item / (C / WIDTH), c = item % (C / WIDTH) * WIDTH;
  if (pixel >= pixels) return;
  const int w = pixel % W, h = pixel / W % H, n = pixel / W / H;
  FLOATS sum = 0.0f;
  for (int p = first(h, SIZE, H); p < last(h, SIZE, H); p++) {
    const int rows = last(p, H, SIZE) - first(p, H, SIZE);
    for (int q = first(w, SIZE, W); q < last(w, SIZE, W); q++)
      sum += LOAD(dy + ((n * SIZE + p) * SIZE + q) * C + c) / (float)(rows * (last(q, W, SIZE) - first(q, W, SIZE)));
  }
  STORE(sum, dx + pixel * C + c);
}
