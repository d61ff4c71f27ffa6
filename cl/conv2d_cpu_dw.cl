/* conv2d_cpu_dw.cl: a convolution's gradients to weights and bias in registers, for CPUs: groups of one work-item.
 * SPDX-License-Identifier: MIT
 *
 *   dw[r,s,c,k] = sum over n,p,q  of x[n, p·stride - pad + r·dilation, q·stride - pad + s·dilation, c] · dy[n,p,q,k]
 *   db[k]       = sum over n,p,q  of dy[n,p,q,k]
 *
 * A work-item takes one chunk of the pixels of y and 16 channels k. It copies BLOCK pixels of dy side by side, lists for each tap (r, s) those of
 * them that meet the image, and adds up tiles of TILE channels c × 16 channels k in registers, which then go to the chunk's own partial
 * result (dw, then db); conv2d_sum.cl adds those of all chunks. A block's sum is whole before it is added: rounding stays small. */

#ifndef TILE
#define TILE 6 /* channels c of a register tile; at most C/groups */
#endif
#ifndef BLOCK
#define BLOCK 128 /* pixels of y at a time: BLOCK·64 bytes of dy should stay in the first cache */
#endif

/* Work-item (panel, chunk, part): `blocks` blocks of M = N·P·Q pixels, panel = (group, 16 channels k), `tiles` tiles of channels c. A
 * chunk's results begin every `size` floats, those of db at db_at; x begins at x_at and a pixel of it takes x_step floats. */
kernel void conv2d_cpu_dw(global float *dw, global float *db, global const float *x, global const float *restrict dy,
                          int db_at, int x_at, int x_step, int blocks, int tiles, int size, int has_db, int M, int N,
                          int H, int W, int C, int P, int Q, int K, int R, int S, int stride, int pad, int dilation,
                          int groups) {
  int Cg = C / groups, Kg = K / groups, panels = (Kg + 15) / 16;
  int panel = (int)get_global_id(0), group = panel / panels, k = panel % panels * 16, width = min(16, Kg - k);
  int c_from = (int)get_global_id(2) * tiles * TILE, c_to = min(c_from + tiles * TILE, Cg);
  int m = (int)get_global_id(1) * blocks * BLOCK, end = min(m + blocks * BLOCK, M);
  bool first = true;
  float16 d[BLOCK], sum = 0.0f;
  int x_of[BLOCK], d_of[BLOCK];
  x += x_at + group * Cg;
  dy += group * Kg + k;
  dw += get_global_id(1) * size + group * Kg + k;
  for (; m < end; m += BLOCK, first = false) {
    int n = min(BLOCK, end - m);
    float16 block_sum = 0.0f;
    for (int i = 0; i < n; i++) {
      if (width == 16) {
        d[i] = vload16(0, dy + (m + i) * K);
      } else {
        float some[16];
        for (int l = 0; l < 16; l++) some[l] = l < width ? dy[(m + i) * K + l] : 0.0f;
        d[i] = vload16(0, some);
      }
      block_sum += d[i];
    }
    sum += block_sum;
    for (int tap = 0; tap < R * S; tap++) {
      int listed = 0, rh = tap / S * dilation - pad, sv = tap % S * dilation - pad;
      int q = m % Q, p = m / Q % P, image = m / Q / P;
      for (int i = 0; i < n;) { /* a row, or the part of it that this block has */
        int length = min(Q - q, n - i), h = p * stride + rh;
        if (h >= 0 && h < H) {
          int v = q * stride + sv, at_x = ((image * H + h) * W + v) * x_step;
          for (int j = 0; j < length; j++, v += stride, at_x += stride * x_step) {
            x_of[listed] = at_x;
            d_of[listed] = i + j;
            listed += v >= 0 && v < W;
          }
        }
        i += length;
        q = 0;
        if (++p == P) p = 0, image++;
      }
      for (int c = c_from; c < c_to; c += TILE) {
        /* the last tile begins earlier; what the one before it has done is left out below */
        int c0 = min(c, Cg - TILE);
        float16 own[TILE];
#pragma unroll
        for (int t = 0; t < TILE; t++) own[t] = 0.0f;
        for (int i = 0; i < listed; i++) {
          global const float *from = x + x_of[i] + c0;
          const float16 by = d[d_of[i]];
#pragma unroll
          for (int t = 0; t < TILE; t++) own[t] += from[t] * by;
        }
#pragma unroll
        for (int t = 0; t < TILE; t++) {
          if (c0 + t < c) continue;
          global float *row = dw + (tap * Cg + c0 + t) * K;
          if (width == 16) {
            vstore16(first ? own[t] : vload16(0, row) + own[t], 0, row);
          } else {
            float some[16];
            vstore16(own[t], 0, some);
            for (int l = 0; l < width; l++) row[l] = first ? some[l] : row[l] + some[l];
          }
        }
      }
    }
  }
  if (has_db && c_from == 0) {
    float some[16];
    vstore16(sum, 0, some);
    db += db_at + get_global_id(1) * size + group * Kg + k;
    for (int l = 0; l < width; l++) db[l] = some[l];
  }
}
