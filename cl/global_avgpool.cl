/* global_avgpool.cl: the mean of each channel over the whole image, and its gradient. SPDX-License-Identifier: MIT
 *
 *   x {N, pixels, C},  y {N, C}:   y[n,c] = mean over i of x[n,i,c],   dx[n,i,c] = dy[n,c] / pixels
 *
 * A work-item does WIDTH neighbouring channels of an image (dx: of a pixel); WIDTH divides C. Sums are taken in two
 * steps, BLOCK pixels and then blocks, which keeps rounding small. */

#ifndef BLOCK
#define BLOCK 32 /* pixels that are added up before they join the sum */
#endif

#include "pixels.clh"
#include "maps.clh"

kernel void global_avgpool(global stored *restrict y, global const stored *restrict x, int N, int pixels) {
  const int item = (int)get_global_id(0), n = item / (C / WIDTH), c = item % (C / WIDTH) * WIDTH;
  if (n >= N) return;
  global const stored *image = x + n * pixels * C + c;
  FLOATS sum = 0.0f;
  for (int from = 0; from < pixels; from += BLOCK) {
    FLOATS part = 0.0f;
    for (int i = from; i < min(from + BLOCK, pixels); i++) part += LOAD_MAP(image + i * C);
    sum += part;
  }
  STORE_MAP(sum / (float)pixels, y + n * C + c);
}

kernel void global_avgpool_dx(global stored *restrict dx, global const stored *restrict dy, int N, int pixels) {
  const int item = (int)get_global_id(0), pixel = item / (C / WIDTH), c = item % (C / WIDTH) * WIDTH;
  if (pixel >= N * pixels) return;
  STORE_MAP(LOAD_MAP(dy + pixel / pixels * C + c) / (float)pixels, dx + pixel * C + c);
}
