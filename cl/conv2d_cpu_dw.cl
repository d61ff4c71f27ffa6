/* conv2d_cpu_dw.cl: a convolution's gradients to weights and bias in registers, for CPUs: groups of one work-item.
 * SPDX-License-Identifier: MIT
 *
 *   dw[r,s,c,k] = sum over n,p,q  of x[n, p·stride - pad + r·dilation, q·stride - pad + s·dilation, c] · dy[n,p,q,k]
 *   db[k]       = sum over n,p,q  of dy[n,p,q,k]
 *
 * A work-item takes one chunk of the pixels of y and a panel of channels k, or several. It copies BLOCK pixels of dy
 * side by side, lists for each tap (r, s) those of them that meet the image, and adds up tiles of TILE channels c ×
 * PANEL channels k in registers, which then go to the chunk's own partial result (dw, then db); conv2d_sum.cl adds
 * those of all chunks. A block's sum is whole before it is added: rounding stays small. Where several panels read the
 * same pixels of x, these are copied once to lie together. */
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

/* Lists those of the n pixels from m on whose tap meets the image: in x_of where in x, in d_of which. */
static int list_tap(int *x_of, int *d_of, int tap, int m, int n, int x_step, SIZES) {
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
  return listed;
}

/* Copies `count` channels of the listed pixels, which then stand every `step` terms. As far apart as in x, they would
 * share a few lines of the first cache. */
static void gather(global term *to, int *x_of, int listed, global const term *x, int count, int step) {
  for (int i = 0; i < listed; i++) {
    global const term *from = x + x_of[i];
    int c = 0;
    x_of[i] = i * step;
    for (; c + 16 <= count; c += 16) put_terms(get_terms(from + c), to + i * step + c);
    for (; c < count; c++) to[i * step + c] = from[c];
  }
}

/* Work-item (panels, chunk, part): `span` panels, one of which is PANEL channels k of a group, `blocks` blocks of
 * M = N·P·Q pixels, `tiles` tiles of channels c. A chunk's results begin every `size` floats, those of db at db_at; x
 * begins at x_at and a pixel of it takes x_step floats. Several panels, which is for a single tap alone, read x from
 * the work-item's own BLOCK·step terms of `gathered`, from term gathered_at on. */
kernel void conv2d_cpu_dw(global float *dw, global float *db, global const float *x, global const stored *restrict dy,
                          global float *gathered, int db_at, int x_at, int x_step, int gathered_at, int step, int span,
                          int blocks, int tiles, int size, int has_db, int images, int M, SIZES) {
  int Cg = C / groups, Kg = K / groups, spans = ((Kg + PANEL - 1) / PANEL + span - 1) / span;
  int group = (int)get_global_id(0) / spans, chunk = (int)get_global_id(1);
  int k_from = (int)get_global_id(0) % spans * span * PANEL, k_to = min(k_from + span * PANEL, Kg);
  int c_from = (int)get_global_id(2) * tiles * TILE, c_to = min(c_from + tiles * TILE, Cg);
  int begin = chunk * blocks * BLOCK, end = min(begin + blocks * BLOCK, M);
  size_t item = (get_global_id(2) * get_global_size(1) + chunk) * get_global_size(0) + get_global_id(0);
  /* the last tile begins earlier; what the one before it has done is left out below */
  int c_first = min(c_from, Cg - TILE);
  terms d[BLOCK][VECTORS];
  float some[PANEL];
  int x_of[BLOCK], d_of[BLOCK];
  global const term *from_x = (global const term *)x + x_at + group * Cg + c_first;
  global term *own_x = (global term *)gathered + gathered_at + item * BLOCK * step;
  dy += group * Kg;
  dw += chunk * size + group * Kg;
  db += db_at + chunk * size + group * Kg;
  for (int m = begin; m < end; m += BLOCK) {
    int n = min(BLOCK, end - m);
    for (int tap = 0; tap < R * S; tap++) {
      int listed = list_tap(x_of, d_of, tap, m, n, x_step, N, H, W, C, P, Q, K, R, S, stride, pad, dilation, groups);
      if (span > 1) gather(own_x, x_of, listed, from_x, c_to - c_first, step);
      for (int k = k_from; k < k_to; k += PANEL) {
        int width = min(PANEL, Kg - k);
        if (tap == 0) {
          float16 sum[VECTORS];
          EACH_VECTOR sum[v] = 0.0f;
          for (int i = 0; i < n; i++) EACH_VECTOR {
              d[i][v] = terms_of(dy + k, m + i, 16 * v, width, P * Q, K, images);
              sum[v] += VALUES_SUM(d[i][v]);
            }
          EACH_VECTOR vstore16(sum[v], v, some);
          if (has_db && c_from == 0)
            for (int l = 0; l < width; l++) db[k + l] = m == begin ? some[l] : db[k + l] + some[l];
        }
        for (int c = c_from; c < c_to; c += TILE) {
          int c0 = min(c, Cg - TILE);
          global const term *tile = (span > 1 ? own_x : from_x) + (c0 - c_first);
          float16 own[TILE][VECTORS];
          EACH_CHANNEL EACH_VECTOR own[t][v] = 0.0f;
          for (int i = 0; i < listed; i++) {
            global const term *from = tile + x_of[i];
            terms by[VECTORS];
            EACH_VECTOR by[v] = d[d_of[i]][v];
            EACH_CHANNEL {
              const terms value = (terms)(from[t]);
              EACH_VECTOR ADD_PRODUCT(own[t][v], value, by[v]);
            }
          }
          EACH_CHANNEL {
            if (c0 + t < c) continue;
            global float *row = dw + (tap * Cg + c0 + t) * K + k;
            if (width == PANEL) {
              EACH_VECTOR put16(m == begin ? own[t][v] : get16(row + 16 * v) + own[t][v], row + 16 * v);
            } else {
              EACH_VECTOR vstore16(own[t][v], v, some);
              for (int l = 0; l < width; l++) row[l] = m == begin ? some[l] : row[l] + some[l];
            }
          }
        }
      }
    }
  }
}
