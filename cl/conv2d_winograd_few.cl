/* conv2d_winograd_few.cl: 3×3 convolution with stride 1 and its gradients by Winograd's algorithm where tiles are few
 * and channels many, for CPUs. SPDX-License-Identifier: MIT
 *
 * Formulas and transforms: winograd.clh. There the transformed weights are what memory has to carry, up to 49/9 of the
 * weights: so they never get there. All tiles are transformed first; then each work-item, a group of its own, takes a
 * panel of output channels, transforms its weights BLOCK channels at a time into its slice of the workspace and
 * multiplies them from the second cache. Channel counts are multiples of PANEL; `padded` tiles, a multiple of TILE, of
 * which the first `total` count. */
#include "winograd.clh"

#ifndef VECTORS
#define VECTORS 1 /* vectors of 16 channels in a panel */
#endif
#define PANEL (16 * VECTORS)
/* Channels ci whose weights are transformed at a time: SIDE²·BLOCK·PANEL floats should stay in the second cache. */
#define BLOCK 16
/* Channels of x whose products with a panel of dy are in registers together: a divisor of 16. */
#define LINES (LANES < 16 ? 4 : 8)
#define EACH_LINE _Pragma("unroll") for (int l = 0; l < LINES; l++)

/* workspace[at …][SIDE²][…] = all tiles of an input, or of dy, transformed; places tiles·C + GAP floats apart, tiles
 * `row`, 16 channels `column`. One work-item `each` of them; its zeros stand at the beginning of the workspace. */
#define DEFINE_ALL_TILES(NAME, ONES)                                                                                   \
  kernel void NAME(global float *restrict workspace, global const float *restrict x, int at, int row, int column,      \
                   int each, int tiles, int total, int TH, int TW, int h0, int w0, int H, int W,                       \
                   int C) {                                                                                            \
    int first = (int)get_global_id(0) * each, some = min(each, tiles - first);                                         \
    global float *zeros = workspace + get_global_id(0) * C;                                                            \
    for (int i = 0; i < C; i++) zeros[i] = 0.0f;                                                                       \
    ONES(workspace + at + (size_t)first * row, x, zeros, first, some, total, tiles * C + GAP, row, column, TH, TW, H,  \
         W, C, C, h0, w0);                                                                                             \
  }
DEFINE_ALL_TILES(conv2d_winograd_few_inputs, input_tiles)
DEFINE_ALL_TILES(conv2d_winograd_few_outputs, output_tiles)

/* Work-item: a panel of channels co. Its slice: the transformed weights of a block
 * [SIDE²][BLOCK][PANEL], the products [SIDE²][padded][PANEL]. */
kernel void conv2d_winograd_few(global float *restrict y, global const float *restrict w,
                                global float *workspace, EPILOGUE, int at,
                                int slices, int slice, int padded, int total, int w_at, int h_step, int w_step,
                                int ci_step, int co_step, int TH, int TW, int Ci, int OH, int OW, int Co) {
  int co = (int)get_global_id(0) * PANEL, distance = padded * Ci + GAP, apart = padded * PANEL + GAP;
  global float *weights = workspace + slices + get_global_id(0) * slice, *sums = weights + SIDE * SIDE * BLOCK * PANEL;
  for (int ci = 0; ci < Ci; ci += BLOCK) {
    for (int l = 0; l < PANEL; l += 16)
      weights_block(weights + l, BLOCK * PANEL, PANEL, w + w_at + ci * ci_step + (co + l) * co_step, h_step, w_step,
                    ci_step, co_step);
    for (int place = 0; place < SIDE * SIDE; place++)
      for (int t0 = 0; t0 < padded; t0 += TILE) {
        global const float *restrict from = workspace + at + place * distance + t0 * Ci + ci;
        global const float *restrict by = weights + place * BLOCK * PANEL;
        global float *to = sums + place * apart + t0 * PANEL;
        float16 sum[TILE][VECTORS];
        EACH_ROW EACH_VECTOR(VECTORS) sum[t][v] = ci ? get16(to + t * PANEL + 16 * v) : 0.0f;
        for (int c = 0; c < BLOCK; c++, by += PANEL) {
          float16 weight[VECTORS];
          EACH_VECTOR(VECTORS) weight[v] = get16(by + 16 * v);
          ADD_ROWS(VECTORS)
        }
        EACH_ROW EACH_VECTOR(VECTORS) put16(sum[t][v], to + t * PANEL + 16 * v);
      }
  }
  for (int t = 0; t < total; t++) {
    const struct corner tile = corner_of(t, TH, TW, OH, OW, Co);
    const struct corner later = corner_of(min(t + AHEAD, total - 1), TH, TW, OH, OW, Co);
    for (int k = 0; k < PANEL; k += LANES) {
      if (HAS_RESIDUAL) fetch_tile(residual, later, OH, OW, Co, co + k);
      if (HAS_MASK) fetch_tile(mask, later, OH, OW, Co, co + k);
      write_tile(y, sums + t * PANEL + k, apart, EPILOGUE_VALUES, tile, OH, OW, Co, co + k);
    }
  }
}

/* dw from the transformed tiles of x, at float x_at, and those of dy, at float dy_at, in both 16 channels of all tiles
 * side by side: else the first cache, where lines of the same rest by a page are few, could not keep them. Work-item:
 * a panel of channels k, LINES channels c at a time. Its slice: their products [SIDE²][LINES][PANEL]. */
kernel void conv2d_winograd_few_dw(global float *restrict dw, global float *workspace, int x_at, int dy_at, int slices,
                                   int slice, int total, int C, int K) {
  int k = (int)get_global_id(0) * PANEL;
  global float *own = workspace + slices + get_global_id(0) * slice;
  for (int c = 0; c < C; c += LINES) {
    for (int place = 0; place < SIDE * SIDE; place++) {
      global const float *restrict from = workspace + x_at + place * (total * C + GAP) + c / 16 * total * 16 + c % 16;
      global const float *restrict by = workspace + dy_at + place * (total * K + GAP) + k * total;
      float16 sum[LINES][VECTORS];
      EACH_LINE EACH_VECTOR(VECTORS) sum[l][v] = 0.0f;
      for (int t = 0; t < total; t++, from += 16, by += 16) {
        float16 d[VECTORS];
        EACH_VECTOR(VECTORS) d[v] = get16(by + 16 * v * total);
        EACH_LINE {
          const float16 value = from[l];
          EACH_VECTOR(VECTORS) sum[l][v] += value * d[v];
        }
      }
      EACH_LINE EACH_VECTOR(VECTORS) put16(sum[l][v], own + (place * LINES + l) * PANEL + 16 * v);
    }
    for (int l = 0; l < LINES; l++)
      for (int part = 0; part < PANEL; part += LANES)
        write_weights(dw + (c + l) * K + k + part, own + l * PANEL + part, LINES * PANEL, C * K);
  }
}
