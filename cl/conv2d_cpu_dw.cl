/* conv2d_cpu_dw.cl: a convolution's gradients to weights and bias in registers, for CPUs: groups of one work-item.
 * SPDX-License-Identifier: MIT
 *
 *   dw[r,s,c,k] = sum over n,p,q  of x[n, p·stride - pad + r·dilation, q·stride - pad + s·dilation, c] · dy[n,p,q,k]
 *   db[k]       = sum over n,p,q  of dy[n,p,q,k]
 *
 * A work-item takes one chunk of the pixels of y and a panel of channels k. It copies BLOCK pixels of dy side by side,
 * lists for each tap (r, s) those of them that meet the image, and adds up tiles of TILE channels c × PANEL channels k
 * in registers, which then go to the chunk's own partial result (dw, then db); conv2d_sum.cl adds those of all chunks.
 * A block's sum is whole before it is added: rounding stays small. */
#include "dot.clh"
#include "conv2d.clh"

#ifndef TILE
#define TILE 6 /* channels c of a register tile; at most C/groups */
#endif
#ifndef VECTORS
#define VECTORS 1 /* vectors of 16 channels k in a panel */
#endif
#ifndef BLOCK
#define BLOCK 128 /* pixels of y at a time: BLOCK·PANEL·4 bytes of dy should stay in the first cache */
#endif
#define PANEL (16 * VECTORS)

#define EACH_CHANNEL _Pragma("unroll") for (int t = 0; t < TILE; t++)
#define EACH_VECTOR  _Pragma("unroll") for (int v = 0; v < VECTORS; v++)

/* 16 values of a pixel of dy, zeros from channel `width` on. */
static float16 values_of(global const stored *pixel, int l, int width) {
  float some[16];
  if (l + 16 <= width) return get_map16(pixel + l);
  for (int i = 0; i < 16; i++) some[i] = l + i < width ? get_map(pixel + l + i) : 0.0f;
  return vload16(0, some);
}

/* As terms: of pixel m; or of pixel m of two images as one, the second of which may be missing. `pixels` an image. */
static terms terms_of(global const stored *dy, int m, int l, int width, int pixels, int K, int images) {
#if PAIR == 1
  return values_of(dy + m * K, l, width);
#else
  int image = m / pixels * 2;
  global const stored *pixel = dy + (image * pixels + m % pixels) * K;
  return pairs16(values_of(pixel, l, width),
                 image + 1 < images ? values_of(pixel + pixels * K, l, width) : (float16)(0.0f));
#endif
}

/* Work-item (panel, chunk, part): `blocks` blocks of M = N·P·Q pixels, panel = (group, PANEL channels k), `tiles` tiles
 * of channels c. A chunk's results begin every `size` floats, those of db at db_at; x
 * begins at x_at and a pixel of it takes x_step floats. */
kernel void conv2d_cpu_dw(global float *dw, global float *db, global const float *x, global const stored *restrict dy,
                          int db_at, int x_at, int x_step, int blocks, int tiles, int size, int has_db, int images,
                          int M, SIZES) {
  int Cg = C / groups, Kg = K / groups, panels = (Kg + PANEL - 1) / PANEL;
  int panel = (int)get_global_id(0), group = panel / panels, k = panel % panels * PANEL, width = min(PANEL, Kg - k);
  int c_from = (int)get_global_id(2) * tiles * TILE, c_to = min(c_from + tiles * TILE, Cg);
  int m = (int)get_global_id(1) * blocks * BLOCK, end = min(m + blocks * BLOCK, M);
  bool first = true;
  terms d[BLOCK][VECTORS];
  float16 sum[VECTORS];
  float some[PANEL];
  int x_of[BLOCK], d_of[BLOCK];
  global const term *from_x = (global const term *)x + x_at + group * Cg;
  dy += group * Kg + k;
  dw += get_global_id(1) * size + group * Kg + k;
  EACH_VECTOR sum[v] = 0.0f;
  for (; m < end; m += BLOCK, first = false) {
    int n = min(BLOCK, end - m);
    float16 block_sum[VECTORS];
    EACH_VECTOR block_sum[v] = 0.0f;
    for (int i = 0; i < n; i++) EACH_VECTOR {
        d[i][v] = terms_of(dy, m + i, 16 * v, width, P * Q, K, images);
        block_sum[v] += VALUES_SUM(d[i][v]);
      }
    EACH_VECTOR sum[v] += block_sum[v];
    for (int tap = 0; tap < R * S; tap++) {
      int listed = 0, rh = tap / S * dilation - pad, sv = tap % S * dilation - pad;
      int q = m % Q, p = m / Q % P, image = m / Q / P;
      for (int i = 0; i < n;) { /* a row, or the part of it that this block has */
        int length = min(Q - q, n - i), h = p * stride + rh;
        if (h >= 0 && h < H) {
          int w = q * stride + sv, at_x = ((image * H + h) * W + w) * x_step;
          for (int j = 0; j < length; j++, w += stride, at_x += stride * x_step) {
            x_of[listed] = at_x;
            d_of[listed] = i + j;
            listed += w >= 0 && w < W;
          }
        }
        i += length;
        q = 0;
        if (++p == P) p = 0, image++;
      }
      for (int c = c_from; c < c_to; c += TILE) {
        /* the last tile begins earlier; what the one before it has done is left out below */
        int c0 = min(c, Cg - TILE);
        float16 own[TILE][VECTORS];
        EACH_CHANNEL EACH_VECTOR own[t][v] = 0.0f;
        for (int i = 0; i < listed; i++) {
          global const term *from = from_x + x_of[i] + c0;
          terms by[VECTORS];
          EACH_VECTOR by[v] = d[d_of[i]][v];
          EACH_CHANNEL {
            const terms value = (terms)(from[t]);
            EACH_VECTOR ADD_PRODUCT(own[t][v], value, by[v]);
          }
        }
        EACH_CHANNEL {
          if (c0 + t < c) continue;
          global float *row = dw + (tap * Cg + c0 + t) * K;
          if (width == PANEL) {
            EACH_VECTOR put16(first ? own[t][v] : get16(row + 16 * v) + own[t][v], row + 16 * v);
          } else {
            EACH_VECTOR vstore16(own[t][v], v, some);
            for (int l = 0; l < width; l++) row[l] = first ? some[l] : row[l] + some[l];
          }
        }
      }
    }
  }
  if (has_db && c_from == 0) {
    EACH_VECTOR vstore16(sum[v], v, some);
    db += db_at + get_global_id(1) * size + group * Kg + k;
    for (int l = 0; l < width; l++) db[l] = some[l];
  }
}
