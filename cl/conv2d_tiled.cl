/* conv2d_tiled.cl: convolution and its gradients as products of matrices in local memory, for GPUs.
 * SPDX-License-Identifier: MIT
 *
 *   conv2d_tiled     y[pixel, co]   = sum over depth d = (tap, ci)  of X[pixel, d] · w[d, co]
 *                    see struct skp__gather and, for what is done to y before it is written, epilogue.clh
 *   conv2d_tiled_dw  dw[row, k]     = sum over depth d = (n, p, q)          of X[d, row]
 *                    · dy[d, k],         row = (r, s, c)
 *
 * where X stands for the image read at the pixel's position under the tap, zero outside; it is never laid out in
 * memory. A group of 16 × 16 work-items makes a tile of 16·ROWS × 16·COLUMNS results; each work-item makes ROWS ×
 * COLUMNS of them, 16 apart. It walks over the depth in steps of 16: all load their part of both factors into local
 * memory, wait, multiply, wait. */
#include "epilogue.clh"

#include "conv2d.clh"

#ifndef ROWS
#define ROWS 4 /* results of a work-item along pixels (dw: along rows): 1, 2, 4, 8 */
#endif
#ifndef COLUMNS
#define COLUMNS 4 /* results of a work-item along output channels: 1, 2, 4, 8 */
#endif
#ifndef ACROSS
/* 1: neighbouring work-items load neighbouring co (w of a forward convolution); 0: neighbouring ci (data gradient). */
#define ACROSS 1
#endif
#define SIDE 16

#define MULTIPLY(sum, left, right)                                                                                     \
  for (int d = 0; d < SIDE; d++) {                                                                                     \
    float a[ROWS], b[COLUMNS];                                                                                         \
    for (int i = 0; i < ROWS; i++) a[i] = left[d][ly + SIDE * i];                                                      \
    for (int j = 0; j < COLUMNS; j++) b[j] = right[d][lx + SIDE * j];                                                  \
    for (int i = 0; i < ROWS; i++)                                                                                     \
      for (int j = 0; j < COLUMNS; j++) sum[i][j] += a[i] * b[j];                                                      \
  }

/* Depth as (tap along h, tap along w, channel), moved on by `step` channels. */
#define ADVANCE(a, b, c, step)                                                                                         \
  for (c += step; c >= Ci; c -= Ci)                                                                                    \
    if (++b >= w_taps) b = 0, a++;

kernel __attribute__((reqd_work_group_size(SIDE, SIDE, 1))) void
conv2d_tiled(global float *restrict y, global const float *restrict x, global const float *restrict w, EPILOGUE,
             int M, int IH, int IW, int IC, int OH, int OW, int OC, int Ci, int Co, int S, int tap_step, int group_step,
             int ci_step, int co_step, AXIS(h), AXIS(w)) {
  local float left[SIDE][SIDE * ROWS + 1], right[SIDE][SIDE * COLUMNS + 1];
  int lx = (int)get_local_id(0), ly = (int)get_local_id(1), tiles = (Co + SIDE * COLUMNS - 1) / (SIDE * COLUMNS);
  int group = (int)get_group_id(0) / tiles, co = (int)get_group_id(0) % tiles * SIDE * COLUMNS;
  int m = (int)get_group_id(1) * SIDE * ROWS, depth = h_taps * w_taps * Ci;
  int ih[ROWS], iw[ROWS], image[ROWS];
  float sum[ROWS][COLUMNS];
  x += group * Ci;
  w += group * group_step;
  for (int i = 0; i < ROWS; i++) {
    int pixel = m + ly + SIDE * i;
    image[i] = pixel < M ? pixel / w_count / h_count * IH : -1;
    ih[i] = pixel / w_count % h_count * h_in_step + h_in_offset;
    iw[i] = pixel % w_count * w_in_step + w_in_offset;
    for (int j = 0; j < COLUMNS; j++) sum[i][j] = 0.0f;
  }
  int dw = ACROSS ? ly : lx, cw = ACROSS ? lx : ly; /* what of w this one loads */
  int xa = 0, xb = 0, xc = 0, wa = 0, wb = 0, wc = 0;
  ADVANCE(xa, xb, xc, lx)
  ADVANCE(wa, wb, wc, dw)
  for (int d = 0; d < depth; d += SIDE) {
    for (int i = 0; i < ROWS; i++) {
      int h = ih[i] + xa * h_in_tap, v = iw[i] + xb * w_in_tap;
      bool inside = xa < h_taps && image[i] >= 0 && h >= 0 && h < IH && v >= 0 && v < IW;
      left[lx][ly + SIDE * i] = inside ? x[((image[i] + h) * IW + v) * IC + xc] : 0.0f;
    }
    for (int j = 0; j < COLUMNS; j++) {
      int c = co + cw + SIDE * j, tap = (h_tap + wa * h_tap_step) * S + w_tap + wb * w_tap_step;
      right[dw][cw + SIDE * j] = wa < h_taps && c < Co ? w[tap * tap_step + wc * ci_step + c * co_step] : 0.0f;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    MULTIPLY(sum, left, right)
    barrier(CLK_LOCAL_MEM_FENCE);
    ADVANCE(xa, xb, xc, SIDE)
    ADVANCE(wa, wb, wc, SIDE)
  }
  for (int i = 0; i < ROWS; i++) {
    int pixel = m + ly + SIDE * i, p = pixel / w_count % h_count, q = pixel % w_count;
    int at = ((pixel / w_count / h_count * OH + p * h_step + h_start) * OW + q * w_step + w_start) * OC;
    for (int j = 0; j < COLUMNS; j++) {
      int c = co + lx + SIDE * j, k = group * Co + c;
      if (pixel < M && c < Co) y[at + k] = finish(sum[i][j], k, at + k, EPILOGUE_VALUES);
    }
  }
}

/* Chunk get_group_id(2) takes `length` of the M = N·P·Q pixels; its results begin every `size` floats. */
kernel __attribute__((reqd_work_group_size(SIDE, SIDE, 1))) void
conv2d_tiled_dw(global float *restrict partial, global const float *restrict x, global const float *restrict dy,
                int length, int size, SIZES) {
  local float left[SIDE][SIDE * ROWS + 1], right[SIDE][SIDE * COLUMNS + 1];
  int lx = (int)get_local_id(0), ly = (int)get_local_id(1), Cg = C / groups, Kg = K / groups;
  int tiles = (Kg + SIDE * COLUMNS - 1) / (SIDE * COLUMNS), group = (int)get_group_id(0) / tiles;
  int k = (int)get_group_id(0) % tiles * SIDE * COLUMNS, row = (int)get_group_id(1) * SIDE * ROWS;
  int from = (int)get_group_id(2) * length, to = min(from + length, N * P * Q);
  int rh[ROWS], sv[ROWS], channel[ROWS];
  float sum[ROWS][COLUMNS];
  dy += group * Kg;
  for (int i = 0; i < ROWS; i++) {
    int at = row + lx + SIDE * i;
    channel[i] = at < R * S * Cg ? at % Cg + group * Cg : -1;
    rh[i] = at / Cg / S * dilation - pad;
    sv[i] = at / Cg % S * dilation - pad;
    for (int j = 0; j < COLUMNS; j++) sum[i][j] = 0.0f;
  }
  int pixel = from + ly, q = pixel % Q, p = pixel / Q % P, n = pixel / Q / P;
  for (int d = from; d < to; d += SIDE, pixel += SIDE) {
    for (int i = 0; i < ROWS; i++) {
      int h = p * stride + rh[i], v = q * stride + sv[i];
      bool inside = pixel < to && channel[i] >= 0 && h >= 0 && h < H && v >= 0 && v < W;
      left[ly][lx + SIDE * i] = inside ? x[((n * H + h) * W + v) * C + channel[i]] : 0.0f;
    }
    for (int j = 0; j < COLUMNS; j++) {
      int c = k + lx + SIDE * j;
      right[ly][lx + SIDE * j] = pixel < to && c < Kg ? dy[pixel * K + c] : 0.0f;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    MULTIPLY(sum, left, right)
    barrier(CLK_LOCAL_MEM_FENCE);
    for (q += SIDE; q >= Q; q -= Q)
      if (++p == P) p = 0, n++;
  }
  for (int i = 0; i < ROWS; i++)
    for (int j = 0; j < COLUMNS; j++) {
      int at = row + ly + SIDE * i, c = k + lx + SIDE * j;
      if (at < R * S * Cg && c < Kg) partial[get_group_id(2) * size + at * K + group * Kg + c] = sum[i][j];
    }
}
