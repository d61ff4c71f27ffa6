/* augment.c: see augment.h. SPDX-License-Identifier: MIT
 *
 * Sizes, offsets and chances are those of torchvision 0.15 (torchvision/transforms/transforms.py), where it has the transform. */
#include "data/augment.h"
#include "base/random.h"
#include "data/data.h"
#include <string.h>

/* Keep these numbers apart from others of the same seed. */
static const uint64_t of_images = 0x6175676d656e74, of_batches = 0x6d69787570;

/* ---- drawing a view --------------------------------------------------------------------------------------------- */

struct drawing {
  struct skp__view *v;
  const struct skp_image *image;
  const struct skp_augment *a;
};

static int below(struct skp__random *r, int n) { return (int)skp__random_below(r, (uint32_t)n); }
static int clamp(int v, int low, int high) { return v < low ? low : v > high ? high : v; }

/* Half of n, rounded to even as Python's round() does it. */
static int half(int n) { return n / 2 + (n % 4 == 3); }

/* RandomCrop: each window of the padded image is as likely as the others. */
static void draw_crop(const struct drawing *d, struct skp__random *r) {
  int pad = d->a->crop_padding, rows = d->image->H + 2 * pad - d->v->H, columns = d->image->W + 2 * pad - d->v->W;
  if (rows >= 0) d->v->top = below(r, rows + 1) - pad;
  if (columns >= 0) d->v->left = below(r, columns + 1) - pad;
}

static void draw_flip(const struct drawing *d, struct skp__random *r) { d->v->mirror = below(r, 2); }

/* The middle of the square is anywhere in the input, so that a part of it may fall outside. */
static void draw_cutout(const struct drawing *d, struct skp__random *r) {
  int side = d->a->cutout, top = below(r, d->v->H) - side / 2, left = below(r, d->v->W) - side / 2;
  int bottom = clamp(top + side, 0, d->v->H), right = clamp(left + side, 0, d->v->W);
  top = clamp(top, 0, d->v->H);
  left = clamp(left, 0, d->v->W);
  d->v->hole = (struct skp__box){top, left, bottom - top, right - left};
}

static bool wants_crop(const struct skp_augment *a) { return a->crop; }
static bool wants_flip(const struct skp_augment *a) { return a->flip; }
static bool wants_cutout(const struct skp_augment *a) { return a->cutout > 0; }

/* Each draws from a stream of its own, its place here: switching one on leaves the others' choices. New ones come last. */
static const struct {
  bool (*wanted)(const struct skp_augment *a);
  void (*draw)(const struct drawing *d, struct skp__random *r);
} transforms[] = {
    {wants_crop, draw_crop},
    {wants_flip, draw_flip},
    {wants_cutout, draw_cutout},
};

void skp__view_draw(struct skp__view *v, int H, int W, const struct skp_image *image, const struct skp_augment *a,
                    uint64_t seed, int64_t epoch, int64_t sample) {
  const uint64_t key = skp__random_bits(seed ^ of_images, (uint64_t)epoch, (uint64_t)sample);
  const struct drawing d = {v, image, a};
  *v = (struct skp__view){.H = H, .W = W, .top = half(image->H - H), .left = half(image->W - W)};
  v->reflect = a->crop_reflect;
  for (uint64_t t = 0; t < sizeof transforms / sizeof *transforms; t++) {
    struct skp__random r = skp__random_start(key, t);
    if (transforms[t].wanted(a)) transforms[t].draw(&d, &r);
  }
}

/* ---- rendering it ----------------------------------------------------------------------------------------------- */

/* Where position i of a line of n pixels is found: beyond the ends nowhere (-1), or mirrored at the pixels there. */
static int source_of(int i, int n, bool reflect) {
  if (i >= 0 && i < n) return i;
  if (!reflect) return -1;
  if (n == 1) return 0;
  int period = 2 * (n - 1), at = i % period;
  if (at < 0) at += period;
  return at < n ? at : period - at;
}

/* One row of the window; pixels from nowhere are black. column: byte offsets in the row. */
static inline void render_row(float *restrict out, const uint8_t *row, const int *column, int W, int C,
                              const float table[][SKP_LEVELS]) {
  static const uint8_t black[4];
  for (int x = 0; x < W; x++) {
    const uint8_t *pixel = row && column[x] >= 0 ? row + column[x] : black;
    for (int c = 0; c < C; c++) out[x * C + c] = table[c][pixel[c]];
  }
}

static void punch(float *out, const struct skp__view *v, int C) {
  const struct skp__box *h = &v->hole;
  for (int y = h->top; y < h->top + h->height; y++)
    memset(out + ((int64_t)y * v->W + h->left) * C, 0, (size_t)h->width * (size_t)C * sizeof *out);
}

void skp__view_render(float *out, const struct skp__view *v, const struct skp_image *image,
                      const float table[][SKP_LEVELS], int *column) {
  const int C = image->C;
  const int64_t stride = (int64_t)v->W * C;
  for (int x = 0; x < v->W; x++) {
    int from = source_of(v->left + (v->mirror ? v->W - 1 - x : x), image->W, v->reflect);
    column[x] = from < 0 ? -1 : from * C;
  }
  for (int y = 0; y < v->H; y++) {
    int from = source_of(v->top + y, image->H, v->reflect);
    const uint8_t *row = from < 0 ? NULL : image->pixels + (int64_t)from * image->W * C;
    if (C == 1) /* with the number of channels known beforehand it is twice as fast */
      render_row(out + y * stride, row, column, v->W, 1, table);
    else if (C == 3)
      render_row(out + y * stride, row, column, v->W, 3, table);
    else
      render_row(out + y * stride, row, column, v->W, C, table);
  }
  punch(out, v, C);
}

/* ---- mixup ------------------------------------------------------------------------------------------------------ */

static void blend(float *restrict to, const float *restrict with, float share, int64_t values) {
  for (int64_t i = 0; i < values; i++) to[i] = share * to[i] + (1 - share) * with[i];
}

void skp__mixup(const struct skp__mixing *m, double alpha, uint64_t seed, int64_t epoch, int64_t batch, float *last) {
  struct skp__random r = skp__random_start(skp__random_bits(seed ^ of_batches, (uint64_t)epoch, (uint64_t)batch), 0);
  const double drawn = skp__random_beta(&r, alpha);
  const float share = (float)(drawn < 0.5 ? 1 - drawn : drawn);
  memcpy(last, m->x + (m->n - 1) * m->values, (size_t)m->values * sizeof *last);
  for (int64_t i = m->n - 1; i >= 0; i--) {
    blend(m->x + i * m->values, i ? m->x + (i - 1) * m->values : last, share, m->values);
    m->other[i] = m->labels[i ? i - 1 : m->n - 1];
    m->share[i] = share;
  }
}
