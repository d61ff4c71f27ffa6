/* concat.cl: some channels of each pixel, copied to another place among another number of them.
 * SPDX-License-Identifier: MIT
 *
 *   to[i, to_at + c] = from[i, from_at + c],   to {pixels, to_C}, from {pixels, from_C}, c < channels
 *
 * A work-item does WIDTH neighbouring channels of a pixel; WIDTH divides `channels`. */

#ifndef WIDTH
#define WIDTH 1 /* channels of a work-item: 1, 2, 4, 8, 16 */
#endif

#include "width.clh"

kernel void concat(global float *restrict to, global const float *restrict from, int pixels, int channels, int to_C,
                   int to_at, int from_C, int from_at) {
  const int item = (int)get_global_id(0), i = item / (channels / WIDTH), c = item % (channels / WIDTH) * WIDTH;
  if (i < pixels) STORE(LOAD(from + i * from_C + from_at + c), to + i * to_C + to_at + c);
}
