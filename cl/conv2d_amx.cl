/* conv2d_amx.cl: convolution and its data gradient of maps in bfloat16, by tiles of AMX: groups of one work-item.
 * SPDX-License-Identifier: MIT
 *
 *   y[n, h.start + i·h.step, w.start + j·w.step, co]
 *     = sum over taps a, b and ci  of  x[n, i·h.in_step + h.in_offset + a·h.in_tap, …, ci]
 *                                      · w[h.tap + a·h.tap_step, …, ci, co],     then as epilogue.clh says
 *
 * x is first copied to a *grid*: its pixels with the zeros around them, one for each position (i, j) and a few more, so
 * that the position m + 1 reads one pixel behind what m reads, across rows and images. Then 16 positions are 16 rows of
 * a tile that lie C values apart, and the taps of a row that lie side by side are one run of values, cut into chunks of
 * 32. With a stride there is a grid for each rest by it: a *phase*. What positions between rows and images give is left
 * out. Where positions are the pixels themselves, x is its own grid. */
#ifndef NARROW_MAPS
#define NARROW_MAPS /* there are no others */
#endif
#include "amx.clh"
#include "conv2d.clh"
#include "dot.clh"
#include "epilogue.clh"
#include "transpose16.clh"

#ifndef PANEL
#define PANEL 32 /* channels co that are multiplied together: 32, with 32 positions, or 16, with 64 */
#endif
#define POSITIONS (1024 / PANEL)

typedef uint16 __attribute__((aligned(2))) loose_values; /* 32 of them, wherever they begin */

/* ---- the grid ---------------------------------------------------------------------------------------------------- */

/* n values from `from` on, or zeros. */
static void copy_values(global stored *to, global const stored *from, int n) {
  int i = 0;
  for (; i + 32 <= n; i += 32)
    *(global loose_values *)(to + i) = from ? *(global const loose_values *)(from + i) : (uint16)(0);
  for (; i < n; i++) to[i] = from ? from[i] : 0;
}

/* Row `row` of phase `phase`, one a work-item: of N images `rows` each, and of zeros behind them. Cell (0, 0) of an
 * image's phase 0 is its pixel (h_at, w_at). */
kernel void conv2d_amx_grid(global stored *restrict grid, global const stored *restrict x, int grid_at, int N, int IH,
                            int IW, int C, int rows, int columns, int step, int phases_w, int h_at, int w_at) {
  const int row = (int)get_global_id(0), phase = (int)get_global_id(1), n = row / rows;
  const int h = row % rows * step + phase / phases_w + h_at;
  const bool inside = n < N && h >= 0 && h < IH;
  global stored *to = grid + grid_at + ((size_t)phase * get_global_size(0) + row) * columns * C;
  global const stored *from = x + ((size_t)n * IH + h) * IW * C;
  if (!inside) {
    copy_values(to, 0, columns * C);
    return;
  }
  for (int j = 0, cells = 1; j < columns; j += cells, to += cells * C) {
    const int w = j * step + phase % phases_w + w_at;
    const bool is = w >= 0 && w < IW;
    if (step == 1) cells = min(w < 0 ? -w : is ? IW - w : columns, columns - j); /* those side by side at once */
    copy_values(to, is ? from + w * C : 0, cells * C);
  }
}

/* ---- weights ----------------------------------------------------------------------------------------------------- */

/* 16 pairs of 32 numbers that lie side by side. */
static uint16 neighbours16(global const float *from) {
  return joined16(narrowed16(get16(from)), narrowed16(get16(from + 16)));
}

/* Cells of a row of phase f that the taps read, from the position's own on; `last`: how far the last tap's pixel lies
 * from the first cell's. */
static int run_of(int f, int last, int step) { return f > last ? 0 : (last - f) / step + 1; }
static int chunks_of(int f, int last, int step, int C) { return (run_of(f, last, step) * C + 31) / 32; }
/* Of a whole row of taps. */
static int chunks_of_row(int phases_w, int last, int step, int C) {
  int all = 0;
  for (int f = 0; f < phases_w; f++) all += chunks_of(f, last, step, C);
  return all;
}

/* The tap that meets pixel `pixel` of a row, or -1. */
static int tap_at(int pixel, int w_taps, int w_in_tap) {
  const int tap = pixel / w_in_tap;
  return pixel % w_in_tap == 0 && tap >= 0 && tap < w_taps ? tap : -1;
}

/* 16 weights that lie `step` apart, of which there are n. */
static float16 weights_of(global const float *from, int n, int step) {
  float some[16];
  if (step == 1 && n >= 16) return get16(from);
  for (int k = 0; k < 16; k++) some[k] = k < n ? from[k * step] : 0.0f;
  return vload16(0, some);
}

/* packed[panel][row of taps][chunk][PANEL / 16][pair][16 co][2], zero beyond the last channel and tap. One work-item a
 * panel and row. w's element for (tap, ci, co) stands at tap·tap_step + ci·ci_step + co·co_step. `first`, `last`: how
 * far the pixels of tap 0 and of the farthest one lie from the first cell's. */
kernel void conv2d_amx_pack(global float *restrict packed, global const float *restrict w, int packed_at, int step,
                            int phases_w, int first, int last, int C, int Co, int taps_w, int tap_step, int ci_step,
                            int co_step, AXIS(h), AXIS(w)) {
  const int panel = (int)get_global_id(0), a = (int)get_global_id(1);
  const int row_chunks = chunks_of_row(phases_w, last, step, C);
  global const float *row = w + ((h_tap + a * h_tap_step) * taps_w + w_tap) * tap_step;
  global uint *to = (global uint *)packed + packed_at + (size_t)(panel * h_taps + a) * row_chunks * 16 * PANEL;
  for (int f = 0; f < phases_w; f++)
    for (int chunk = 0; chunk < chunks_of(f, last, step, C); chunk++)
      for (int part = 0; part < PANEL; part += 16, to += 256) {
        const int co = panel * PANEL + part, l = 32 * chunk, n = Co - co;
        const int tap = tap_at(l / C * step + f - first, w_taps, w_in_tap);
        uint16 v[16];
        if (C % 32 == 0 && tap >= 0 && n >= 16) { /* a square of w as it lies, or across */
          global const float *from = row + tap * w_tap_step * tap_step + l % C * ci_step + co * co_step;
          if (ci_step == 1) {
            _Pragma("unroll") for (int k = 0; k < 16; k++, from += co_step) v[k] = neighbours16(from);
            transpose16(v);
          } else {
            _Pragma("unroll") for (int k = 0; k < 16; k++, from += 2 * ci_step) v[k] =
                pairs16(get16(from), get16(from + ci_step));
          }
        } else {
          float16 pair[2];
          for (int i = 0; i < 32; i++) {
            const int at = tap_at((l + i) / C * step + f - first, w_taps, w_in_tap);
            pair[i % 2] = at < 0 ? (float16)(0.0f)
                                 : weights_of(row + at * w_tap_step * tap_step + (l + i) % C * ci_step + co * co_step,
                                              n, co_step);
            if (i % 2) v[i / 2] = pairs16(pair[0], pair[1]);
          }
        }
        _Pragma("unroll") for (int k = 0; k < 16; k++) vstore16(v[k], k, to);
      }
}

/* ---- the product ------------------------------------------------------------------------------------------------- */

/* Sums of 1 or 2 tiles of positions by 2 or 1 tiles of channels. */
#if PANEL == 32
#define MULTIPLY(from, by) MULTIPLY_SQUARE(from, (from) + 16 * C, 2 * C, by, (by) + 512)
#define STORE_SUMS         STORE_SQUARE(sums)
#else
#define MULTIPLY(from, by)                                                                                             \
  TILE_LOAD(7, by, 64);                                                                                                \
  TILE_LOAD(4, from, 2 * C);                                                                                           \
  TILE_LOAD(5, (from) + 16 * C, 2 * C);                                                                                \
  TILE_LOAD(6, (from) + 32 * C, 2 * C);                                                                                \
  TILE_PRODUCT(0, 4, 7);                                                                                               \
  TILE_LOAD(4, (from) + 48 * C, 2 * C);                                                                                \
  TILE_PRODUCT(1, 5, 7);                                                                                               \
  TILE_PRODUCT(2, 6, 7);                                                                                               \
  TILE_PRODUCT(3, 4, 7)
#define STORE_SUMS                                                                                                     \
  TILE_STORE(0, sums, 64);                                                                                             \
  TILE_STORE(1, sums + 256, 64);                                                                                       \
  TILE_STORE(2, sums + 512, 64);                                                                                       \
  TILE_STORE(3, sums + 768, 64)
#endif

/* A position's `width` channels of a panel, to value `at` of y. */
static void finish_channels(global stored *y, const float *sums, const float16 *factor, const float16 *add, int width,
                            int at, global const stored *residual, global const stored *mask, int epilogue) {
  const float16 least = LEAST;
  float some[16];
  _Pragma("unroll") for (int v = 0; v < PANEL / 16; v++) {
    float16 sum = vload16(v, sums) * factor[v] + add[v];
    if (width == PANEL) {
      if (HAS_RESIDUAL) sum += get_map16(residual + at + 16 * v);
      if (HAS_MASK) sum = get_map16(mask + at + 16 * v) > 0.0f ? sum : (float16)(0.0f);
      put_map16(sum < least ? least : sum, y + at + 16 * v);
    } else {
      vstore16(sum, 0, some);
      for (int l = 0; l < 16 && 16 * v + l < width; l++) {
        float one = HAS_RESIDUAL ? some[l] + get_map(residual + at + 16 * v + l) : some[l];
        if (HAS_MASK && !(get_map(mask + at + 16 * v + l) > 0.0f)) one = 0.0f;
        put_map(one < LEAST ? LEAST : one, y + at + 16 * v + l);
      }
    }
  }
}

/* Work-item (j, i): panels j·span …, and `length` times POSITIONS positions of M, `block` of them at a time by all its
 * panels. The grid begins at value grid_at of x and has `rows` rows of `columns` cells an image, grid_rows in all a
 * phase; its row 0 is that of pixel h_at. The last positions begin earlier where there are fewer (x may end there). */
kernel void conv2d_amx(global stored *restrict y, global const stored *restrict x, global const float *restrict packed,
                       EPILOGUE, int packed_at, int grid_at, int length, int block, int span, int M, int rows,
                       int columns, int grid_rows, int step, int phases_w, int h_at, int last, int C, int OH, int OW,
                       int Co, int panels, AXIS(h), AXIS(w)) {
  const int first_panel = (int)get_global_id(0) * span, last_panel = min(first_panel + span, panels);
  const int begin = (int)get_global_id(1) * length * POSITIONS, stop = min(begin + length * POSITIONS, M);
  const int row_chunks = chunks_of_row(phases_w, last, step, C);
  float sums[1024];
  TILES_BEGIN
  for (int from_m = begin; from_m < stop; from_m += block * POSITIONS)
    for (int panel = first_panel; panel < last_panel; panel++) {
      const int co = panel * PANEL, end = min(from_m + block * POSITIONS, stop);
      const int width = min(PANEL, Co - co);
      float16 factor[PANEL / 16], add[PANEL / 16];
      for (int v = 0; v < PANEL / 16; v++) {
        for (int l = 0; l < 16; l++) sums[l] = HAS_SCALE && 16 * v + l < width ? scale[co + 16 * v + l] : 1.0f;
        factor[v] = vload16(0, sums);
        for (int l = 0; l < 16; l++) sums[l] = HAS_BIAS && 16 * v + l < width ? bias[co + 16 * v + l] : 0.0f;
        add[v] = vload16(0, sums);
      }
      for (int m = from_m; m < end; m += POSITIONS) {
        const int at = max(0, min(m, M - POSITIONS)); /* what comes before m is done */
        global const ushort *by =
            (global const ushort *)(packed + packed_at) + (size_t)panel * h_taps * row_chunks * 32 * PANEL;
        ZERO_SUMS;
        for (int a = 0; a < h_taps; a++) {
          const int h = h_in_offset + a * h_in_tap - h_at, phase = h % step * phases_w;
          for (int b = 0; b < phases_w; b++) {
            global const stored *from = x + grid_at + ((size_t)((phase + b) * grid_rows + h / step) * columns + at) * C;
            const int chunks = chunks_of(b, last, step, C);
            for (int chunk = 0; chunk < chunks; chunk++, from += 32, by += 32 * PANEL) {
              MULTIPLY(from, by);
            }
          }
        }
        STORE_SUMS;
        int j = m % columns, i = m / columns % rows, n = m / columns / rows;
        for (int t = m - at; t < POSITIONS && at + t < M;) { /* a row, or what is left of it */
          const int there = min(columns - j, min(POSITIONS - t, M - at - t)), last_j = min(j + there, w_count);
          int to = ((n * OH + h_start + i * h_step) * OW + w_start + j * w_step) * Co + co;
          for (int q = j; i < h_count && q < last_j; q++, to += w_step * Co)
            finish_channels(y, sums + (t + q - j) * PANEL, factor, add, width, to, residual, mask, epilogue);
          t += there;
          j = 0;
          if (++i == rows) i = 0, n++;
        }
      }
    }
  TILES_END;
}
