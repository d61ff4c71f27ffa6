/* conv2d_sum.cl: the last stage of weight and bias gradients. SPDX-License-Identifier: MIT
 *
 *   dw[i] = sum over chunks j of partial[j·size + i]              i < weights
 *   db[k] = sum over chunks j of partial[j·size + weights + k]    k < biases
 *
 *   y[i]  = the same of results instead of weights, finished as epilogue.clh says
 *
 * Always added in the same order: eight interleaved sums, then those in pairs. */
#include "epilogue.clh"
#include "parts.clh"

#ifndef COLUMNS
#define COLUMNS 1 /* neighbouring results of a work-item: 16, a vector, on CPUs; GPUs have no registers for its sums */
#endif

/* The same of rows of dy. */
#define SUM_ROWS(type, get, column)                                                                                    \
  type sum[8];                                                                                                         \
  for (int lane = 0; lane < 8; lane++) {                                                                               \
    sum[lane] = 0.0f;                                                                                                  \
    for (int row = from + lane; row < to; row += 8) sum[lane] += get((column) + (size_t)row * K);                      \
  }                                                                                                                    \
  const type all = ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]))

#if COLUMNS == 16
static float16 sums_of(global const float *restrict from, int size, int chunks) {
  SUM_OF(float16, get16, from, size, chunks);
}
#endif

kernel void conv2d_sum(global float *restrict dw, global float *restrict db, global const float *restrict partial,
                       int weights, int biases, int size, int chunks) {
  int i = (int)get_global_id(0) * COLUMNS;
  const int last = min(i + COLUMNS, weights + biases);
#if COLUMNS == 16
  if (last <= weights && last == i + 16) {
    put16(sums_of(partial + i, size, chunks), dw + i);
    return;
  }
#endif
  for (; i < last; i++) {
    const float all = sum_of(partial + i, size, chunks);
    if (i < weights)
      dw[i] = all;
    else
      db[i - weights] = all;
  }
}

/* partial[offset + j·size + k] = sum over the j-th `length` rows of dy {rows, K}; eight interleaved sums here too.
 * Work-item (i, j) does COLUMNS columns k. */
kernel void conv2d_columns(global float *restrict partial, global const stored *restrict dy, int offset, int size,
                           int rows, int K, int length) {
  const int begin = (int)get_global_id(0) * COLUMNS, end = min(begin + COLUMNS, K), j = (int)get_global_id(1);
  const int from = j * length, to = min(from + length, rows);
  global float *sums = partial + offset + (size_t)j * size;
#if COLUMNS == 16
  if (end == begin + 16) {
    SUM_ROWS(float16, get_map16, dy + begin);
    put16(all, sums + begin);
    return;
  }
#endif
  for (int k = begin; k < end; k++) {
    SUM_ROWS(float, get_map, dy + k);
    sums[k] = all;
  }
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
