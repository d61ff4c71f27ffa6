/* conv2d_depthwise.cl: convolutions with a filter for each channel, and their gradients. SPDX-License-Identifier: MIT
 *
 *   conv2d_depthwise     the forward convolution and each phase of the data gradient: a gather, as conv.h has it
 *     out[n, h.start + i·h.step, v.start + j·v.step, c] = sum over taps r, s of
 *       in[n, i·h.in_step + h.in_offset + r·h.in_tap, j·v.in_step + v.in_offset + s·v.in_tap, c]
 *         · w[h.tap + r·h.tap_step, v.tap + s·v.tap_step, c],
 *     then as epilogue.clh says
 *   conv2d_depthwise_dw  sums over the j-th `length` rows of y, into partial[j]
 *     dw[r,s,c] = sum over n,p,q of x[n, p·stride - pad + r·dilation, q·stride - pad + s·dilation, c] · dy[n,p,q,c]
 *     db[c] = sum over n,p,q of dy[n,p,q,c]
 *
 * A work-item does WIDTH neighbouring channels; WIDTH divides C. In the first it does `strip` pixels of a row of `out`,
 * TILE at a time, for which a weight is fetched once; in the second all taps of one row
 * of the filter (of row R: db). */
#ifndef WIDTH
#define WIDTH 1 /* channels of a work-item: 1, 2, 4, 8, 16 */
#endif
#ifndef TILE
#define TILE 4 /* neighbouring results that are kept together */
#endif
#ifndef S
#define S 3 /* columns of the filter, in conv2d_depthwise_dw */
#endif

#include "conv2d.clh"
#include "epilogue.clh"

kernel void conv2d_depthwise(global float *restrict out, global const float *restrict in,
                             global const float *restrict w, EPILOGUE, int strip,
                             int N, int IH, int IW, int OH, int OW, int C, int columns, AXIS(h), AXIS(v)) {
  const int item = (int)get_global_id(0), c = item % (C / WIDTH) * WIDTH, strips = (v_count + strip - 1) / strip;
  const int from = item / (C / WIDTH) % strips * strip, row = item / (C / WIDTH) / strips, n = row / h_count;
  if (n >= N) return;
  const int i = row % h_count, to = min(from + strip, v_count), reach = (v_taps - 1) * v_in_tap;
  global float *line = out + ((n * OH + h_start + i * h_step) * OW + v_start) * C + c;
  const FLOATS factor = HAS_SCALE ? LOAD(scale + c) : (FLOATS)(1.0f), least = LEAST;
  const FLOATS add = HAS_BIAS ? LOAD(bias + c) : (FLOATS)(0.0f);
  for (int j = from; j < to; j += TILE) {
    const int at = j * v_in_step + v_in_offset, end = at + (TILE - 1) * v_in_step;
    const int inside = j + TILE <= to && at + min(reach, 0) >= 0 && end + max(reach, 0) < IW;
    FLOATS sum[TILE];
    for (int t = 0; t < TILE; t++) sum[t] = 0.0f;
    for (int r = 0; r < h_taps; r++) {
      const int y = i * h_in_step + h_in_offset + r * h_in_tap;
      if (y < 0 || y >= IH) continue;
      global const float *source = in + (n * IH + y) * IW * C + c;
      global const float *filter = w + ((h_tap + r * h_tap_step) * columns + v_tap) * C + c;
      for (int s = 0; s < v_taps; s++) {
        const FLOATS weight = LOAD(filter + s * v_tap_step * C);
        const int x = at + s * v_in_tap;
        if (inside) {
          for (int t = 0; t < TILE; t++) sum[t] += LOAD(source + (x + t * v_in_step) * C) * weight;
        } else {
          for (int t = 0; t < TILE; t++)
            if (j + t < to && x + t * v_in_step >= 0 && x + t * v_in_step < IW)
              sum[t] += LOAD(source + (x + t * v_in_step) * C) * weight;
        }
      }
    }
    for (int t = 0; t < TILE; t++) {
      if (j + t >= to) break;
      global float *result = line + (j + t) * v_step * C;
      FLOATS v = sum[t] * factor + add;
      if (HAS_RESIDUAL) v += LOAD(residual + (result - out));
      if (HAS_MASK) v = LOAD(mask + (result - out)) > 0.0f ? v : (FLOATS)(0.0f);
      STORE(v < least ? least : v, result);
    }
  }
}

kernel void conv2d_depthwise_dw(global float *restrict partial, global const float *restrict x,
                                global const float *restrict dy, int length, int chunks, int N, int H, int W, int C,
                                int P, int Q, int R, int stride, int pad, int dilation) {
  const int item = (int)get_global_id(0), c = item % (C / WIDTH) * WIDTH;
  const int r = item / (C / WIDTH) % (R + 1), chunk = item / (C / WIDTH) / (R + 1);
  if (chunk >= chunks) return;
  const int from = chunk * length, to = min(from + length, N * P);
  /* Windows from `first` on, before `last`, lie inside. */
  const int first = min((pad + stride - 1) / stride, Q), room = W + pad - (S - 1) * dilation;
  const int last = room > 0 ? max(min((room - 1) / stride + 1, Q), first) : first;
  FLOATS sum[S];
  for (int s = 0; s < S; s++) sum[s] = 0.0f;
  for (int row = from; row < to; row++) {
    const int h = row % P * stride - pad + r * dilation;
    if (r < R && (h < 0 || h >= H)) continue;
    global const float *d = dy + row * Q * C + c;
    FLOATS part[S];
    for (int s = 0; s < S; s++) part[s] = 0.0f;
    if (r == R) {
      for (int q = 0; q < Q; q++) part[0] += LOAD(d + q * C);
    } else {
      global const float *source = x + (row / P * H + h) * W * C + c;
      for (int q = 0; q < Q; q++) {
        const FLOATS arriving = LOAD(d + q * C);
        const int left = q * stride - pad;
        if (q >= first && q < last) {
          for (int s = 0; s < S; s++) part[s] += LOAD(source + (left + s * dilation) * C) * arriving;
        } else {
          for (int s = 0; s < S; s++)
            if (left + s * dilation >= 0 && left + s * dilation < W)
              part[s] += LOAD(source + (left + s * dilation) * C) * arriving;
        }
      }
    }
    for (int s = 0; s < S; s++) sum[s] += part[s];
  }
  global float *result = partial + chunk * (R * S + 1) * C + r * S * C + c;
  for (int s = 0; s < S; s++) /* a constant number, that the array may be registers */
    if (r < R || s == 0) STORE(sum[s], result + s * C);
}
