/* conv2d_cpu.cl: convolution and its data gradient in registers, for CPUs: groups of one work-item.
 * SPDX-License-Identifier: MIT
 *
 *   y[n, h.start + i·h.step, w.start + j·w.step, co]
 *     = sum over taps a, b and ci  of  x[n, i·h.in_step + h.in_offset + a·h.in_tap, …, ci]
 *                                      · w[h.tap + a·h.tap_step, …, ci, co],     then as epilogue.clh says
 *
 * which is the forward convolution, or (x being dy, y dx, ci and co having changed places) the part of the data
 * gradient whose positions have the same rest by the stride: see struct skp__gather. A work-item keeps TILE pixels ×
 * VECTORS·16 channels of y in registers and walks over taps and ci: the weights of a panel, which conv2d_pack.cl laid
 * out, times one value of x for each pixel. A pixel's tap that lies outside the image reads a row of zeros, so that the
 * inner loop has no conditions. */
#include "dot.clh"
#include "epilogue.clh"
#include "conv2d.clh"

/* pixels of a register tile: its TILE·VECTORS sums, VECTORS vectors of weights and one
 * of a value of x should fit the registers */
#ifndef TILE
#define TILE 6
#endif
/* vectors of 16 channels co in a panel: with two, a value of x that was fetched serves twice as many products */
#ifndef VECTORS
#define VECTORS 1
#endif
#define PANEL (16 * VECTORS)

#define EACH_PIXEL  _Pragma("unroll") for (int t = 0; t < TILE; t++)
#define EACH_VECTOR _Pragma("unroll") for (int v = 0; v < VECTORS; v++)

/* Work-item (j, i): panels j·span …, and `length` tiles of the M = N·h_count·w_count pixels, `block` of them at a time
 * by all its panels, so that they are fetched once. x begins at float x_at. */
kernel void conv2d_cpu(global stored *restrict y, global const stored *restrict x, global const float *restrict packed,
                       EPILOGUE, int x_at, int length, int block, int span, int by_image, int M, int N, int IH, int IW,
                       int IC, int OH, int OW, int OC, int Ci, int Co, int panels, int taps, int taps_w, AXIS(h),
                       AXIS(w)) {
  int of_group = (Co + PANEL - 1) / PANEL, first = (int)get_global_id(0) * span, last = min(first + span, panels);
  int begin = (int)get_global_id(1) * length * TILE, stop = min(begin + length * TILE, M);
  int count = (Ci + PAIR - 1) / PAIR;
  global const stored *zeros = (global const stored *)(packed + (size_t)panels * taps * count * PANEL);
  const float16 least = LEAST;
  for (; begin < stop; begin += block * TILE)
    for (int panel = first; panel < last; panel++) {
      int group = panel / of_group, k = panel % of_group * PANEL, width = min(PANEL, Co - k);
      int m = begin, end = min(m + block * TILE, stop);
      global const term *weights = (global const term *)packed + (size_t)panel * taps * count * PANEL;
      global const stored *from_x = x + (size_t)x_at * PAIR + group * Ci;
      float16 factor[VECTORS], add[VECTORS];
      float some[PANEL];
      for (int l = 0; l < PANEL; l++) some[l] = HAS_SCALE && l < width ? scale[group * Co + k + l] : 1.0f;
      EACH_VECTOR factor[v] = vload16(v, some);
      for (int l = 0; l < PANEL; l++) some[l] = HAS_BIAS && l < width ? bias[group * Co + k + l] : 0.0f;
      EACH_VECTOR add[v] = vload16(v, some);
      int place = by_image ? m % (h_count * w_count) : m / N, n = by_image ? m / (h_count * w_count) : m % N;
      int j = place % w_count, i = place / w_count;
      for (; m < end; m += TILE) {
        int ih[TILE], iw[TILE], image[TILE], out[TILE];
        EACH_PIXEL {
          ih[t] = i * h_in_step + h_in_offset;
          iw[t] = j * w_in_step + w_in_offset;
          image[t] = n * IH;
          out[t] = ((n * OH + i * h_step + h_start) * OW + j * w_step + w_start) * OC;
          bool more = m + t + 1 < M; /* the last tile repeats the last pixel */
          int last_n = n + 1 == N, step = more && (by_image || last_n), row = step && j + 1 == w_count;
          int wrap = by_image ? row && i + 1 == h_count : more && !last_n;
          j = row ? 0 : j + step;
          i = by_image && wrap ? 0 : i + row;
          n = !by_image && step ? 0 : n + wrap;
        }
        float16 sum[TILE][VECTORS];
        if (HAS_RESIDUAL) EACH_PIXEL EACH_VECTOR fetch_line(residual + out[t] + group * Co + k + 16 * v);
        EACH_PIXEL EACH_VECTOR sum[t][v] = 0.0f;
        for (int a = 0; a < h_taps; a++) {
          for (int b = 0; b < w_taps; b++) {
            const int tap = (h_tap + a * h_tap_step) * taps_w + w_tap + b * w_tap_step;
            global const stored *from[TILE];
            bool any = false;
            EACH_PIXEL {
              int h = ih[t] + a * h_in_tap, q = iw[t] + b * w_in_tap;
              bool inside = h >= 0 && h < IH && q >= 0 && q < IW;
              from[t] = inside ? from_x + ((image[t] + h) * IW + q) * IC : zeros;
              any = any || inside;
            }
            if (!any) continue;
            global const term *by =
                weights + ((h_tap + a * h_tap_step) * taps_w + w_tap + b * w_tap_step) * count * PANEL;
            for (int c = 0; c < count; c++, by += PANEL) {
              terms weight[VECTORS];
              EACH_VECTOR weight[v] = get_terms(by + 16 * v);
              EACH_PIXEL {
                const terms value = (terms)(((global const loose_term *)from[t])[c]);
                EACH_VECTOR ADD_PRODUCT(sum[t][v], value, weight[v]);
              }
            }
          }
        }
        EACH_PIXEL {
          if (m + t >= M) continue;
          int at = out[t] + group * Co + k;
          EACH_VECTOR sum[t][v] = sum[t][v] * factor[v] + add[v];
          if (width == PANEL) {
            if (HAS_RESIDUAL) EACH_VECTOR sum[t][v] += get_map16(residual + at + 16 * v);
            EACH_VECTOR put_map16(sum[t][v] < least ? least : sum[t][v], y + at + 16 * v);
          } else {
            EACH_VECTOR vstore16(sum[t][v], v, some);
            for (int l = 0; l < width; l++) {
              float value = HAS_RESIDUAL ? some[l] + get_map(residual + at + l) : some[l];
              put_map(value < LEAST ? LEAST : value, y + at + l);
            }
          }
        }
      }
    }
}
