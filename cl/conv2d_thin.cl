/* conv2d_thin.cl: convolution and its gradients for small images with few channels, for CPUs: groups of one work-item,
 * every size known to the compiler, so that all short loops become straight code. SPDX-License-Identifier: MIT
 *
 *   y[n,p,q,k]   = sum over r,s,c  of x[n, p·STRIDE - PAD + r, q·STRIDE - PAD + s, c] · w[r,s,c,k]
 *   dx[n,h,v,c]  = sum over r,s,k  of dy[n, (h + PAD - r) / STRIDE, (v + PAD - s) /
 *                STRIDE, k] · w[r,s,c,k], both without rest
 *   dw[r,s,c,k]  = sum over n,p,q  of x[… as in y] · dy[n,p,q,k],     db[k] = sum over n,p,q  of dy[n,p,q,k]
 *
 * What is done to y and dx before they are written: epilogue.clh. A work-item takes `images` whole images. It copies
 * each into private memory with its padding, where no tap leaves it. Vectors run along the output channels if these
 * fill one; a single output channel is made from vectors of two pixels by four input channels. */

#include "epilogue.clh"

#include "width.clh" /* for JOIN: widths are written with it */

#ifndef C
#define C 4 /* channels of x: a multiple of 4, or below 4 (see skp__conv_thin_refuse) */
#endif
#ifndef K
#define K 8 /* channels of y: likewise */
#endif
#ifndef H
#define H 14 /* of x; the padded image stands in private memory */
#endif
#ifndef W
#define W 14
#endif
#ifndef R
#define R 1 /* of the window */
#endif
#ifndef S
#define S 1
#endif
#ifndef STRIDE
#define STRIDE 1 /* 1 or 2 */
#endif
#ifndef PAD
#define PAD 0
#endif
#ifndef TILE
#define TILE 7 /* pixels in registers; sums must hide the latency of an addition */
#endif

#define P ((H + 2 * PAD - R) / STRIDE + 1)
#define Q ((W + 2 * PAD - S) / STRIDE + 1)
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define INLINE static inline __attribute__((always_inline))

/* to {…, width + before + after, channels} = from {rows, width, channels} with zeros
 * around; `to` begins `before` rows earlier. */
#define COPY_PADDED(to, from, rows, width, channels, h_before, h_after, w_before, w_after)                             \
  for (int h = 0; h < (rows) + (h_before) + (h_after); h++) {                                                          \
    float *row = (to) + h * ((width) + (w_before) + (w_after)) * (channels);                                           \
    bool inside = h >= (h_before) && h < (rows) + (h_before);                                                          \
    for (int i = 0; i < (w_before) * (channels); i++) row[i] = 0.0f;                                                   \
    if (inside)                                                                                                        \
      for (int i = 0; i < (width) * (channels); i++)                                                                   \
        row[(w_before) * (channels) + i] = (from)[(h - (h_before)) * (width) * (channels) + i];                        \
    else                                                                                                               \
      for (int i = 0; i < (width) * (channels); i++) row[(w_before) * (channels) + i] = 0.0f;                          \
    for (int i = 0; i < (w_after) * (channels); i++) row[((w_before) + (width)) * (channels) + i] = 0.0f;              \
  }

/* ---- collecting: forward and data gradient ------------------------------------------------------------------------
 *
 * out[h_start + i·step, w_start + j·step, co] = also[…] + b[co] + sum over taps (a, b) and ci of
 *     in[i·in_step + h_in + a·in_tap, j·in_step + w_in + b·in_tap, ci] · w[h_tap +
 *     a·tap_step, w_tap + b·tap_step, ci, co]
 *
 * but what is below `least` becomes that, and 0 where `mask` is not above 0. `in`'s rows are `in_width` pixels; w is
 * {R, S, CI, CO}; `also` and `mask` are like `out` or NULL. All the numbers are constants where this is called. */
#define COLLECT_ARGS                                                                                                   \
  global float *out, const float *in, const float *w, const float *b, global const float *also,                        \
      global const float *mask, float least, int in_width, int out_width, int h_count, int w_count, int h_start,       \
      int w_start, int step, int in_step, int h_in, int w_in, int in_tap, int h_taps, int w_taps, int h_tap,           \
      int w_tap, int tap_step

/* Vectors of WIDTH output channels, TILE pixels at a time; the last tile of a row begins earlier and repeats some. */
#define DEFINE_COLLECT(NAME, CI, CO, WIDTH)                                                                            \
  INLINE void NAME(COLLECT_ARGS) {                                                                                     \
    const int tile = MIN(TILE, w_count);                                                                               \
    for (int co = 0; co < CO; co += WIDTH)                                                                             \
      for (int i = 0; i < h_count; i++)                                                                                \
        for (int j0 = 0; j0 < w_count; j0 += tile) {                                                                   \
          int j = MIN(j0, w_count - tile);                                                                             \
          JOIN(float, WIDTH) sum[TILE];                                                                                \
          _Pragma("unroll") for (int t = 0; t < tile; t++) sum[t] = 0.0f;                                              \
          const float *from = in + ((i * in_step + h_in) * in_width + j * in_step + w_in) * CI;                        \
          _Pragma("unroll") for (int r = 0; r < h_taps; r++)                                                           \
            _Pragma("unroll") for (int s = 0; s < w_taps; s++)                                                         \
              _Pragma("unroll 4") for (int ci = 0; ci < CI; ci++) {                                                    \
                int tap = (h_tap + r * tap_step) * S + w_tap + s * tap_step;                                           \
                JOIN(float, WIDTH) v = JOIN(vload, WIDTH)(0, w + (tap * CI + ci) * CO + co);                           \
                _Pragma("unroll") for (int t = 0; t < tile; t++)                                                       \
                  sum[t] += from[((r * in_width + s) * in_tap + t * in_step) * CI + ci] * v;                           \
              }                                                                                                        \
          int at = ((h_start + i * step) * out_width + w_start + j * step) * CO + co;                                  \
          JOIN(float, WIDTH) bias = JOIN(vload, WIDTH)(0, b + co); /* last: it may be larger than all the sum */       \
          _Pragma("unroll") for (int t = 0; t < tile; t++) {                                                           \
            JOIN(float, WIDTH) v = sum[t] + bias, low = least;                                                         \
            if (also) v += JOIN(vload, WIDTH)(0, also + at + t * step * CO);                                           \
            if (mask) v = JOIN(vload, WIDTH)(0, mask + at + t * step * CO) > 0.0f ? v : (JOIN(float, WIDTH))(0.0f);    \
            JOIN(vstore, WIDTH)(v < low ? low : v, 0, out + at + t * step * CO);                                       \
          }                                                                                                            \
        }                                                                                                              \
  }

/* CO below 4, CI = 4: a vector holds the four products of each of two neighbouring pixels, whose sums are taken at the
 * end. Eight pixels at a time; in_step must be 1. */
#define DEFINE_COLLECT_FEW(NAME, CO)                                                                                   \
  INLINE void NAME(COLLECT_ARGS) {                                                                                     \
    for (int co = 0; co < CO; co++)                                                                                    \
      for (int i = 0; i < h_count; i++)                                                                                \
        for (int j0 = 0; j0 < w_count; j0 += 8) {                                                                      \
          int j = MAX(0, MIN(j0, w_count - 8));                                                                        \
          float8 sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};                                                                    \
          const float *from = in + ((i + h_in) * in_width + j + w_in) * 4;                                             \
          _Pragma("unroll") for (int r = 0; r < h_taps; r++) _Pragma("unroll") for (int s = 0; s < w_taps; s++) {      \
            const float *by = w + ((h_tap + r * tap_step) * S + w_tap + s * tap_step) * 4 * CO + co;                   \
            float4 v = (float4)(by[0], by[CO], by[2 * CO], by[3 * CO]);                                                \
            _Pragma("unroll") for (int t = 0; t < 4; t++)                                                              \
              sum[t] += vload8(0, from + ((r * in_width + s) * in_tap + 2 * t) * 4) * (float8)(v, v);                  \
          }                                                                                                            \
          float8 pairs = (float8)(sum[0].even + sum[0].odd, sum[1].even + sum[1].odd);                                 \
          float8 more = (float8)(sum[2].even + sum[2].odd, sum[3].even + sum[3].odd);                                  \
          float8 all = (float8)(pairs.even + pairs.odd, more.even + more.odd) + b[co];                                 \
          int at = ((h_start + i * step) * out_width + w_start + j * step) * CO + co;                                  \
          if (CO == 1 && step == 1 && w_count >= 8) {                                                                  \
            if (also) all += vload8(0, also + at);                                                                     \
            if (mask) all = vload8(0, mask + at) > 0.0f ? all : (float8)(0.0f);                                        \
            vstore8(all < (float8)least ? (float8)least : all, 0, out + at);                                           \
          } else {                                                                                                     \
            float each[8];                                                                                             \
            vstore8(all, 0, each);                                                                                     \
            for (int t = 0; t < MIN(8, w_count); t++) {                                                                \
              float v = also ? each[t] + also[at + t * step * CO] : each[t];                                           \
              if (mask && !(mask[at + t * step * CO] > 0.0f)) v = 0.0f;                                                \
              out[at + t * step * CO] = v < least ? least : v;                                                         \
            }                                                                                                          \
          }                                                                                                            \
        }                                                                                                              \
  }

#if K % 8 == 0
DEFINE_COLLECT(forward, C, K, 8)
#elif K % 4 == 0
DEFINE_COLLECT(forward, C, K, 4)
#else
DEFINE_COLLECT_FEW(forward, K)
#endif

#if C % 8 == 0
DEFINE_COLLECT(backward, K, C, 8)
#elif C % 4 == 0
DEFINE_COLLECT(backward, K, C, 4)
#else
DEFINE_COLLECT_FEW(backward, C)
#endif

kernel void conv2d_thin(global float *restrict y, global const float *restrict x, global const float *restrict w,
                        EPILOGUE, int N, int images) {
  /* 32: what eight pixels read beyond a narrow image */
  float in[(H + 2 * PAD) * (W + 2 * PAD) * C + 32], weights[R * S * C * K], b[K];
  for (int i = 0; i < R * S * C * K; i++) weights[i] = HAS_SCALE ? w[i] * scale[i % K] : w[i];
  for (int i = 0; i < K; i++) b[i] = HAS_BIAS ? bias[i] : 0.0f;
  for (int i = 0; i < 32; i++) in[(H + 2 * PAD) * (W + 2 * PAD) * C + i] = 0.0f;
  int n = (int)get_global_id(0) * images, end = min(n + images, N);
  for (; n < end; n++) {
    COPY_PADDED(in, x + n * H * W * C, H, W, C, PAD, PAD, PAD, PAD)
    forward(y + n * P * Q * K, in, weights, b, HAS_RESIDUAL ? residual + n * P * Q * K : 0, 0, LEAST, W + 2 * PAD, Q, P,
            Q, 0, 0, 1, STRIDE, 0, 0, 1, R, S, 0, 0, 1);
  }
}

/* The taps that a row of dx meets begin at (phase + PAD) % STRIDE; dy has BEFORE rows of
 * zeros in front, AFTER behind. */
#define H_BEFORE ((R - 1) / STRIDE)
#define W_BEFORE ((S - 1) / STRIDE)
#define H_AFTER MAX(0, (H - 1 + PAD) / STRIDE - (P - 1))
#define W_AFTER MAX(0, (W - 1 + PAD) / STRIDE - (Q - 1))
#define COUNT(extent, phase) (((extent) - (phase) + STRIDE - 1) / STRIDE)
#define FIRST(phase) (((phase) + PAD) % STRIDE)
#define TAPS(kernel, phase) (((kernel) - FIRST(phase) + STRIDE - 1) / STRIDE)
#define PHASE(a, b)                                                                                                    \
  backward(dx + n * H * W * C, in, weights, none, HAS_RESIDUAL ? residual + n * H * W * C : 0,                         \
           HAS_MASK ? mask + n * H * W * C : 0, LEAST,                                                                 \
           Q + W_BEFORE + W_AFTER, W, COUNT(H, a), COUNT(W, b), a, b, STRIDE, 1,                                       \
           H_BEFORE + ((a) + PAD) / STRIDE, W_BEFORE + ((b) + PAD) / STRIDE, -1, TAPS(R, a), TAPS(S, b), FIRST(a),     \
           FIRST(b), STRIDE);

kernel void conv2d_thin_dx(global float *restrict dx, global const float *restrict dy, global const float *restrict w,
                           EPILOGUE, int N, int images) {
  float in[(P + H_BEFORE + H_AFTER) * (Q + W_BEFORE + W_AFTER) * K + 32], weights[R * S * K * C], none[C];
  for (int i = 0; i < R * S; i++)
    for (int c = 0; c < C; c++)
      for (int k = 0; k < K; k++) weights[(i * K + k) * C + c] = w[(i * C + c) * K + k];
  for (int i = 0; i < C; i++) none[i] = 0.0f;
  for (int i = 0; i < 32; i++) in[(P + H_BEFORE + H_AFTER) * (Q + W_BEFORE + W_AFTER) * K + i] = 0.0f;
  int n = (int)get_global_id(0) * images, end = min(n + images, N);
  for (; n < end; n++) {
    COPY_PADDED(in, dy + n * P * Q * K, P, Q, K, H_BEFORE, H_AFTER, W_BEFORE, W_AFTER)
    PHASE(0, 0)
#if STRIDE == 2
    PHASE(0, 1)
    PHASE(1, 0)
    PHASE(1, 1)
#endif
  }
}

/* ---- weight gradient --------------------------------------------------------------------------------------------- */

#define WIDE (W + 2 * PAD)
#if K % 8 == 0
#define LANES 8
#else
#define LANES 4
#endif
/* Weights (r, s, c) whose sums are in registers together: all, or 8 channels of one tap. */
#if R * S * C <= 12
#define TOGETHER (R * S * C)
#else
#define TOGETHER 8
#endif
#define SPREAD (TOGETHER == 1 ? 4 : TOGETHER <= 4 ? 2 : 1) /* pixels summed apart, to hide latency */

/* Adds an image's part to sum {R·S·C, K}. */
#if K % 4 == 0
INLINE void add_image(float *sum, const float *in, global const float *dy) {
  for (int k = 0; k < K; k += LANES)
    for (int at = 0; at < R * S * C; at += TOGETHER) {
      JOIN(float, LANES) part[TOGETHER][SPREAD];
      const float *from = in + (at / C / S * WIDE + at / C % S) * C + at % C;
      _Pragma("unroll") for (int g = 0; g < TOGETHER; g++)
        _Pragma("unroll") for (int u = 0; u < SPREAD; u++) part[g][u] = 0.0f;
      for (int p = 0; p < P; p++) {
        int q = 0;
        for (; q + SPREAD <= Q; q += SPREAD)
          _Pragma("unroll") for (int u = 0; u < SPREAD; u++) {
            JOIN(float, LANES) d = JOIN(vload, LANES)(0, dy + (p * Q + q + u) * K + k);
            _Pragma("unroll") for (int g = 0; g < TOGETHER; g++)
              part[g][u] += from[((p * WIDE + q + u) * STRIDE + g / C / S * WIDE + g / C % S) * C + g % C] * d;
          }
        for (; q < Q; q++) {
          JOIN(float, LANES) d = JOIN(vload, LANES)(0, dy + (p * Q + q) * K + k);
          _Pragma("unroll") for (int g = 0; g < TOGETHER; g++)
            part[g][0] += from[((p * WIDE + q) * STRIDE + g / C / S * WIDE + g / C % S) * C + g % C] * d;
        }
      }
      _Pragma("unroll") for (int g = 0; g < TOGETHER; g++) {
        _Pragma("unroll") for (int u = 1; u < SPREAD; u++) part[g][0] += part[g][u];
        float *to = sum + (at + g) * K + k;
        JOIN(vstore, LANES)(JOIN(vload, LANES)(0, to) + part[g][0], 0, to);
      }
    }
}
#else /* C = 4: two pixels by four channels, all taps at once */
INLINE void add_image(float *sum, const float *in, global const float *dy) {
  for (int k = 0; k < K; k++) {
    float8 part[R * S];
    _Pragma("unroll") for (int t = 0; t < R * S; t++) part[t] = 0.0f;
    for (int p = 0; p < P; p++)
      for (int q = 0; q < Q; q += 2) {
        float one = dy[(p * Q + q) * K + k], two = q + 1 < Q ? dy[(p * Q + q + 1) * K + k] : 0.0f;
        float8 d = (float8)((float4)one, (float4)two);
        _Pragma("unroll") for (int t = 0; t < R * S; t++)
          part[t] += vload8(0, in + ((p + t / S) * WIDE + q + t % S) * 4) * d;
      }
    _Pragma("unroll") for (int t = 0; t < R * S; t++) {
      float each[4];
      vstore4(part[t].lo + part[t].hi, 0, each);
      for (int c = 0; c < 4; c++) sum[(t * 4 + c) * K + k] += each[c];
    }
  }
}
#endif

/* sum[k] += the image's dy; in rows, to keep digits. */
INLINE void add_bias(float *sum, global const float *dy) {
  for (int p = 0; p < P; p++) {
    float part[K];
    for (int k = 0; k < K; k++) part[k] = 0.0f;
    for (int q = 0; q < Q; q++)
      for (int k = 0; k < K; k++) part[k] += dy[(p * Q + q) * K + k];
    for (int k = 0; k < K; k++) sum[k] += part[k];
  }
}

/* A work-item's results, dw and then db, begin every R·S·C·K + K floats. */
kernel void conv2d_thin_dw(global float *restrict partial, global const float *restrict x,
                           global const float *restrict dy, int has_db, int N, int images) {
  float in[(H + 2 * PAD) * WIDE * C + 32], sum[R * S * C * K + K];
  for (int i = 0; i < R * S * C * K + K; i++) sum[i] = 0.0f;
  for (int i = 0; i < 32; i++) in[(H + 2 * PAD) * WIDE * C + i] = 0.0f;
  int n = (int)get_global_id(0) * images, end = min(n + images, N);
  for (; n < end; n++) {
    COPY_PADDED(in, x + n * H * W * C, H, W, C, PAD, PAD, PAD, PAD)
    add_image(sum, in, dy + n * P * Q * K);
    if (has_db) add_bias(sum + R * S * C * K, dy + n * P * Q * K);
  }
  partial += get_global_id(0) * (R * S * C * K + K);
  for (int i = 0; i < R * S * C * K + K; i++) partial[i] = sum[i];
}
