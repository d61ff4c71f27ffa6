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

/* The pixels of a tile as lanes of a vector: where they stand costs a few instructions for all of them. */
#if TILE <= 8
#define LANES 8
#define LANE  (lanes)(0, 1, 2, 3, 4, 5, 6, 7)
#else
#define LANES 16
#define LANE  (lanes)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
#endif
typedef JOIN(int, LANES) lanes;
typedef JOIN(float, LANES) shares;
#define AS_UNSIGNED(v)    JOIN(as_uint, LANES)(v)
#define STORE_LANES(v, p) JOIN(vstore, LANES)(v, 0, p)

/* Pixels as they are counted, in three digits, of which the first goes round fastest, below size0, then the second. */
struct digits {
  lanes first, second, third;
};

/* How often v, which is below size + LANES, goes round `size`. A float's quotient may be too small by some of its last
 * digits; half a step more leaves it the same whole number. */
static lanes rounds_of(lanes v, int size) {
  const lanes once = v >= size; /* -1 where it does */
  const shares quotient = (JOIN(convert_float, LANES)(v) + 0.5f) / (shares)((float)size);
  return size < LANES ? JOIN(convert_int, LANES)(quotient) : -once;
}

/* Of pixel m and those after it. */
static struct digits digits_of(int m, int size0, int size1) {
  const lanes first = m % size0 + LANE, over = rounds_of(first, size0);
  const lanes second = m / size0 % size1 + over, more = rounds_of(second, size1);
  const struct digits d = {first - over * size0, second - more * size1, m / size0 / size1 + more};
  return d;
}

static struct digits add_digits(struct digits d, int by0, int by1, int by2, int size0, int size1) {
  const lanes first = d.first + by0, over = first >= size0; /* -1 where it is */
  const lanes second = d.second + by1 - over, more = second >= size1;
  const struct digits sum = {first + over * size0, second + more * size1, d.third + by2 - more};
  return sum;
}

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
  const int size0 = by_image ? w_count : N, size1 = by_image ? h_count : w_count, size2 = by_image ? N : h_count;
  const bool far = h_in_step > 1; /* the tile's pixels lie apart, and each would be waited for */
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
      struct digits d = digits_of(m, size0, size1);
      lanes next_h = 0, next_w = 0, next_image = 0;
      int out[LANES], next_out[LANES] = {0}, at_x[LANES];
      for (m -= TILE; m < end; m += TILE) {
        const lanes ih = next_h, iw = next_w, image = next_image;
        EACH_PIXEL out[t] = next_out[t];
        { /* the next tile; after the last pixel come others again, whose results are left out */
          const lanes third = min(d.third, (lanes)(size2 - 1)); /* by a number oclgrind does the first lane alone */
          const lanes n = by_image ? third : d.first, i = by_image ? d.second : third;
          const lanes j = by_image ? d.first : d.second;
          const lanes row = n * OH + i * h_step + h_start;
          next_h = i * h_in_step + h_in_offset, next_w = j * w_in_step + w_in_offset, next_image = n * IH;
          STORE_LANES((row * OW + j * w_step + w_start) * OC + group * Co + k, next_out);
          d = add_digits(d, TILE % size0, TILE / size0 % size1, TILE / size0 / size1, size0, size1);
        }
        if (HAS_RESIDUAL) EACH_PIXEL EACH_VECTOR fetch_line(residual + next_out[t] + 16 * v);
        if (HAS_MASK) EACH_PIXEL EACH_VECTOR fetch_line(mask + next_out[t] + 16 * v);
        if (m < begin) continue;
        float16 sum[TILE][VECTORS];
        EACH_PIXEL EACH_VECTOR sum[t][v] = 0.0f;
        for (int a = 0; a < h_taps; a++) {
          for (int b = 0; b < w_taps; b++) {
            const int tap = (h_tap + a * h_tap_step) * taps_w + w_tap + b * w_tap_step;
            global const stored *from[TILE];
            const lanes h = ih + a * h_in_tap, q = iw + b * w_in_tap;
            const lanes inside = AS_UNSIGNED(h) < (uint)IH && AS_UNSIGNED(q) < (uint)IW;
            if (!any(inside)) continue;
            STORE_LANES(inside ? ((image + h) * IW + q) * IC : -1, at_x);
            EACH_PIXEL from[t] = at_x[t] < 0 ? zeros : from_x + at_x[t];
            if (far) {
              STORE_LANES(((next_image + next_h + a * h_in_tap) * IW + next_w + b * w_in_tap) * IC, at_x);
              EACH_PIXEL fetch_line(from_x + at_x[t]);
            }
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
          int at = out[t];
          EACH_VECTOR sum[t][v] = sum[t][v] * factor[v] + add[v];
          if (width == PANEL) {
            if (HAS_RESIDUAL) EACH_VECTOR sum[t][v] += get_map16(residual + at + 16 * v);
            if (HAS_MASK) EACH_VECTOR sum[t][v] = get_map16(mask + at + 16 * v) > 0.0f ? sum[t][v] : (float16)(0.0f);
            EACH_VECTOR put_map16(sum[t][v] < least ? least : sum[t][v], y + at + 16 * v);
          } else {
            EACH_VECTOR vstore16(sum[t][v], v, some);
            for (int l = 0; l < width; l++) {
              float value = HAS_RESIDUAL ? some[l] + get_map(residual + at + l) : some[l];
              if (HAS_MASK && !(get_map(mask + at + l) > 0.0f)) value = 0.0f;
              put_map(value < LEAST ? LEAST : value, y + at + l);
            }
          }
        }
      }
    }
}
