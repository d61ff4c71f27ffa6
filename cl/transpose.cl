/* transpose.cl: the features of each row, seen as a matrix, in the order of its columns. SPDX-License-Identifier: MIT
 *
 *   y[n, c·rows + r] = x[n, r·columns + c]
 *
 * A work-item writes one of the `total` values of y; neighbours write neighbours. */

kernel void transpose(global float *restrict y, global const float *restrict x, int total, int rows, int columns) {
  const int i = (int)get_global_id(0);
  if (i >= total) return;
  const int features = rows * columns, row = i / features, place = i - row * features;
  const int c = place / rows, r = place - c * rows;
  y[i] = x[row * features + r * columns + c];
}
