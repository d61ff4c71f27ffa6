/* conv2d_sum.cl: the last stage of weight and bias gradients. SPDX-License-Identifier: MIT
 *
 *   dw[i] = sum over chunks j of partial[j·size + i]              i < weights
 *   db[k] = sum over chunks j of partial[j·size + weights + k]    k < biases
 *
 *   y[i]  = the same of results instead of weights, finished as epilogue.clh says
 *
 * Always added in the same order: eight interleaved sums, then those in pairs. */
#include "epilogue.clh"

static float sum_of(global const float *restrict from, int size, int chunks) {
  float sum[8];
  for (int lane = 0; lane < 8; lane++) {
    sum[lane] = 0.0f;
    for (int j = lane; j < chunks; j += 8) sum[lane] += from[(size_t)j * size];
  }
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

kernel void conv2d_sum(global float *restrict dw, global float *restrict db, global const float *restrict partial,
                       int weights, int biases, int size, int chunks) {
  int i = (int)get_global_id(0);
  if (i >= weights + biases) return;
  const float all = sum_of(partial + i, size, chunks);
  if (i < weights)
    dw[i] = all;
  else
    db[i - weights] = all;
}

/* partial[offset + j·size + k] = sum over the j-th `length` rows of dy {rows, K}; eight interleaved sums here too. */
kernel void conv2d_columns(global float *restrict partial, global const float *restrict dy, int offset, int size,
                           int rows, int K,
                           int length) {
  int k = (int)get_global_id(0), j = (int)get_global_id(1);
  if (k >= K) return;
  int from = j * length, to = min(from + length, rows);
  float sum[8];
  for (int lane = 0; lane < 8; lane++) {
    sum[lane] = 0.0f;
    for (int row = from + lane; row < to; row += 8) sum[lane] += dy[row * K + k];
  }
  const float first = (sum[0] + sum[1]) + (sum[2] + sum[3]), last = (sum[4] + sum[5]) + (sum[6] + sum[7]);
  partial[offset + (size_t)j * size + k] = first + last;
}

/* y {…, K} of n values. */
kernel void conv2d_results(global stored *restrict y, global const float *restrict partial, EPILOGUE, int n, int K,
                           int chunks) {
  int i = (int)get_global_id(0);
  if (i < n) put_map(finish(sum_of(partial + i, n, chunks), i % K, i, EPILOGUE_VALUES), y + i);
}

/* The same of sums that stand in y. */
kernel void conv2d_finish(global stored *y, EPILOGUE, int n, int K) {
  int i = (int)get_global_id(0);
  if (i < n) put_map(finish(get_map(y + i), i % K, i, EPILOGUE_VALUES), y + i);
}
