/* normalise.cl: the bytes of images as numbers, by a table of 256 for each channel. SPDX-License-Identifier: MIT
 *
 * A work-item does WIDTH neighbouring values; the last one what is left of n. */

#ifndef WIDTH
#define WIDTH 8 /* values of a work-item */
#endif

#include "maps.clh"

kernel void normalise(global stored *restrict y, global const uchar *restrict bytes,
                      global const float *restrict levels, int n, int channels) {
  const int first = (int)get_global_id(0) * WIDTH, end = min(first + WIDTH, n);
  int c = first % channels;
  for (int i = first; i < end; i++) {
    put_map(levels[c * 256 + bytes[i]], y + i);
    c = c + 1 < channels ? c + 1 : 0;
  }
}
