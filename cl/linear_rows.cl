/* linear_rows.cl: linear layers of few rows and many weights, for CPUs: groups of one work-item.
 * SPDX-License-Identifier: MIT
 *
 *   y[n, k] = sum over c of x[n, c]·w[c, k]     dx[n, c] = sum over k of dy[n, k]·w[c, k]
 *   dw[c, k] = sum over n of x[n, c]·dy[n, k]
 *
 * The weights are what memory has to carry: so they are read, or written, once, as they lie, in long runs. */
#include "epilogue.clh"

/* rows of w that are multiplied together: as many vectors of 16 floats as registers hold beside the sums */
#ifndef LINES
#define LINES 4
#endif
/* the same rows of x or dy at a time, in the data gradient */
#ifndef TILE
#define TILE 2
#endif
#define MOST_ROWS 64 /* N at most: the limits of conv_rows.c */

#define EACH_LINE _Pragma("unroll") for (int l = 0; l < LINES; l++)
#define EACH_ROW  _Pragma("unroll") for (int t = 0; t < TILE; t++)

/* 16 floats, zeros from number n on, which is 1 at least. */
static float16 some16(global const float *from, int n) {
  if (n >= 16) return get16(from);
  float some[16];
  for (int l = 0; l < 16; l++) some[l] = l < n ? from[l] : 0.0f;
  return vload16(0, some);
}

static void put_some16(float16 v, global float *to, int n) {
  if (n >= 16) {
    put16(v, to);
    return;
  }
  float some[16];
  vstore16(v, 0, some);
  for (int l = 0; l < n; l++) to[l] = some[l];
}

static float total_of(float16 v) {
  float some[16];
  vstore16(v, 0, some);
  _Pragma("unroll") for (int rest = 8; rest > 0; rest /= 2)
    _Pragma("unroll") for (int l = 0; l < rest; l++) some[l] += some[l + rest];
  return some[0];
}

/* values[n][l] = x[n, c + l], zero from `end` on. */
static void take_values(float (*values)[LINES], global const float *x, int N, int C, int c, int end) {
  for (int n = 0; n < N; n++)
    EACH_LINE values[n][l] = c + l < end ? x[(size_t)n * C + c + l] : 0.0f;
}

/* partial[part][N][K], added up by conv2d_sum.cl. Work-item (j, part): `span` columns from j·span on, `rows` rows of w
 * from part·rows on. Its sums stand in its slice, N·span floats after float `slices`, in the first cache; span is a
 * multiple of 16. */
kernel void linear_rows(global float *partial, global const float *restrict x, global const float *restrict w,
                        int slices, int span, int rows, int N, int C, int K) {
  int part = (int)get_global_id(1), from = part * rows, end = min(from + rows, C);
  int k0 = (int)get_global_id(0) * span, width = min(span, K - k0);
  global float *own = partial + slices + (get_global_id(0) + part * get_global_size(0)) * N * span;
  float values[MOST_ROWS][LINES];
  for (int c = from; c < end; c += LINES) {
    global const float *line[LINES];
    EACH_LINE line[l] = w + (size_t)min(c + l, end - 1) * K + k0;
    take_values(values, x, N, C, c, end);
    for (int k = 0; k < width; k += 16) {
      float16 weight[LINES];
      EACH_LINE {
        weight[l] = c + l < end ? some16(line[l] + k, width - k) : 0.0f;
        fetch_line(line[l] + (size_t)LINES * K + k);
      }
      for (int n = 0; n < N; n++) {
        float16 sum = c > from ? get16(own + n * span + k) : 0.0f;
        EACH_LINE sum += values[n][l] * weight[l];
        put16(sum, own + n * span + k);
      }
    }
  }
  for (int n = 0; n < N; n++)
    for (int k = 0; k < width; k += 16)
      put_some16(get16(own + n * span + k), partial + ((size_t)part * N + n) * K + k0 + k, width - k);
}

/* Work-item: `rows` rows of w, which are columns of dx. */
kernel void linear_rows_dx(global float *restrict dx, global const float *restrict dy, global const float *restrict w,
                           EPILOGUE, int rows, int N, int C, int K) {
  int from = (int)get_global_id(0) * rows, end = min(from + rows, C);
  for (int c = from; c < end; c += LINES) {
    global const float *line[LINES];
    EACH_LINE line[l] = w + (size_t)min(c + l, end - 1) * K;
    for (int n = 0; n < N; n += TILE) {
      global const float *row[TILE];
      float16 sum[TILE][LINES];
      EACH_ROW row[t] = dy + (size_t)min(n + t, N - 1) * K;
      EACH_ROW EACH_LINE sum[t][l] = 0.0f;
      for (int k = 0; k < K; k += 16) {
        float16 weight[LINES];
        EACH_LINE weight[l] = some16(line[l] + k, K - k);
        EACH_ROW {
          const float16 value = some16(row[t] + k, K - k);
          EACH_LINE sum[t][l] += value * weight[l];
        }
      }
      EACH_ROW EACH_LINE if (n + t < N && c + l < end) {
        int i = (n + t) * C + c + l;
        dx[i] = finish(total_of(sum[t][l]), c + l, i, EPILOGUE_VALUES);
      }
    }
  }
}

/* Work-item: `rows` rows of dw. */
kernel void linear_rows_dw(global float *restrict dw, global const float *restrict x, global const float *restrict dy,
                           int rows, int N, int C, int K) {
  int from = (int)get_global_id(0) * rows, end = min(from + rows, C);
  const bool stream = aligned16(dw) && K % 16 == 0;
  float values[MOST_ROWS][LINES];
  for (int c = from; c < end; c += LINES) {
    take_values(values, x, N, C, c, end);
    for (int k = 0; k < K; k += 16) {
      float16 sum[LINES];
      EACH_LINE sum[l] = 0.0f;
      for (int n = 0; n < N; n++) {
        const float16 value = some16(dy + (size_t)n * K + k, K - k);
        EACH_LINE sum[l] += values[n][l] * value;
      }
      EACH_LINE {
        if (c + l >= end) continue;
        global float *to = dw + (size_t)(c + l) * K + k;
        if (stream)
          stream16(sum[l], to);
        else
          put_some16(sum[l], to, K - k);
      }
    }
  }
}
