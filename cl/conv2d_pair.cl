/* conv2d_pair.cl: two images as one of pairs, for products in bfloat16 that are summed over images.
 * SPDX-License-Identifier: MIT */
#include "maps.clh"

/* pairs {N / 2, H + 2·pad, W + 2·pad, C} from float `at` on: x's value of an even image in the lower half, that of the
 * next one in the upper; zeros around, and for the second image where N is odd. Work-item (row, pair). WC = W·C,
 * padC = pad·C. */
kernel void conv2d_pair(global float *restrict pairs, global const stored *restrict x, int at, int N, int H, int WC,
                        int pad, int padC) {
  int row = (int)get_global_id(0), n = 2 * (int)get_global_id(1), h = row - pad, width = WC + 2 * padC, i = 0;
  global uint *to = (global uint *)pairs + at + ((size_t)(n / 2) * (H + 2 * pad) + row) * width;
  global const ushort *lower = (global const ushort *)x + ((size_t)n * H + h) * WC, *upper = lower + (size_t)H * WC;
  if (h < 0 || h >= H) {
    for (; i < width; i++) to[i] = 0;
    return;
  }
  for (; i < padC; i++) to[i] = to[WC + padC + i] = 0;
  to += padC;
  if (n + 1 < N) {
    for (i = 0; i + 16 <= WC; i += 16)
      vstore16(convert_uint16(vload16(0, lower + i)) | convert_uint16(vload16(0, upper + i)) << 16, 0, to + i);
    for (; i < WC; i++) to[i] = lower[i] | (uint)upper[i] << 16;
  } else {
    for (i = 0; i < WC; i++) to[i] = lower[i];
  }
}
