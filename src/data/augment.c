/* augment.c: see augment.h. SPDX-License-Identifier: MIT
 *
 * Sizes, offsets and chances are those of torchvision (torchvision/transforms/transforms.py), where it has the transform. */
#include "data/augment.h"
#include "base/random.h"
#include "data/data.h"
#include <math.h>
#include <string.h>

/* Keep these numbers apart from others of the same seed. */
static const uint64_t of_images = 0x6175676d656e74, of_batches = 0x6d69787570;

/* ---- drawing a view --------------------------------------------------------------------------------------------- */

struct drawing {
  struct skp__view *v;
  const struct skp_image *image;
  const struct skp_augment *a;
  int64_t epoch;
};

static int below(struct skp__random *r, int n) { return (int)skp__random_below(r, (uint32_t)n); }
static int clamp(int v, int low, int high) { return v < low ? low : v > high ? high : v; }

/* Half of n, rounded to even as Python's round() does it. */
static int half(int n) { return n / 2 + (n % 4 == 3); }

/* Scales to this size and takes the middle. */
static void scale_to(struct skp__view *v, int H, int W) {
  v->scaled_h = H;
  v->scaled_w = W;
  v->top = half(H - v->H);
  v->left = half(W - v->W);
}

/* The sides of rectangles: their share of the whole area, and a to b. */
struct sides {
  double least, most, from, to;
};

static void draw_sides(int *a, int *b, const struct sides *s, double area, struct skp__random *r) {
  double target = area * skp__random_between(r, s->least, s->most);
  double ratio = exp(skp__random_between(r, log(s->from), log(s->to)));
  *a = (int)rint(sqrt(target * ratio));
  *b = (int)rint(sqrt(target / ratio));
}

enum { TRIES = 10 }; /* torchvision's number for both */

/* RandomResizedCrop; where nothing fits, the largest part in the middle of an allowed shape. */
static void draw_part(const struct drawing *d, struct skp__random *r) {
  const int H = d->image->H, W = d->image->W;
  const struct sides sides = {d->a->least_area, 1, 3.0 / 4, 4.0 / 3};
  const double ratio = (double)W / H;
  struct skp__box *part = &d->v->part;
  scale_to(d->v, d->v->H, d->v->W);
  for (int i = 0; i < TRIES; i++) {
    int h, w;
    draw_sides(&w, &h, &sides, (double)H * W, r);
    if (h < 1 || w < 1 || h > H || w > W) continue;
    *part = (struct skp__box){below(r, H - h + 1), 0, h, w};
    part->left = below(r, W - w + 1);
    return;
  }
  if (ratio < sides.from) part->height = clamp((int)rint(W / sides.from), 1, H);
  if (ratio > sides.to) part->width = clamp((int)rint(H * sides.to), 1, W);
  part->top = (H - part->height) / 2;
  part->left = (W - part->width) / 2;
}

/* RandomCrop: each window of the padded image is as likely as the others. */
static void draw_crop(const struct drawing *d, struct skp__random *r) {
  struct skp__view *v = d->v;
  int pad = d->a->crop_padding, rows = v->scaled_h + 2 * pad - v->H, columns = v->scaled_w + 2 * pad - v->W;
  if (rows >= 0) v->top = below(r, rows + 1) - pad;
  if (columns >= 0) v->left = below(r, columns + 1) - pad;
}

static void draw_flip(const struct drawing *d, struct skp__random *r) { d->v->mirror = below(r, 2); }

/* The middle of the square is anywhere in the input, so that a part of it may fall outside. */
static void draw_cutout(const struct drawing *d, struct skp__random *r) {
  int side = d->a->cutout, top = below(r, d->v->H) - side / 2, left = below(r, d->v->W) - side / 2;
  int bottom = clamp(top + side, 0, d->v->H), right = clamp(left + side, 0, d->v->W);
  top = clamp(top, 0, d->v->H);
  left = clamp(left, 0, d->v->W);
  d->v->hole[0] = (struct skp__box){top, left, bottom - top, right - left};
}

/* RandomErasing with its defaults. */
static void draw_erasing(const struct drawing *d, struct skp__random *r) {
  static const struct sides sides = {0.02, 0.33, 0.3, 3.3};
  const int H = d->v->H, W = d->v->W;
  if (skp__random_uniform(r) >= d->a->erasing) return;
  for (int i = 0; i < TRIES; i++) {
    int h, w;
    draw_sides(&h, &w, &sides, (double)H * W, r);
    if (h >= H || w >= W) continue;
    d->v->hole[1] = (struct skp__box){below(r, H - h + 1), 0, h, w};
    d->v->hole[1].left = below(r, W - w + 1);
    return;
  }
}

/* ColorJitter, with the changes in any order. */
static void draw_colour(const struct drawing *d, struct skp__random *r) {
  struct skp__colour *colour = &d->v->colour;
  for (int i = 0; i < SKP_COLOURS; i++) {
    double reach = d->a->jitter[i], low = i == SKP_HUE ? -reach : fmax(0, 1 - reach), high = (i != SKP_HUE) + reach;
    colour->factor[i] = (float)skp__random_between(r, low, high);
  }
  for (int i = SKP_COLOURS - 1; i > 0; i--) {
    int j = below(r, i + 1), swap = colour->order[i];
    colour->order[i] = colour->order[j];
    colour->order[j] = swap;
  }
}

/* Views of test images: an image and its mirror image, a pixel from the middle to either side, so that two of them already differ in both. */
static void draw_fixed(const struct drawing *d, struct skp__random *r) {
  static const struct { int step, mirror; } views[] = {{-1, 0}, {1, 1}, {-1, 1}, {1, 0}};
  const int64_t i = d->epoch % d->a->views;
  (void)r;
  d->v->top += views[i].step;
  d->v->left += views[i].step;
  d->v->mirror = views[i].mirror;
  d->v->reflect = true;
}

static bool wants_fixed(const struct skp_augment *a) { return a->views > 1; }
static bool wants_part(const struct skp_augment *a) { return a->least_area > 0; }
static bool wants_crop(const struct skp_augment *a) { return a->crop; }
static bool wants_flip(const struct skp_augment *a) { return a->flip; }
static bool wants_cutout(const struct skp_augment *a) { return a->cutout > 0; }
static bool wants_erasing(const struct skp_augment *a) { return a->erasing > 0; }

static bool wants_colour(const struct skp_augment *a) {
  bool any = false;
  for (int i = 0; i < SKP_COLOURS; i++) any = any || a->jitter[i] > 0;
  return any;
}

/* Each draws from a stream of its own, its place here, so that switching one on leaves the others' choices. */
static const struct {
  bool (*wanted)(const struct skp_augment *a);
  void (*draw)(const struct drawing *d, struct skp__random *r);
} transforms[] = {
    {wants_part, draw_part},       {wants_crop, draw_crop},     {wants_flip, draw_flip},   {wants_cutout, draw_cutout},
    {wants_erasing, draw_erasing}, {wants_colour, draw_colour}, {wants_fixed, draw_fixed},
};

void skp__view_draw(struct skp__view *v, int H, int W, int shorter, const struct skp_image *image,
                    const struct skp_augment *a, uint64_t seed, int64_t epoch, int64_t sample) {
  const uint64_t key = skp__random_bits(seed ^ of_images, (uint64_t)epoch, (uint64_t)sample);
  const struct drawing d = {v, image, a, epoch};
  int rows = image->H, columns = image->W;
  *v = (struct skp__view){.part = {0, 0, image->H, image->W}, .H = H, .W = W, .reflect = a->crop_reflect};
  if (shorter) skp__fit(&rows, &columns, shorter);
  scale_to(v, rows, columns);
  for (int i = 0; i < SKP_COLOURS; i++) v->colour.factor[i] = i != SKP_HUE, v->colour.order[i] = i;
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

void skp__normalising(float table[][SKP_LEVELS], int C, const float *mean, const float *std, int n) {
  for (int c = 0; c < C; c++) {
    int from = c < n ? c : n - 1;
    float m = from < 0 ? 0 : mean[from], s = from < 0 ? 1 : std[from];
    for (int v = 0; v < SKP_LEVELS; v++) table[c][v] = ((float)v / 255.0f - m) / s;
  }
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

static void punch(float *out, const struct skp__view *v, const struct skp__box *hole, int C) {
  for (int y = hole->top; y < hole->top + hole->height; y++)
    memset(out + ((int64_t)y * v->W + hole->left) * C, 0, (size_t)hole->width * (size_t)C * sizeof *out);
}

static void render_window(float *out, const struct skp__view *v, const struct skp_image *image,
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
}

skp_status skp__view_render(float *out, const struct skp__view *v, struct skp_image *image, struct skp_image *spare,
                            const float table[][SKP_LEVELS], int *column) {
  skp__image_cut(image, &v->part);
  if (image->H != v->scaled_h || image->W != v->scaled_w) {
    SKP_TRY(skp__image_scale(spare, image, v->scaled_h, v->scaled_w));
    image = spare;
  }
  skp__colour_change(image, &v->colour);
  render_window(out, v, image, table, column);
  for (int i = 0; i < 2; i++) punch(out, v, &v->hole[i], image->C);
  return SKP_OK;
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
