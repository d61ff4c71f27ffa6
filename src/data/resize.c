/* resize.c: antialiased bilinear resizing of byte images, as Pillow and torchvision do it. SPDX-License-Identifier: MIT
 *
 * Each output pixel is a weighted mean of the input pixels under a triangle around it. When shrinking, the triangle
 * widens with the scale; when enlarging, its half-width is one pixel. First along rows, then along columns, with bytes
 * in between (late versions of Pillow take the other way where that is shorter; the difference is one level at most):
 *   scale = in/out, wide = max(scale, 1), centre = (o + 1/2)·scale
 *   out[o] = Σ w(i) in[i] / Σ w(i),   w(i) = max(0, 1 - |i + 1/2 - centre| / wide),   round(centre ± wide) bounding i
 * Weights are fixed-point numbers of 22 bits. Only the window that is asked for is made: the rest of a picture that is
 * a thousand times as long as it is wide costs nothing. */
#include "base/array.h"
#include "data/image.h"
#include <stdlib.h>
#include <string.h>

enum { BITS = 22, HALF = 1 << (BITS - 1), MAX_CHANNELS = 4, PIECE = 32 };

/* For each output position the input positions that it is made of. */
struct axis {
  int *first, *count; /* [n] */
  int32_t *weight;    /* [n][widest] */
  int widest;
};

static void free_axis(struct axis *a) {
  free(a->first);
  free(a->count);
  free(a->weight);
}

/* The weights of output o, the axis's number `at`, in fixed point. */
static void weigh(struct axis *a, int at, int o, int in, double scale, double wide) {
  double centre = (o + 0.5) * scale, sum = 0;
  int from = (int)(centre - wide + 0.5), to = (int)(centre + wide + 0.5);
  if (from < 0) from = 0;
  if (to > in) to = in;
  int32_t *weight = a->weight + (int64_t)at * a->widest;
  a->first[at] = from;
  a->count[at] = to - from;
  for (int pass = 0; pass < 2; pass++) /* first their sum, then the weights themselves */
    for (int i = from; i < to; i++) {
      double away = (i + 0.5 - centre) / wide, w = away < 0 ? 1 + away : 1 - away;
      if (w < 0) w = 0;
      if (pass)
        weight[i - from] = (int32_t)(w / sum * (1 << BITS) + 0.5);
      else
        sum += w;
    }
}

/* The n outputs from number `start` on, of `out`. */
static skp_status make_axis(struct axis *a, int start, int n, int out, int in) {
  double scale = (double)in / out, wide = scale > 1 ? scale : 1;
  a->widest = 2 * wide + 3 < in ? (int)(2 * wide) + 3 : in;
  SKP_TRY(skp__alloc(&a->first, (size_t)n, sizeof *a->first));
  SKP_TRY(skp__alloc(&a->count, (size_t)n, sizeof *a->count));
  SKP_TRY(skp__alloc(&a->weight, (size_t)n * (size_t)a->widest, sizeof *a->weight));
  for (int i = 0; i < n; i++) weigh(a, i, start + i, in, scale, wide);
  return SKP_OK;
}

static uint8_t byte(int32_t sum) {
  sum >>= BITS;
  return (uint8_t)(sum > 255 ? 255 : sum);
}

/* One row along itself. Where C is known to the compiler it is twice as fast. */
static inline void resize_row(uint8_t *out, int out_w, const uint8_t *in, int C, const struct axis *a) {
  for (int o = 0; o < out_w; o++, out += C) {
    const int32_t *weight = a->weight + (int64_t)o * a->widest;
    const uint8_t *from = in + (int64_t)a->first[o] * C;
    int32_t sum[MAX_CHANNELS] = {HALF, HALF, HALF, HALF};
    for (int i = 0; i < a->count[o]; i++, from += C)
      for (int c = 0; c < C; c++) sum[c] += weight[i] * from[c];
    for (int c = 0; c < C; c++) out[c] = byte(sum[c]);
  }
}

/* Output row o of n bytes from rows of `in`, the first of which is number `first`, and which are `stride` bytes apart:
 * pieces of a row, of a length that the compiler knows. */
static void mix_rows(uint8_t *out, int64_t n, const uint8_t *in, int64_t stride, int o, int first,
                     const struct axis *a) {
  const int32_t *weight = a->weight + (int64_t)o * a->widest;
  in += (a->first[o] - first) * stride;
  for (int64_t at = 0; at < n; at += PIECE) {
    int32_t sum[PIECE];
    for (int k = 0; k < PIECE; k++) sum[k] = HALF;
    for (int i = 0; i < a->count[o]; i++)
      for (int k = 0; k < PIECE; k++) sum[k] += weight[i] * in[i * stride + at + k];
    for (int k = 0; k < PIECE && at + k < n; k++) out[at + k] = byte(sum[k]);
  }
}

/* in {H, W, C} -> between {rows of it that count, stride} -> out {window, C} */
static void resize(struct skp_image *out, uint8_t *between, int64_t stride, const struct skp_image *in, int first,
                   int count, const struct axis *columns, const struct axis *rows) {
  const int C = in->C;
  const int64_t row = (int64_t)out->W * C;
  for (int64_t h = 0; h < count; h++) {
    const uint8_t *from = in->pixels + (first + h) * in->W * C;
    if (C == 1)
      resize_row(between + h * stride, out->W, from, 1, columns);
    else if (C == 3)
      resize_row(between + h * stride, out->W, from, 3, columns);
    else
      resize_row(between + h * stride, out->W, from, C, columns);
  }
  for (int o = 0; o < out->H; o++) mix_rows(out->pixels + o * row, row, between, stride, o, first, rows);
}

static skp_status scale(struct skp_image *out, const struct skp_image *in, const struct axis *columns,
                        const struct axis *rows) {
  const int64_t stride = ((int64_t)out->W * in->C + PIECE - 1) / PIECE * PIECE;
  const int first = rows->first[0], count = rows->first[out->H - 1] + rows->count[out->H - 1] - first;
  uint8_t *between;
  SKP_TRY(skp__alloc(&between, (size_t)count, (size_t)stride));
  resize(out, between, stride, in, first, count, columns, rows);
  free(between);
  return SKP_OK;
}

skp_status skp__image_scale(struct skp_image *out, const struct skp_image *in, int H, int W,
                            const struct skp__box *window) {
  const struct skp__box w = *window;
  if (in->H < 1 || in->W < 1 || in->C < 1 || in->C > MAX_CHANNELS || w.height < 1 || w.width < 1 || w.top < 0 ||
      w.left < 0 || w.height > H - w.top || w.width > W - w.left || w.height > INT32_MAX / 4 / w.width)
    return skp__fail(SKP_SHAPE, "An image of %d × %d pixels, %d channels, cannot be resized to %d × %d.", in->W, in->H,
                     in->C, W, H);
  struct axis columns = {0}, rows = {0};
  skp_status status = skp__image_room(out, w.height, w.width, in->C);
  if (status == SKP_OK) status = make_axis(&columns, w.left, w.width, W, in->W);
  if (status == SKP_OK) status = make_axis(&rows, w.top, w.height, H, in->H);
  if (status == SKP_OK) status = scale(out, in, &columns, &rows);
  free_axis(&rows);
  free_axis(&columns);
  return status;
}

void skp__fit(int *H, int *W, int shorter) {
  enum { BEYOND = 1 << 30 }; /* the other side of what is a million times as long as it is wide */
  int64_t least = *H < *W ? *H : *W, rows = shorter * (int64_t)*H / least, columns = shorter * (int64_t)*W / least;
  *H = rows < BEYOND ? (int)rows : BEYOND;
  *W = columns < BEYOND ? (int)columns : BEYOND;
}

void skp__image_cut(struct skp_image *image, const struct skp__box *box) {
  const size_t row = (size_t)box->width * (size_t)image->C, stride = (size_t)image->W * (size_t)image->C;
  const uint8_t *from = image->pixels + (size_t)box->top * stride + (size_t)box->left * (size_t)image->C;
  if (box->height == image->H && box->width == image->W) return;
  for (int y = 0; y < box->height; y++) memmove(image->pixels + (size_t)y * row, from + (size_t)y * stride, row);
  image->H = box->height;
  image->W = box->width;
}
