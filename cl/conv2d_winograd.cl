/* conv2d_winograd.cl: 3×3 convolution with stride 1, its data and its weight gradient by
 * Winograd's algorithm F(M×M, 3×3), for CPUs.
 * SPDX-License-Identifier: MIT
 *
 * Formulas and transforms: winograd.clh. A work-item is a group of its own. It takes blocks of `tiles` tiles:
 * transforms them into its slice of the workspace, which stays in the second cache, multiplies there in registers as
 * conv2d_cpu.cl does, and transforms back. Channel counts are multiples of 16, those of the output of `panel`, which is
 * 32 where registers hold two vectors of a tile's rows, else 16. `tiles` is a multiple of TILE. */
#include "winograd.clh"

/* channels of x whose products with a panel of dy are in registers together: a divisor of 16 */
#define LINES (LANES < 16 ? 4 : 8)
#define EACH_LINE _Pragma("unroll") for (int l = 0; l < LINES; l++)

/* packed[panel][SIDE²][ci][panel] = the transformed weights, from w_at on. One work-item a panel and 16 channels ci. */
kernel void conv2d_winograd_weights(global float *restrict packed, global const float *restrict w, int w_at, int h_step,
                                    int w_step, int ci_step, int co_step, int Ci, int panel) {
  int p = (int)get_global_id(0), ci = (int)get_global_id(1) * 16;
  global float *to = packed + ((size_t)p * SIDE * SIDE * Ci + ci) * panel;
  for (int l = 0; l < panel; l += 16)
    weights_block(to + l, Ci * panel, panel, w + w_at + ci * ci_step + (p * panel + l) * co_step, h_step, w_step,
                  ci_step, co_step);
}

/* A work-item's own slice of the workspace, which begins with zeros. */
static global float *slice_of(global float *slices, int slice, int zeros) {
  global float *own = slices + (get_global_id(1) * get_global_size(0) + get_global_id(0)) * slice;
  for (int i = 0; i < zeros; i++) own[i] = 0.0f;
  return own;
}

/* The products of a register tile of TILE tiles by V vectors of channels: `to` = `from` · `by`, places apart. */
#define PRODUCTS(V)                                                                                                    \
  {                                                                                                                    \
    float16 sum[TILE][V];                                                                                              \
    EACH_ROW EACH_VECTOR(V) sum[t][v] = 0.0f;                                                                          \
    for (int c = 0; c < Ci; c++, by += 16 * V) {                                                                       \
      float16 weight[V];                                                                                               \
      EACH_VECTOR(V) weight[v] = get16(by + 16 * v);                                                                   \
      ADD_ROWS(V)                                                                                                      \
    }                                                                                                                  \
    EACH_ROW EACH_VECTOR(V) put16(sum[t][v], to + (t * V + v) * 16);                                                   \
  }

/* The same for the weight gradient: LINES channels of x by V vectors of dy, added up
 * over `some` tiles, then to what is there. */
#define PRODUCTS_DW(V)                                                                                                 \
  {                                                                                                                    \
    float16 sum[LINES][V];                                                                                             \
    EACH_LINE EACH_VECTOR(V) sum[l][v] = 0.0f;                                                                         \
    for (int t = 0; t < some; t++, from += C, by += width) {                                                           \
      float16 d[V];                                                                                                    \
      EACH_VECTOR(V) d[v] = get16(by + 16 * v);                                                                        \
      EACH_LINE {                                                                                                      \
        const float16 value = from[l];                                                                                 \
        EACH_VECTOR(V) sum[l][v] += value * d[v];                                                                      \
      }                                                                                                                \
    }                                                                                                                  \
    EACH_LINE EACH_VECTOR(V) {                                                                                         \
      global float *at = to + l * K + 16 * v;                                                                          \
      put16(more ? get16(at) + sum[l][v] : sum[l][v], at);                                                             \
    }                                                                                                                  \
  }

/* ---- forward and data gradient ----------------------------------------------------------------------------------- */

/* Work-item (group, part): every get_global_size(0)-th block of tiles, `span` panels from part·span on. Slices of the
 * workspace begin at float `slices`: Ci zeros, the transformed tiles, their products. */
kernel void conv2d_winograd(global float *restrict y, global const float *restrict x,
                            global const float *restrict packed, global float *restrict workspace, EPILOGUE,
                            int slices, int slice, int tiles, int total, int span, int TH, int TW, int h0, int w0,
                            int IH, int IW, int Ci, int OH, int OW, int Co, int panel) {
  int groups = (int)get_global_size(0), from_panel = (int)get_global_id(1) * span,
      panels = min(span, Co / panel - from_panel);
  int distance = tiles * Ci + GAP, apart = tiles * span * panel + GAP;
  global float *zeros = slice_of(workspace + slices, slice, Ci), *inputs = zeros + Ci,
               *sums = inputs + SIDE * SIDE * distance;
  for (int first = (int)get_global_id(0) * tiles; first < total; first += groups * tiles) {
    int some = min(tiles, (total - first + TILE - 1) / TILE * TILE);
    input_tiles(inputs, x, zeros, first, some, total, distance, Ci, 16, TH, TW, IH, IW, Ci, Ci, h0, w0);
    for (int place = 0; place < SIDE * SIDE; place++)
      for (int p = 0; p < panels; p++)
        for (int t0 = 0; t0 < some; t0 += TILE) {
          global const float *restrict from = inputs + place * distance + t0 * Ci;
          global const float *restrict by = packed + (size_t)((from_panel + p) * SIDE * SIDE + place) * Ci * panel;
          global float *to = sums + place * apart + (p * tiles + t0) * panel;
          if (LANES == 16 && panel == 32)
            PRODUCTS(2)
          else
            PRODUCTS(1)
        }
    for (int t = 0; t < some && first + t < total; t++) {
      const struct corner tile = corner_of(first + t, TH, TW, OH, OW, Co);
      const struct corner later = corner_of(min(first + t + AHEAD, total - 1), TH, TW, OH, OW, Co);
      for (int p = 0; p < panels; p++)
        for (int k = 0; k < panel; k += LANES) {
          int co = (from_panel + p) * panel + k;
          if (HAS_RESIDUAL && t + AHEAD < some) fetch_tile(residual, later, OH, OW, Co, co);
          if (HAS_MASK && t + AHEAD < some) fetch_tile(mask, later, OH, OW, Co, co);
          write_tile(y, sums + (p * tiles + t) * panel + k, apart, EPILOGUE_VALUES, tile, OH, OW, Co, co);
        }
    }
  }
}

/* ---- weight gradient --------------------------------------------------------------------------------------------- */

/* Work-item (chunk, part): every get_global_size(0)-th block of tiles, `span` panels of channels k from part·span on.
 * partial[chunk][SIDE²][C][K], places C·K + GAP floats apart, then slices: zeros, the
 * transformed tiles of x, those of dy. */
kernel void conv2d_winograd_dw(global float *restrict workspace, global const float *restrict x,
                               global const float *restrict dy, int slices, int slice, int tiles, int total, int span,
                               int TH, int TW, int h0, int w0, int H, int W, int C, int OH, int OW, int K, int panel) {
  int chunk = (int)get_global_id(0), chunks = (int)get_global_size(0), from_k = (int)get_global_id(1) * span * panel;
  int width = min(span * panel, K - from_k), distance = tiles * C + GAP, apart = tiles * width + GAP, far = C * K + GAP;
  global float *zeros = slice_of(workspace + slices, slice, max(C, K)), *inputs = zeros + max(C, K);
  global float *outputs = inputs + SIDE * SIDE * distance;
  global float *partial = workspace + (size_t)chunk * SIDE * SIDE * far + from_k;
  for (int first = chunk * tiles; first < total; first += chunks * tiles) {
    int some = min(tiles, total - first);
    bool more = first >= chunks * tiles;
    input_tiles(inputs, x, zeros, first, some, total, distance, C, 16, TH, TW, H, W, C, C, h0, w0);
    output_tiles(outputs, dy + from_k, zeros, first, some, total, apart, width, 16, TH, TW, OH, OW, K, width, 0, 0);
    for (int place = 0; place < SIDE * SIDE; place++)
      for (int k = 0; k < width; k += panel)
        for (int c = 0; c < C; c += LINES) {
          global const float *from = inputs + place * distance + c, *by = outputs + place * apart + k;
          global float *to = partial + place * far + c * K + k;
          if (LANES == 16 && panel == 32)
            PRODUCTS_DW(2)
          else
            PRODUCTS_DW(1)
        }
  }
}

/* dw from the partial results of all chunks. One work-item 16 channels k and 16 channels c. */
kernel void conv2d_winograd_sum(global float *restrict dw, global float *restrict partial, int chunks, int C, int K) {
  int from_k = (int)get_global_id(0) * 16, from_c = (int)get_global_id(1) * 16, far = C * K + GAP;
  for (int c = from_c; c < from_c + 16; c++)
    for (int k = from_k; k < from_k + 16; k += LANES) {
      global float *first = partial + c * K + k;
      for (int place = 0; chunks > 1 && place < SIDE * SIDE; place++) {
        vec sum = VLOAD(first + place * far);
        for (int chunk = 1; chunk < chunks; chunk++) sum += VLOAD(first + ((size_t)chunk * SIDE * SIDE + place) * far);
        VSTORE(sum, first + place * far);
      }
      write_weights(dw + c * K + k, first, far, C * K);
    }
}
