/* conv2d_statistics.cl: the statistics of a convolution's result, and the last stage of one whose sums were split.
 * SPDX-License-Identifier: MIT
 *
 *   y[p,k]       = sum over chunks j of partial[j, p, k], finished as epilogue.clh says; with chunks 0 it stands there
 *   means[b,k]   = mean of y[p,k],  squares[b,k] = sum of (y[p,k] - means[b,k])²    over the PIXELS pixels p of block b
 *
 *   y {pixels, K},  partial {chunks, pixels, K},  means, squares {blocks, K}
 *
 * A group takes LANES channels (dimension 0) of a block (dimension 1), each of its ROWS rows of work-items every
 * ROWS-th pixel. What is summed is read back as it was stored. `want`: 1 means, 2 squares. */
#ifndef PIXELS
#define PIXELS 128 /* of a block, as the op has them */
#endif
#ifndef LANES
#define LANES 16 /* channels of a group: a power of two */
#endif
#ifndef ROWS
#define ROWS 16 /* work-items for each of them: a power of two; 1 and one lane: a group of one work-item */
#endif

#include "epilogue.clh"
#include "lanes.clh"
#include "parts.clh"

kernel void conv2d_statistics(global stored *restrict y, global float *restrict means, global float *restrict squares,
                              global const float *restrict partial, EPILOGUE, int pixels, int K, int chunks, int want) {
  SHARED float shared[GROUP_ITEMS], again[GROUP_ITEMS]; /* two: see docs/devices.md on PoCL */
  const int k = (int)get_global_id(0), row = (int)get_local_id(1), block = (int)get_group_id(1);
  const int first = block * PIXELS, n = min(PIXELS, pixels - first), last = k < K ? first + n : 0;
  float sum = 0.0f, square = 0.0f;
  for (int p = first + row; p < last; p += ROWS) {
    const int at = p * K + k;
    if (chunks) put_map(finish(sum_of(partial + at, pixels * K, chunks), k, at, EPILOGUE_VALUES), y + at);
    sum += get_map(y + at);
  }
  const float mean = sum_of_lane(shared, sum) / n;
  for (int p = first + row; p < last; p += ROWS) {
    const float apart = get_map(y + p * K + k) - mean;
    square += apart * apart;
  }
  square = sum_of_lane(again, square);
  if (row > 0 || k >= K) return;
  if (want & 1) means[block * K + k] = mean;
  if (want & 2) squares[block * K + k] = square;
}
