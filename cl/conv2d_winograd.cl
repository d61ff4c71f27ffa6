/* conv2d_winograd.cl: 3×3 convolution with stride 1, its data and its weight gradient by Winograd's algorithm F(M×M, 3×3), for CPUs.
 * SPDX-License-Identifier: MIT
 *
 *   y  = A' [ (G w G') · (B' x B) ] A      for each tile of M×M pixels of y, x being the A×A pixels, A = M + 2, that they see
 *   dw = G' [ sum over tiles of (B' x B) · (A dy A') ] G
 *
 * The products in the middle are matrix products over channels, one for each of the A² places of a transformed tile: A²/M² multiplications for
 * an output and a channel instead of 9. (Lavin and Gray 2016.)
 *
 * A work-item is a group of its own. It takes blocks of `tiles` tiles: transforms them into its slice of the workspace, which stays in the
 * second cache, multiplies there in registers as conv2d_cpu.cl does, and transforms back. All channel counts are multiples of 16. */

#ifndef M
#define M 4 /* 3 or 4: a tile's side */
#endif
#ifndef TILE
#define TILE 6 /* tiles whose products are in registers together; `tiles` is a multiple */
#endif
#define A (M + 2)
/* channels of x whose products with 16 of dy are in registers together: a divisor of 16 */
#define LINES (TILE < 12 ? 4 : 8)
/* floats between the places of a block: their distance should be no multiple of the first cache's ways */
#define GAP 16

/* ---- one-dimensional transforms, in place, of vectors of 8 channels ---------------------------------------------------
 *
 * They follow from the points at which polynomials are evaluated: 0, P, -P, Q, for M = 4 also -Q, and infinity. These values keep rounding
 * errors small, half of those with 1 and 2. F_ are the factors of the Lagrange polynomials, taken to the weights' side. */

#define P  0.625f
#define PP (P * P)
#define QQ (Q * Q)
#if M == 4
#define Q   1.5f
#define F_0 (1 / (PP * QQ))
#define F_P (0.5f / (PP * (PP - QQ)))
#define F_Q (0.5f / (QQ * (QQ - PP)))
static void to_input(float8 *v) { /* A values: B' */
  float8 a = v[4] - QQ * v[2], b = v[3] - QQ * v[1], c = v[4] - PP * v[2], d = v[3] - PP * v[1];
  v[0] = c - QQ * (v[2] - PP * v[0]);
  v[5] = v[5] - PP * v[3] - QQ * d;
  v[1] = a + P * b;
  v[2] = a - P * b;
  v[3] = c + Q * d;
  v[4] = c - Q * d;
}
static void to_output(float8 *v) { /* A values to M: A' */
  float8 a = v[1] + v[2], b = P * (v[1] - v[2]), c = v[3] + v[4], d = Q * (v[3] - v[4]);
  v[0] = v[0] + a + c;
  v[1] = b + d;
  v[2] = PP * a + QQ * c;
  v[3] = PP * b + QQ * d + v[5];
}
static void from_output(float8 *v) { /* M values to A: A */
  float8 a = v[0] + PP * v[2], b = P * (v[1] + PP * v[3]), c = v[0] + QQ * v[2], d = Q * (v[1] + QQ * v[3]);
  v[5] = v[3];
  v[1] = a + b;
  v[2] = a - b;
  v[3] = c + d;
  v[4] = c - d;
}
static void to_weights(float8 *v) { /* 3 values to A: G */
  float8 a = F_P * (v[0] + PP * v[2]), b = (F_P * P) * v[1], c = F_Q * (v[0] + QQ * v[2]), d = (F_Q * Q) * v[1];
  v[5] = v[2];
  v[0] = F_0 * v[0];
  v[1] = a + b;
  v[2] = a - b;
  v[3] = c + d;
  v[4] = c - d;
}
static void from_weights(float8 *v) { /* A values to 3: G' */
  float8 a = F_P * (v[1] + v[2]), b = (F_P * P) * (v[1] - v[2]), c = F_Q * (v[3] + v[4]), d = (F_Q * Q) * (v[3] - v[4]);
  v[0] = F_0 * v[0] + a + c;
  v[1] = b + d;
  v[2] = PP * a + QQ * c + v[5];
}
#else
#define Q   2.0f
#define F_0 (1 / (PP * Q))
#define F_P (0.5f / (PP * (P - Q)))
#define F_N (-0.5f / (PP * (P + Q)))
#define F_Q (1 / (Q * (QQ - PP)))
static void to_input(float8 *v) {
  float8 a = v[3] - Q * v[2], b = P * (v[2] - Q * v[1]), c = v[3] - PP * v[1];
  v[0] = c - Q * (v[2] - PP * v[0]);
  v[4] = v[4] - PP * v[2] - Q * c;
  v[1] = a + b;
  v[2] = a - b;
  v[3] = c;
}
static void to_output(float8 *v) {
  float8 a = v[1] + v[2], b = v[1] - v[2];
  v[0] = v[0] + a + v[3];
  v[1] = P * b + Q * v[3];
  v[2] = PP * a + QQ * v[3] + v[4];
}
static void from_output(float8 *v) {
  float8 a = v[0] + PP * v[2], b = P * v[1];
  v[4] = v[2];
  v[3] = v[0] + Q * v[1] + QQ * v[2];
  v[1] = a + b;
  v[2] = a - b;
}
static void to_weights(float8 *v) {
  float8 a = v[0] + PP * v[2], b = P * v[1];
  v[4] = v[2];
  v[3] = F_Q * (v[0] + Q * v[1] + QQ * v[2]);
  v[0] = F_0 * v[0];
  v[1] = F_P * (a + b);
  v[2] = F_N * (a - b);
}
static void from_weights(float8 *v) {
  float8 a = F_P * v[1], b = F_N * v[2], c = F_Q * v[3];
  v[0] = F_0 * v[0] + a + b + c;
  v[1] = P * (a - b) + Q * c;
  v[2] = PP * (a + b) + QQ * c + v[4];
}
#endif

/* A two-dimensional transform of IN×IN values to OUT×OUT, in memory on both sides: LOAD(i, j), STORE(i, j, value). */
#define TRANSFORM(STEP, IN, OUT, LOAD, STORE)                                                                          \
  {                                                                                                                    \
    float8 half_way[OUT][IN], v[A];                                                                                    \
    _Pragma("unroll") for (int j = 0; j < IN; j++) {                                                                   \
      _Pragma("unroll") for (int i = 0; i < IN; i++) v[i] = LOAD(i, j);                                                \
      STEP(v);                                                                                                         \
      _Pragma("unroll") for (int i = 0; i < OUT; i++) half_way[i][j] = v[i];                                           \
    }                                                                                                                  \
    _Pragma("unroll") for (int i = 0; i < OUT; i++) {                                                                  \
      _Pragma("unroll") for (int j = 0; j < IN; j++) v[j] = half_way[i][j];                                            \
      STEP(v);                                                                                                         \
      _Pragma("unroll") for (int j = 0; j < OUT; j++) STORE(i, j, v[j]);                                               \
    }                                                                                                                  \
  }

/* ---- weights ---------------------------------------------------------------------------------------------------------- */

/* packed[panel][A²][ci][16] = the transformed weights of 16 channels co a panel. w's element for (r, s, ci, co), from w_at on, stands
 * r·h_step + s·w_step + ci·ci_step + co·co_step further. One work-item a panel and 16 channels ci. */
kernel void conv2d_winograd_weights(global float *restrict packed, global const float *restrict w, int w_at, int h_step,
                                    int w_step, int ci_step, int co_step, int Ci) {
  int panel = (int)get_global_id(0), from_ci = (int)get_global_id(1) * 16;
  for (int ci = from_ci; ci < from_ci + 16; ci++)
    for (int half_panel = 0; half_panel < 2; half_panel++) {
      int co = panel * 16 + half_panel * 8;
      global const float *from = w + w_at + ci * ci_step + co * co_step;
      global float *to = packed + ((size_t)panel * A * A * Ci + ci) * 16 + half_panel * 8;
      float8 g[3][3];
      for (int r = 0; r < 3; r++)
        for (int s = 0; s < 3; s++) {
          float some[8];
          for (int l = 0; l < 8; l++) some[l] = from[r * h_step + s * w_step + l * co_step];
          g[r][s] = vload8(0, some);
        }
#define LOAD(i, j)         g[i][j]
#define STORE(i, j, value) vstore8(value, 0, to + (size_t)(i * A + j) * Ci * 16)
      TRANSFORM(to_weights, 3, A, LOAD, STORE)
#undef LOAD
#undef STORE
    }
}

/* ---- tiles ------------------------------------------------------------------------------------------------------------ */

/* to[A²][…][C] = `tiles` transformed tiles from `first` on, places `distance` floats apart: channels `from` to from + count of x. A tile (i, j)
 * of TH×TW an image begins at (i, j)·M + (h0, w0): of the input, for SEEN = A; of dy, for SEEN = M. Pixels outside are `zeros`. After tile
 * total - 1 that one is repeated. */
#define DEFINE_TILES(NAME, STEP, SEEN)                                                                                 \
  static void NAME(global float *to, global const float *x, global const float *zeros, int first, int tiles,           \
                   int total, int distance, int TH, int TW, int H, int W, int C, int count, int h0, int w0) {          \
    for (int t = 0; t < tiles; t++) {                                                                                  \
      int tile = min(first + t, total - 1), h = tile / TW % TH * M + h0, v = tile % TW * M + w0;                       \
      global const float *image = x + (size_t)(tile / TW / TH) * H * W * C, *at[SEEN][SEEN];                           \
      _Pragma("unroll") for (int i = 0; i < SEEN; i++) _Pragma("unroll") for (int j = 0; j < SEEN; j++) {              \
        bool inside = h + i >= 0 && h + i < H && v + j >= 0 && v + j < W;                                              \
        at[i][j] = inside ? image + ((h + i) * W + v + j) * C : zeros;                                                 \
      }                                                                                                                \
      for (int c = 0; c < count; c += 8) {                                                                             \
        global float *place = to + t * count + c;                                                                      \
        TRANSFORM(STEP, SEEN, A, TILES_LOAD, TILES_STORE)                                                              \
      }                                                                                                                \
    }                                                                                                                  \
  }
#define TILES_LOAD(i, j)         vload8(0, at[i][j] + c)
#define TILES_STORE(i, j, value) vstore8(value, 0, place + (i * A + j) * distance)
DEFINE_TILES(input_tiles, to_input, A)
DEFINE_TILES(output_tiles, from_output, M)

/* A work-item's own slice of the workspace, which begins with zeros. */
static global float *slice_of(global float *slices, int slice, int zeros) {
  global float *own = slices + (get_global_id(1) * get_global_size(0) + get_global_id(0)) * slice;
  for (int i = 0; i < zeros; i++) own[i] = 0.0f;
  return own;
}

/* ---- forward and data gradient ------------------------------------------------------------------------------------------ */

/* Work-item (group, part): every get_global_size(0)-th block of tiles, `span` panels from part·span on. Slices of the workspace begin at float
 * `slices`: Ci zeros, the transformed tiles, their products. */
kernel void conv2d_winograd(global float *restrict y, global const float *restrict x,
                            global const float *restrict packed, global const float *restrict bias,
                            global float *restrict workspace, int has_bias, int slices, int slice, int tiles, int total,
                            int span, int TH, int TW, int h0, int w0, int IH, int IW, int Ci, int OH, int OW, int Co) {
  int groups = (int)get_global_size(0), from_panel = (int)get_global_id(1) * span,
      panels = min(span, Co / 16 - from_panel);
  int distance = tiles * Ci + GAP, apart = tiles * span * 16 + GAP;
  global float *zeros = slice_of(workspace + slices, slice, Ci), *inputs = zeros + Ci,
               *sums = inputs + A * A * distance;
  for (int first = (int)get_global_id(0) * tiles; first < total; first += groups * tiles) {
    int some = min(tiles, (total - first + TILE - 1) / TILE * TILE);
    input_tiles(inputs, x, zeros, first, some, total, distance, TH, TW, IH, IW, Ci, Ci, h0, w0);
    for (int place = 0; place < A * A; place++)
      for (int panel = 0; panel < panels; panel++)
        for (int t0 = 0; t0 < some; t0 += TILE) {
          global const float *from = inputs + place * distance + t0 * Ci;
          global const float *by = packed + (size_t)((from_panel + panel) * A * A + place) * Ci * 16;
          global float *to = sums + place * apart + (panel * tiles + t0) * 16;
          float16 sum[TILE];
#pragma unroll
          for (int t = 0; t < TILE; t++) sum[t] = 0.0f;
          for (int c = 0; c < Ci; c++, by += 16) {
            const float16 w = vload16(0, by);
#pragma unroll
            for (int t = 0; t < TILE; t++) sum[t] += from[t * Ci + c] * w;
          }
#pragma unroll
          for (int t = 0; t < TILE; t++) vstore16(sum[t], t, to);
        }
    for (int t = 0; t < some && first + t < total; t++) {
      int tile = first + t, i0 = tile / TW % TH * M, j0 = tile % TW * M;
      for (int k = 0; k < panels * 16; k += 8) {
        int co = from_panel * 16 + k;
        float8 b = has_bias ? vload8(0, bias + co) : 0.0f, all[M][M];
        global float *to = y + (((size_t)(tile / TW / TH) * OH + i0) * OW + j0) * Co + co;
        global const float *from = sums + (k / 16 * tiles + t) * 16 + k % 16;
#define LOAD(i, j)         vload8(0, from + (i * A + j) * apart)
#define STORE(i, j, value) all[i][j] = value
        TRANSFORM(to_output, A, M, LOAD, STORE)
#undef LOAD
#undef STORE
#pragma unroll
        for (int i = 0; i < M; i++)
#pragma unroll
          for (int j = 0; j < M; j++)
            if (i0 + i < OH && j0 + j < OW) vstore8(all[i][j] + b, 0, to + (i * OW + j) * Co);
      }
    }
  }
}

/* ---- weight gradient ---------------------------------------------------------------------------------------------------- */

/* Work-item (chunk, part): every get_global_size(0)-th block of tiles, `span` panels of channels k from part·span on. partial[chunk][A²][C][K],
 * places C·K + GAP floats apart, then slices: zeros, the transformed tiles of x, those of dy. */
kernel void conv2d_winograd_dw(global float *restrict workspace, global const float *restrict x,
                               global const float *restrict dy, int slices, int slice, int tiles, int total, int span,
                               int TH, int TW, int h0, int w0, int H, int W, int C, int OH, int OW, int K) {
  int chunk = (int)get_global_id(0), chunks = (int)get_global_size(0), from_k = (int)get_global_id(1) * span * 16;
  int width = min(span * 16, K - from_k), distance = tiles * C + GAP, apart = tiles * width + GAP, far = C * K + GAP;
  global float *zeros = slice_of(workspace + slices, slice, max(C, K)), *inputs = zeros + max(C, K);
  global float *outputs = inputs + A * A * distance, *partial = workspace + (size_t)chunk * A * A * far + from_k;
  for (int first = chunk * tiles; first < total; first += chunks * tiles) {
    int some = min(tiles, total - first);
    input_tiles(inputs, x, zeros, first, some, total, distance, TH, TW, H, W, C, C, h0, w0);
    output_tiles(outputs, dy + from_k, zeros, first, some, total, apart, TH, TW, OH, OW, K, width, 0, 0);
    for (int place = 0; place < A * A; place++)
      for (int k = 0; k < width; k += 16)
        for (int c = 0; c < C; c += LINES) {
          global const float *from = inputs + place * distance + c, *by = outputs + place * apart + k;
          global float *to = partial + place * far + c * K + k;
          float16 sum[LINES];
#pragma unroll
          for (int l = 0; l < LINES; l++) sum[l] = 0.0f;
          for (int t = 0; t < some; t++, from += C, by += width) {
            const float16 d = vload16(0, by);
#pragma unroll
            for (int l = 0; l < LINES; l++) sum[l] += from[l] * d;
          }
#pragma unroll
          for (int l = 0; l < LINES; l++, to += K)
            vstore16(first >= chunks * tiles ? vload16(0, to) + sum[l] : sum[l], 0, to);
        }
  }
}

/* dw from the partial results of all chunks. One work-item 8 channels k and 16 channels c. */
kernel void conv2d_winograd_sum(global float *restrict dw, global const float *restrict partial, int chunks, int C,
                                int K) {
  int k = (int)get_global_id(0) * 8, from_c = (int)get_global_id(1) * 16, far = C * K + GAP;
  for (int c = from_c; c < from_c + 16; c++) {
    float8 sum[A][A];
    for (int i = 0; i < A; i++)
      for (int j = 0; j < A; j++) {
        global const float *from = partial + (i * A + j) * far + c * K + k;
        float8 all = 0.0f;
        for (int chunk = 0; chunk < chunks; chunk++) all += vload8(0, from + (size_t)chunk * A * A * far);
        sum[i][j] = all;
      }
    global float *to = dw + c * K + k;
#define LOAD(i, j)         sum[i][j]
#define STORE(i, j, value) vstore8(value, 0, to + (i * 3 + j) * C * K)
    TRANSFORM(from_weights, A, 3, LOAD, STORE)
#undef LOAD
#undef STORE
  }
}
