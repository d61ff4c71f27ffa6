/* conv2d_igemm.cl: convolution and its gradients as products of matrices that are nowhere laid out, for GPUs.
 * SPDX-License-Identifier: MIT
 *
 *   conv2d_igemm     y[pixel, co]   = sum over depth d = (tap, ci)  of X[pixel,
 *                    d] · w[d, co]       the data gradient, too
 *   conv2d_igemm_dw  dw[row, k]     = sum over depth d = (n, p, q)          of X[d, row]
 *                    · dy[d, k],         row = (r, s, c)
 *
 * where X stands for the image read at the pixel's position under the tap, zero outside. A group makes a tile of BM ×
 * BN results, each work-item TM × TN of them in registers: vectors of four, so that one load of 128 bits from local
 * memory serves 16 multiplications. It walks over the depth in steps of BK. Local memory holds two steps: while one is
 * multiplied, the next is fetched into registers, and put into the other half before the one barrier of a step. Groups
 * along dimension 0 are tiles, those of one tile of pixels beside each other, that they share it in the cache; along
 * dimension 1 the convolution's groups; along dimension 2 parts of the depth, whose results stand one behind the other,
 * to be added later in a fixed order. Tiles of pixels may be blocks of statistics, then summed up, too. */

#include "conv2d.clh"
#include "epilogue.clh"

#ifndef BM
#define BM 128 /* the tile: pixels (dw: rows); a multiple of 4·ITEMS/BK, or less than that */
#endif
#ifndef BN
#define BN 64 /* output channels */
#endif
#ifndef TM
#define TM 8 /* of these, a work-item's: 4 or 8 */
#endif
#ifndef TN
#define TN 8
#endif
#ifndef BK
#define BK 8 /* depth of a step: 8 or 16 */
#endif
#ifndef UNROLL
#define UNROLL 1 /* depths in one piece, in fours */
#endif
#ifndef VIN
#define VIN 4 /* 4: the channels of the sum (dw: of x) come in fours, 1: in any number */
#endif
#ifndef VOUT
#define VOUT 4 /* the same of the output channels */
#endif
#ifndef DX
#define DX 0 /* 1: data gradient: w is read along its last dimension, which is summed over */
#endif

#define TX    (BN / TN) /* work-items along the output channels */
#define TY    (BM / TM)
#define ITEMS (TX * TY)
#define PM    (TM / 4) /* vectors of a work-item */
#define PN    (TN / 4)

#define PRAGMA(x)   _Pragma(#x)
#define REPEAT(n)   PRAGMA(unroll n)
#define ALL         _Pragma("unroll") /* else the registers would be an array in memory */
#define OUTSIDE     (-(1 << 29))      /* a coordinate that no tap brings into the image */
#define TAKE(v, at) (*(global const float4 *)((v) + (at)))
#define GROUP       kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))

/* Which of the TX × TY a work-item is: 32 neighbours form a block 8 wide, which needs
 * the fewest words of local memory. */
#define WIDE (TX < 8 ? TX : 8)
#define LX   (tid % WIDE + tid / 32 % (TX / WIDE) * WIDE)
#define LY   (tid / WIDE % (32 / WIDE) + tid / (32 * (TX / WIDE)) * (32 / WIDE))

/* Loads along the depth (which lies in memory in one piece): a work-item takes 4 depths of every DEEP_ROWS-th row, and
 * turns them. So that they fall into different banks, each four depths have their rows in an order of their own; SPAN
 * rows stay among themselves. */
#define FOURS     (BK / 4)
#define DEEP_ROWS (ITEMS / FOURS)
#define DEEP(n)   (((n) + DEEP_ROWS - 1) / DEEP_ROWS) /* loads for a tile's side of n */
#define MIX(four, SPAN) ((four) * (32 / FOURS) & (SPAN)-4)
#define PUT_DEEP(to, from, n, SPAN)                                                                                    \
  ALL for (int i = 0; i < DEEP(n); i++) {                                                                              \
    const int row = deep_row + DEEP_ROWS * i, at = row ^ MIX(four, SPAN);                                              \
    if ((n) % DEEP_ROWS == 0 || row < (n)) {                                                                           \
      (to)[(4 * four + 0) * (n) + at] = from[i].x;                                                                     \
      (to)[(4 * four + 1) * (n) + at] = from[i].y;                                                                     \
      (to)[(4 * four + 2) * (n) + at] = from[i].z;                                                                     \
      (to)[(4 * four + 3) * (n) + at] = from[i].w;                                                                     \
    }                                                                                                                  \
  }

/* Loads along a side: a work-item takes 4 rows or channels of one depth, and again every FLAT_STEP. */
#define FLAT_STEP (ITEMS / BK * 4)
#define FLAT(n)   (((n) + FLAT_STEP - 1) / FLAT_STEP)
#define PUT_FLAT(to, from, n)                                                                                          \
  ALL for (int i = 0; i < FLAT(n); i++)                                                                                \
    if ((n) % FLAT_STEP == 0 || flat + FLAT_STEP * i < (n))                                                            \
      *(local float4 *)((to) + flat_depth * (n) + flat + FLAT_STEP * i) = from[i];

/* One step's products. LEFT_SPAN and RIGHT_SPAN: as they were put; 4: as they are. */
#define MULTIPLY(left, right, LEFT_SPAN, RIGHT_SPAN)                                                                   \
  REPEAT(UNROLL) for (int f = 0; f < FOURS; f++) {                                                                     \
    local const float *l = (left) + 4 * f * BM + (4 * ly ^ MIX(f, LEFT_SPAN));                                         \
    local const float *r = (right) + 4 * f * BN + (4 * lx ^ MIX(f, RIGHT_SPAN));                                       \
    ALL for (int d = 0; d < 4; d++) {                                                                                  \
      float4 a[PM], b[PN];                                                                                             \
      ALL for (int i = 0; i < PM; i++) a[i] = *(local const float4 *)(l + d * BM + 4 * TY * i);                        \
      ALL for (int j = 0; j < PN; j++) b[j] = *(local const float4 *)(r + d * BN + 4 * TX * j);                        \
      ALL for (int i = 0; i < PM; i++)                                                                                 \
        ALL for (int j = 0; j < PN; j++) {                                                                             \
          sum[4 * i + 0][j] += a[i].x * b[j];                                                                          \
          sum[4 * i + 1][j] += a[i].y * b[j];                                                                          \
          sum[4 * i + 2][j] += a[i].z * b[j];                                                                          \
          sum[4 * i + 3][j] += a[i].w * b[j];                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
  }

/* Local memory of a step: BM × BK of the left factor, BN × BK of the right one behind it. */
#define STAGE (BK * (BM + BN))
#define RIGHT (BK * BM)
#define SWAP                                                                                                           \
  {                                                                                                                    \
    local float *const was = now;                                                                                      \
    now = next, next = was;                                                                                            \
  }

#define CLEAR                                                                                                          \
  ALL for (int i = 0; i < TM; i++)                                                                                     \
    ALL for (int j = 0; j < PN; j++) sum[i][j] = 0.0f;

/* The tile's row of result i, and the channel of vector j. */
#define ROW(i)     ((i) / 4 * 4 * TY + 4 * ly + (i) % 4)
#define CHANNEL(j) (4 * TX * (j) + 4 * lx)

/* to[0 … 3] = v, of `left` channels that there are. */
#if VOUT == 4
#define PUT(to, v, left)                                                                                               \
  if ((left) > 0) *(global float4 *)(to) = v;
#else
#define PUT(to, v, left)                                                                                               \
  {                                                                                                                    \
    if ((left) > 0) (to)[0] = (v).x;                                                                                   \
    if ((left) > 1) (to)[1] = (v).y;                                                                                   \
    if ((left) > 2) (to)[2] = (v).z;                                                                                   \
    if ((left) > 3) (to)[3] = (v).w;                                                                                   \
  }
#endif

/* Four output channels from `at` on, `left` of which there are, zeros beyond; `inside`: any at all. */
#if VOUT == 4
#define GET(from, at, inside, left) ((inside) && (left) > 0 ? TAKE(from, at) : (float4)(0.0f))
#else
#define GET1(from, at, inside, left) ((inside) && (left) > 0 ? (from)[at] : 0.0f)
#define GET(from, at, inside, left)                                                                                    \
  (float4)(GET1(from, at, inside, left), GET1(from, (at) + 1, inside, (left)-1),                                       \
           GET1(from, (at) + 2, inside, (left)-2), GET1(from, (at) + 3, inside, (left)-3))
#endif

/* A number of three digits, of which the lower two have `mids` and `lows` values, moved on by another one. */
#define ADVANCE(high, mid, low, by, mids, lows)                                                                        \
  low += by##_low, mid += by##_mid, high += by##_high;                                                                 \
  if (low >= lows) low -= lows, mid++;                                                                                 \
  if (mid >= mids) mid -= mids, high++;

/* ---- forward, data gradient ---------------------------------------------------------------------------------------
 *
 * Along each axis the positions phase, phase + step, … of the output, `step` phases in all, meet the taps tap, tap +
 * tap_step, …, and read the input at i·in_step + offset + a·in_tap, i numbering the positions, a the taps. In a forward
 * convolution there is one phase, which meets all taps; in the data gradient the step is the stride. */
typedef struct {
  int count, taps, tap, offset;
} axis;

static axis axis_of(int phase, int extent, int kernel_taps, int step, int shift, int dilation, int tap_step) {
  axis a = {(extent - phase + step - 1) / step, 0, 0, 0};
  while (a.tap < tap_step && (phase + shift - a.tap * dilation) % step) a.tap++;
  if (a.tap < tap_step && a.tap < kernel_taps) a.taps = (kernel_taps - a.tap + tap_step - 1) / tap_step;
  a.offset = (phase + shift - a.tap * dilation) / step;
  return a;
}

#define PLACES (5 - VIN) /* 1, or one for each of four depths */
#if VIN == 4
#define EACH(of, i) of(0, i)
#define X_AT(k, i)  (X_INSIDE(k, i) ? TAKE(x, X_PLACE(k, i)) : (float4)(0.0f))
#define W_AT(k, i)  (W_INSIDE(k, i) ? TAKE(w, W_PLACE(k, i)) : (float4)(0.0f))
#else
#define EACH(of, i) (float4)(of(0, i), of(1, i), of(2, i), of(3, i))
#define X_AT(k, i)  (X_INSIDE(k, i) ? x[X_PLACE(k, i)] : 0.0f)
#define W_AT(k, i)  (W_INSIDE(k, i) ? w[W_PLACE(k, i)] : 0.0f)
#endif
#define X_INSIDE(k, i)                                                                                                 \
  (a[k] < h.taps && (uint)(ih[i] + a[k] * in_tap) < (uint)IH && (uint)(iw[i] + b[k] * in_tap) < (uint)IW)
#define X_PLACE(k, i)  (base[i] + (a[k] * IW + b[k]) * in_tap * IC + c[k])
#define W_INSIDE(k, i) (a[k] < h.taps && n0 + deep_row + DEEP_ROWS * (i) < Co)
#define W_PLACE(k, i)                                                                                                  \
  (((h.tap + a[k] * tap_step) * S + v.tap + b[k] * tap_step) * Cg * K + (n0 + deep_row + DEEP_ROWS * (i)) * K + c[k])

#if DX
#define W_LOADS    DEEP(BN)
#define W_SPAN     (4 * TX)
#define FETCH_W(i) right[i] = EACH(W_AT, i);
#define PUT_W(to)  PUT_DEEP(to, right, BN, W_SPAN)
#else
#define W_LOADS FLAT(BN)
#define W_SPAN  4
#define FETCH_W(i)                                                                                                     \
  right[i] = GET(w, w_depth * K + n0 + flat + FLAT_STEP * i, w_depth < depth, Co - (n0 + flat + FLAT_STEP * i));
#define PUT_W(to) PUT_FLAT(to, right, BN)
#endif

#define FETCH                                                                                                          \
  {                                                                                                                    \
    ALL for (int i = 0; i < DEEP(BM); i++) left[i] = EACH(X_AT, i);                                                    \
    ALL for (int i = 0; i < W_LOADS; i++) FETCH_W(i)                                                                   \
    ALL for (int k = 0; k < PLACES; k++) { ADVANCE(a[k], b[k], c[k], by, v.taps, Ci) }                                 \
    w_depth += BK;                                                                                                     \
  }

#if !DX
/* total[j] = sum over the tile's `rows` rows that there are of VALUE, of its row i and vector j, in a fixed order. */
#define SUM_ROWS(total, VALUE)                                                                                         \
  barrier(CLK_LOCAL_MEM_FENCE); /* all have read what was there */                                                     \
  ALL for (int j = 0; j < PN; j++) {                                                                                   \
    float4 own = 0.0f;                                                                                                 \
    ALL for (int i = 0; i < TM; i++) own += ROW(i) < rows ? VALUE : (float4)(0.0f);                                    \
    space[ly * (BN / 4) + TX * j + lx] = own;                                                                          \
  }                                                                                                                    \
  barrier(CLK_LOCAL_MEM_FENCE);                                                                                        \
  ALL for (int j = 0; j < PN; j++) {                                                                                   \
    total[j] = 0.0f;                                                                                                   \
    REPEAT(4) for (int k = 0; k < TY; k++) total[j] += space[k * (BN / 4) + TX * j + lx];                              \
  }
#endif

/* get_group_id(2) says which phase, and which of the parts of its depth; part i's results begin at i·N·OH·OW·OC.
 * `want`, where a tile of pixels is a block of the statistics: 1 means, 2 squares. */
GROUP void conv2d_igemm(global float *restrict y, global const float *restrict x, global const float *restrict w,
                        global float *restrict means, global float *restrict squares, int want, EPILOGUE, int parts,
                        int N, int IH, int IW, int OH, int OW, int Ci, int Co, int R, int S, int step, int shift,
                        int dilation, int tap_step, int in_step, int in_tap) {
  local float4 space[2 * STAGE / 4];
  local float *now = (local float *)space, *next = now + STAGE;
  const int tid = (int)get_local_id(0), lx = LX, ly = LY, tiles = (Co + BN - 1) / BN;
  const int m0 = (int)get_group_id(0) / tiles * BM, n0 = (int)get_group_id(0) % tiles * BN;
  const int IC = Ci * (int)get_num_groups(1), OC = Co * (int)get_num_groups(1), group = (int)get_group_id(1);
  const int K = DX ? IC : OC, Cg = DX ? Co : Ci; /* w is {R, S, Cg, K} */
  const int phase = (int)get_group_id(2) / parts, part = (int)get_group_id(2) % parts;
  const axis h = axis_of(phase / step, OH, R, step, shift, dilation, tap_step);
  const axis v = axis_of(phase % step, OW, S, step, shift, dilation, tap_step);
  const int M = N * h.count * v.count, depth = h.taps * v.taps * Ci, steps = (depth + BK - 1) / BK;
  const int each = (steps + parts - 1) / parts, first = part * each, last = min(first + each, steps);
  if (m0 >= M) return; /* a phase that is shorter than others */
  x += group * Ci;
  w += group * (DX ? Ci : Co);
  y += (size_t)part * N * OH * OW * OC + group * Co;

  const int four = tid % FOURS, deep_row = tid / FOURS;
  const int flat = tid % (ITEMS / BK) * 4, flat_depth = tid / (ITEMS / BK);
  int ih[DEEP(BM)], iw[DEEP(BM)], base[DEEP(BM)], a[PLACES], b[PLACES], c[PLACES];
  ALL for (int i = 0; i < DEEP(BM); i++) {
    const int pixel = m0 + deep_row + DEEP_ROWS * i, row = pixel / v.count;
    ih[i] = row % h.count * in_step + h.offset;
    iw[i] = pixel % v.count * in_step + v.offset;
    base[i] = ((row / h.count * IH + ih[i]) * IW + iw[i]) * IC;
    if (pixel >= M) ih[i] = OUTSIDE;
  }
  const int taps = max(v.taps, 1), by_high = BK / Ci / taps, by_mid = BK / Ci % taps, by_low = BK % Ci;
  ALL for (int k = 0; k < PLACES; k++) {
    const int d = first * BK + 4 * four + k;
    a[k] = d / Ci / taps, b[k] = d / Ci % taps, c[k] = d % Ci;
  }
  int w_depth = first * BK + flat_depth;

  float4 sum[TM][PN], left[DEEP(BM)], right[W_LOADS];
  CLEAR
  if (first < last) {
    FETCH
    PUT_DEEP(now, left, BM, 4 * TY)
    PUT_W(now + RIGHT)
  }
  for (int s = first; s < last; s++) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (s + 1 < last) FETCH
    MULTIPLY(now, now + RIGHT, 4 * TY, W_SPAN)
    if (s + 1 < last) {
      PUT_DEEP(next, left, BM, 4 * TY)
      PUT_W(next + RIGHT)
    }
    SWAP
  }

  const float4 least = LEAST;
  ALL for (int j = 0; j < PN; j++) {
    const int co = n0 + CHANNEL(j);
    const float4 factor = HAS_SCALE ? GET(scale, group * Co + co, true, Co - co) : (float4)(1.0f);
    const float4 add = GET(bias, group * Co + co, HAS_BIAS, Co - co);
    ALL for (int i = 0; i < TM; i++) {
      const int pixel = m0 + ROW(i), row = pixel / v.count;
      const int at = (row / h.count * OH + row % h.count * step + phase / step) * OW +
                     pixel % v.count * step + phase % step;
      if (pixel >= M) continue;
      float4 v = sum[i][j] * factor + add;
      if (HAS_RESIDUAL) v += GET(residual, at * OC + group * Co + co, true, Co - co);
      if (HAS_MASK) v = GET(mask, at * OC + group * Co + co, true, Co - co) > 0.0f ? v : (float4)(0.0f);
      sum[i][j] = v < least ? least : v;
      PUT(y + at * OC + co, sum[i][j], Co - co)
    }
  }
#if !DX
  if (want) {
    const int rows = min(BM, M - m0);
    float4 mean[PN], square[PN];
    SUM_ROWS(mean, sum[i][j])
    ALL for (int j = 0; j < PN; j++) mean[j] /= rows;
    SUM_ROWS(square, (sum[i][j] - mean[j]) * (sum[i][j] - mean[j]))
    ALL for (int j = 0; j < PN; j++) {
      const int co = n0 + CHANNEL(j), at = m0 / BM * OC + group * Co + co;
      if (ly == 0 && want & 1) PUT(means + at, mean[j], Co - co)
      if (ly == 0 && want & 2) PUT(squares + at, square[j], Co - co)
    }
  }
#endif
}

/* ---- weight gradient --------------------------------------------------------------------------------------------- */

#if VIN == 4
#define DW_AT(k, i) (DW_INSIDE(k, i) ? TAKE(x, DW_PLACE(k, i)) : (float4)(0.0f))
#else
#define DW_AT(k, i) (DW_INSIDE(k, i) ? x[DW_PLACE(k, i)] : 0.0f)
#endif
#define DW_INSIDE(k, i) (d < to && (uint)(p * stride + rh[i][k]) < (uint)H && (uint)(q * stride + sv[i][k]) < (uint)W)
#define DW_PLACE(k, i)  (((n * H + p * stride) * W + q * stride) * C + row_at[i][k])

#define FETCH_DW                                                                                                       \
  {                                                                                                                    \
    ALL for (int i = 0; i < FLAT(BM); i++) left[i] = EACH(DW_AT, i);                                                   \
    ALL for (int i = 0; i < FLAT(BN); i++)                                                                             \
      right[i] = GET(dy, d * K + k0 + flat + FLAT_STEP * i, d < to, Kg - (k0 + flat + FLAT_STEP * i));                 \
    d += BK;                                                                                                           \
    ADVANCE(n, p, q, by, P, Q)                                                                                         \
  }

/* Part get_group_id(2) takes `length` of the N·P·Q pixels; its results begin every `size` floats. */
GROUP void conv2d_igemm_dw(global float *restrict partial, global const float *restrict x,
                           global const float *restrict dy, int length, int size, SIZES) {
  local float4 space[2 * STAGE / 4];
  local float *now = (local float *)space, *next = now + STAGE;
  const int Cg = C / groups, Kg = K / groups, rows = R * S * Cg, tiles = (Kg + BN - 1) / BN;
  const int tid = (int)get_local_id(0), lx = LX, ly = LY, group = (int)get_group_id(1);
  const int m0 = (int)get_group_id(0) / tiles * BM, k0 = (int)get_group_id(0) % tiles * BN;
  const int from = (int)get_group_id(2) * length, to = min(from + length, N * P * Q);
  x += group * Cg;
  dy += group * Kg;
  partial += get_group_id(2) * size + group * Kg;

  const int flat = tid % (ITEMS / BK) * 4, flat_depth = tid / (ITEMS / BK);
  int rh[FLAT(BM)][PLACES], sv[FLAT(BM)][PLACES], row_at[FLAT(BM)][PLACES];
  ALL for (int i = 0; i < FLAT(BM); i++)
    ALL for (int k = 0; k < PLACES; k++) {
      const int row = m0 + flat + FLAT_STEP * i + k, tap = row / Cg;
      rh[i][k] = tap / S * dilation - pad;
      sv[i][k] = tap % S * dilation - pad;
      row_at[i][k] = (rh[i][k] * W + sv[i][k]) * C + row % Cg;
      if (row >= rows || flat + FLAT_STEP * i >= BM) rh[i][k] = OUTSIDE;
    }
  const int by_high = BK / Q / P, by_mid = BK / Q % P, by_low = BK % Q;
  int d = from + flat_depth, q = d % Q, p = d / Q % P, n = d / Q / P;

  float4 sum[TM][PN], left[FLAT(BM)], right[FLAT(BN)];
  CLEAR
  FETCH_DW
  PUT_FLAT(now, left, BM)
  PUT_FLAT(now + RIGHT, right, BN)
  for (int s = from; s < to; s += BK) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (s + BK < to) FETCH_DW
    MULTIPLY(now, now + RIGHT, 4, 4)
    if (s + BK < to) {
      PUT_FLAT(next, left, BM)
      PUT_FLAT(next + RIGHT, right, BN)
    }
    SWAP
  }

  ALL for (int j = 0; j < PN; j++)
    ALL for (int i = 0; i < TM; i++) {
      const int row = m0 + ROW(i), k = k0 + CHANNEL(j);
      if (row < rows) PUT(partial + row * K + k, sum[i][j], Kg - k)
    }
}
