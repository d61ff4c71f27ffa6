/* conv2d_cpu.cl: convolution and its data gradient in registers, for CPUs: groups of one work-item. SPDX-License-Identifier: MIT
 *
 *   y[n, h.start + i·h.step, w.start + j·w.step, co]
 *     = b[co] + sum over taps a, b and ci  of  x[n, i·h.in_step + h.in_offset + a·h.in_tap, …, ci] · w[h.tap + a·h.tap_step, …, ci, co]
 *
 * which is the forward convolution, or (x being dy, y dx, ci and co having changed places) the part of the data gradient whose
 * positions have the same rest by the stride: see struct skp__gather. A work-item keeps TILE pixels × 16 channels of y in registers and walks
 * over taps and ci: 16 weights from the panel that conv2d_cpu_pack laid out, and one value of x for each pixel. A pixel's tap that
 * lies outside the image reads a row of zeros, so that the inner loop has no conditions. */

/* pixels of a register tile: TILE·16 sums, 16 weights and a vector of one value of x should fit the registers */
#ifndef TILE
#define TILE 6
#endif

/* packed[panel][tap][ci][16]: panel = (group, 16 channels co), zero beyond the last channel; then `zeros` zeros. One work-item a panel and tap.
 * w's element for a group's (tap, ci, co) stands at tap·tap_step + group·group_step + ci·ci_step + co·co_step. */
kernel void conv2d_cpu_pack(global float *restrict packed, global const float *restrict w, int panels, int taps, int Ci,
                            int Co, int tap_step, int group_step, int ci_step, int co_step, int zeros) {
  int panel = (int)get_global_id(0), tap = (int)get_global_id(1), tiles = (Co + 15) / 16;
  int co = panel % tiles * 16, width = min(16, Co - co);
  global const float *from = w + tap * tap_step + panel / tiles * group_step + co * co_step;
  global float *to = packed + (size_t)(panel * taps + tap) * Ci * 16;
  for (int ci = 0; ci < Ci; ci++, from += ci_step, to += 16) {
    if (co_step == 1 && width == 16) {
      vstore16(vload16(0, from), 0, to);
    } else {
      for (int l = 0; l < 16; l++) to[l] = l < width ? from[l * co_step] : 0.0f;
    }
  }
  if (panel == panels - 1 && tap == taps - 1)
    for (int i = 0; i < zeros; i++) to[i] = 0.0f;
}

/* padded {N, H + 2·pad, W + 2·pad, C} = x {N, H, W, C} with zeros around, from float `at` on. One work-item an image. WC = W·C, padC = pad·C. */
kernel void conv2d_cpu_pad(global float *restrict padded, global const float *restrict x, int at, int H, int WC,
                           int pad, int padC) {
  int n = (int)get_global_id(0), width = WC + 2 * padC;
  global float *to = padded + at + (size_t)n * (H + 2 * pad) * width;
  global const float *from = x + (size_t)n * H * WC;
  for (int i = 0; i < pad * width + padC; i++) *to++ = 0.0f;
  for (int h = 0; h < H; h++, to += width, from += WC) {
    for (int i = 0; i < WC; i++) to[i] = from[i];
    for (int i = WC; i < width; i++) to[i] = 0.0f;
  }
  for (int i = 0; i < pad * width - padC; i++) to[i] = 0.0f;
}

#define AXIS(a)                                                                                                        \
  int a##_count, int a##_start, int a##_step, int a##_in_step, int a##_in_offset, int a##_taps, int a##_tap,           \
      int a##_tap_step, int a##_in_tap

/* Work-item (j, i): panels j·span …, and `length` tiles of the M = N·h_count·w_count pixels, `block` of them at a time by all its panels, so
 * that they are fetched once. x begins at float x_at. */
kernel void conv2d_cpu(global float *restrict y, global const float *restrict x, global const float *restrict packed,
                       global const float *restrict bias, int has_bias, int x_at, int length, int block, int span,
                       int M, int IH, int IW, int IC, int OH, int OW, int OC, int Ci, int Co, int panels, int taps,
                       int taps_w, AXIS(h), AXIS(w)) {
  int tiles = (Co + 15) / 16, first = (int)get_global_id(0) * span, last = min(first + span, panels);
  int begin = (int)get_global_id(1) * length * TILE, stop = min(begin + length * TILE, M);
  global const float *zeros = packed + (size_t)panels * taps * Ci * 16;
  for (; begin < stop; begin += block * TILE)
    for (int panel = first; panel < last; panel++) {
      int group = panel / tiles, k = panel % tiles * 16, m = begin, end = min(m + block * TILE, stop);
      global const float *weights = packed + (size_t)panel * taps * Ci * 16;
      global const float *from_x = x + x_at + group * Ci;
      global float *to_y = y + group * Co + k;
      float16 offset = 0.0f;
      if (has_bias) {
        float some[16];
        for (int l = 0; l < 16; l++) some[l] = k + l < Co ? bias[group * Co + k + l] : 0.0f;
        offset = vload16(0, some);
      }
      int j = m % w_count, i = m / w_count % h_count, n = m / w_count / h_count;
      for (; m < end; m += TILE) {
        int ih[TILE], iw[TILE], image[TILE], out[TILE];
#pragma unroll
        for (int t = 0; t < TILE; t++) {
          ih[t] = i * h_in_step + h_in_offset;
          iw[t] = j * w_in_step + w_in_offset;
          image[t] = n * IH;
          out[t] = ((n * OH + i * h_step + h_start) * OW + j * w_step + w_start) * OC;
          bool more = m + t + 1 < M; /* the last tile repeats the last pixel */
          int row = more && j + 1 == w_count, next = row && i + 1 == h_count;
          j = row ? 0 : j + more;
          i = next ? 0 : i + row;
          n += next;
        }
        float16 sum[TILE];
#pragma unroll
        for (int t = 0; t < TILE; t++) sum[t] = 0.0f;
        for (int a = 0; a < h_taps; a++) {
          for (int b = 0; b < w_taps; b++) {
            global const float *by = weights + ((h_tap + a * h_tap_step) * taps_w + w_tap + b * w_tap_step) * Ci * 16;
            global const float *from[TILE];
#pragma unroll
            for (int t = 0; t < TILE; t++) {
              int h = ih[t] + a * h_in_tap, v = iw[t] + b * w_in_tap;
              bool inside = h >= 0 && h < IH && v >= 0 && v < IW;
              from[t] = inside ? from_x + ((image[t] + h) * IW + v) * IC : zeros;
            }
            for (int c = 0; c < Ci; c++, by += 16) {
              const float16 w = vload16(0, by);
#pragma unroll
              for (int t = 0; t < TILE; t++) sum[t] += from[t][c] * w;
            }
          }
        }
#pragma unroll
        for (int t = 0; t < TILE; t++) {
          if (m + t >= M) continue;
          global float *to = to_y + out[t];
          if (k + 16 <= Co) {
            vstore16(sum[t] + offset, 0, to);
          } else {
            float some[16];
            vstore16(sum[t] + offset, 0, some);
            for (int l = 0; k + l < Co; l++) to[l] = some[l];
          }
        }
      }
    }
}
