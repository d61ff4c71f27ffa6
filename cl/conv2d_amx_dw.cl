/* conv2d_amx_dw.cl: a convolution's gradient to weights of maps in bfloat16, by tiles of AMX: groups of one work-item.
 * SPDX-License-Identifier: MIT
 *
 *   dw[r,s,c,k] = sum over n,p,q  of x[n, p·stride - pad + r, q·stride - pad + s, c] · dy[n,p,q,k]
 *
 * As in conv2d_amx.cl, positions are numbered across rows and images of a grid, so that a tap reads the position's cell
 * and so many cells on; where a position is no pixel of y, dy is zero. The sum goes over positions, `length` of them at
 * a time, a *chunk*, whose channels of x and dy the second cache should keep: for the tiles x is laid out with the
 * positions of a channel side by side, dy with pairs of positions. dy and, where it lies beyond the image, x are zero,
 * not unknown: all of it is multiplied. */
#ifndef NARROW_MAPS
#define NARROW_MAPS /* there are no others */
#endif
#include "amx.clh"
#include "conv2d.clh"
#include "maps.clh"
#include "transpose16.clh"

#define LISTED 512 /* positions whose places are found at a time, a multiple of 32 */

/* Maps, of which x has cell (0, 0) at pixel (h_at, w_at), and their grid; `length` positions of a chunk, and `halo`
 * behind it that its taps read. */
#define LAYOUT                                                                                                         \
  int N, int H, int W, int C, int P, int Q, int K, int rows, int columns, int step, int phases_h, int phases_w,        \
      int h_at, int w_at, int length, int halo
#define LAYOUT_VALUES N, H, W, C, P, Q, K, rows, columns, step, phases_h, phases_w, h_at, w_at, length, halo
/* Values from a channel to the next: 4096 bytes would share a few lines of the first cache. */
#define ROW      (length + halo + 32)
#define TILES(n) (((n) + 15) / 16)

/* Where in a map position m and those after it are: the value, or -1 where the grid's cell is no pixel. */
static void list_positions(int *at, int m, int count, int N, int rows, int columns, int step, int h_at, int w_at, int H,
                           int W, int C) {
  int j = m % columns, i = m / columns % rows, n = m / columns / rows;
  for (int t = 0; t < count; t++) {
    const int h = i * step + h_at, w = j * step + w_at;
    at[t] = n < N && h >= 0 && h < H && w >= 0 && w < W ? ((n * H + h) * W + w) * C : -1;
    if (++j == columns) j = 0, i++;
    if (i == rows) i = 0, n++;
  }
}

/* 16 channels of a pixel, of which there are n; zeros of none. */
static uint16 channels_of(global const stored *map, int at, int c, int n) {
  ushort some[16];
  if (n >= 16) return at < 0 ? (uint16)(0) : convert_uint16(*(global const skp_loose_map16 *)(map + at + c));
  for (int l = 0; l < 16; l++) some[l] = l < n && at >= 0 ? map[at + c + l] : 0;
  return convert_uint16(vload16(0, some));
}

static uint16 pair_of(global const stored *map, const int *at, int c, int n) {
  return channels_of(map, at[0], c, n) | channels_of(map, at[1], c, n) << 16;
}

/* across[phase][slot][C, in sixteens][ROW]: a chunk with its halo, of one phase. */
static void lay_across(global stored *across, global const stored *x, int phase, int chunk, int slot, int slots,
                       LAYOUT) {
  int at[LISTED];
  global stored *to = across + ((size_t)phase * slots + slot) * TILES(C) * 16 * ROW;
  for (int from = 0; from < length + halo; from += LISTED) {
    const int count = min(LISTED, length + halo - from);
    list_positions(at, chunk * length + from, count, N, rows, columns, step, h_at + phase / phases_w,
                   w_at + phase % phases_w, H, W, C);
    for (int c = 0; c < C; c += 16)
      for (int m = 0; m < count; m += 32) {
        global stored *tile = to + c * ROW + from + m;
        uint16 v[16];
        _Pragma("unroll") for (int i = 0; i < 16; i++) v[i] = pair_of(x, at + m + 2 * i, c, C - c);
        transpose16(v);
        _Pragma("unroll") for (int i = 0; i < 16; i++) vstore16(v[i], 0, (global uint *)(tile + i * ROW));
      }
  }
}

/* pairs[slot][K, in sixteens][pair of positions][16 k][2]: a chunk. */
static void lay_pairs(global stored *pairs, global const stored *dy, int chunk, int slot, LAYOUT) {
  int at[LISTED];
  global uint *to = (global uint *)pairs + (size_t)slot * TILES(K) * 8 * length;
  for (int from = 0; from < length; from += LISTED) {
    const int count = min(LISTED, length - from);
    list_positions(at, chunk * length + from, count, N, rows, columns, 1, 0, 0, P, Q, K);
    for (int k = 0; k < K; k += 16)
      for (int m = 0; m < count; m += 2)
        vstore16(pair_of(dy, at + m, k, K - k), 0, to + 8 * (k / 16 * length + from + m));
  }
}

static void lay_out(global stored *across, global stored *pairs, global const stored *x, global const stored *dy,
                    int chunk, int slot, int slots, LAYOUT) {
  for (int phase = 0; phase < phases_h * phases_w; phase++)
    lay_across(across, x, phase, chunk, slot, slots, LAYOUT_VALUES);
  lay_pairs(pairs, dy, chunk, slot, LAYOUT_VALUES);
}

/* All chunks, one a work-item. */
kernel void conv2d_amx_lay_out(global stored *across, global stored *pairs, global const stored *x,
                               global const stored *dy, int across_at, int pairs_at, LAYOUT) {
  const int chunk = (int)get_global_id(0);
  lay_out(across + across_at, pairs + pairs_at, x, dy, chunk, chunk, (int)get_global_size(0), LAYOUT_VALUES);
}

/* Adds, or at first puts, 16 rows of 16 sums into dw from row (tap, c), column k on, of which there are n and width.
 * `streamed`: nothing will be added to them, and nothing need be fetched. */
static void add_tile(global float *dw, const float *sums, int n, int width, int K, bool first, bool streamed) {
  streamed = streamed && aligned16(dw) && K % 16 == 0;
  for (int i = 0; i < n; i++, dw += K, sums += 32)
    if (streamed)
      stream16(vload16(0, sums), dw);
    else if (width >= 16)
      put16(first ? vload16(0, sums) : get16(dw) + vload16(0, sums), dw);
    else
      for (int k = 0; k < width; k++) dw[k] = first ? sums[k] : dw[k] + sums[k];
}

/* Work-item (i, part): `pieces` pairs of 16 rows of dw, which are all taps' channels c in sixteens, and `chunks` of
 * all_chunks chunks, which conv2d_amx_lay_out has laid out, or, if they are its `own`, it does. A part's results begin
 * every `size` floats of dw. Tap (r, s) lies in the phase, and as far behind the position, as the stride has it. */
kernel void conv2d_amx_dw(global float *restrict dw, global stored *across, global stored *pairs,
                          global const stored *x, global const stored *dy, int across_at, int pairs_at, int own,
                          int pieces, int chunks, int all_chunks, int size, int R, int S, LAYOUT) {
  const int begin = 2 * (int)get_global_id(0) * pieces, end = min(begin + 2 * pieces, R * S * TILES(C));
  const int part = (int)get_global_id(1), first = part * chunks, last = min(first + chunks, all_chunks);
  const int slots = own ? (int)get_global_size(1) : all_chunks;
  float sums[1024];
  across += across_at;
  pairs += pairs_at;
  dw += (size_t)part * size;
  TILES_BEGIN
  for (int chunk = first; chunk < last; chunk++) {
    const int slot = own ? part : chunk;
    if (own) lay_out(across, pairs, x, dy, chunk, slot, slots, LAYOUT_VALUES);
    for (int row = begin; row < end; row += 2) {
      global const stored *a[2];
      for (int i = 0; i < 2; i++) { /* the last one again where there is no second */
        const int tap = min(row + i, end - 1) / TILES(C), tile = min(row + i, end - 1) % TILES(C);
        const int phase = tap / S % step * phases_w + tap % S % step;
        a[i] = across + (((size_t)phase * slots + slot) * TILES(C) + tile) * 16 * ROW + tap / S / step * columns +
               tap % S / step;
      }
      for (int k = 0; k < TILES(K); k += 2) {
        global const stored *b = pairs + ((size_t)slot * TILES(K) + k) * 16 * length;
        const int other = k + 1 < TILES(K) ? 16 * length : 0;
        ZERO_SUMS;
        for (int m = 0; m < length; m += 32) {
          MULTIPLY_SQUARE(a[0] + m, a[1] + m, 2 * ROW, b + 16 * m, b + 16 * m + other);
        }
        STORE_SQUARE(sums);
        for (int i = 0; i < 2 && row + i < end; i++)
          for (int l = 0; l < 2 && k + l < TILES(K); l++) {
            const int tap = (row + i) / TILES(C), c = (row + i) % TILES(C) * 16;
            add_tile(dw + (size_t)(tap * C + c) * K + 16 * (k + l), sums + 512 * i + 16 * l, min(16, C - c),
                     K - 16 * (k + l), K, chunk == first, last - first == 1);
          }
      }
    }
  }
  TILES_END;
}
