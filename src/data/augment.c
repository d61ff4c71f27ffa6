/* augment.c: see augment.h. SPDX-License-Identifier: MIT
 *
 * Sizes, offsets and chances are those of torchvision
 * (torchvision/transforms/transforms.py), where it has the transform. */
#include "data/augment.h"
#include "base/bounds.h"
#include "base/random.h"
#include "data/image.h"
#include <math.h>
#include <string.h>

static const uint64_t of_images = 0x6175676d656e74; /* keeps these numbers apart from others of the same seed */

/* ---- drawing a view --------------------------------------------------------------------------------------------- */

struct drawing {
  struct skp__view *v;
  const struct skp_image *image;
  const struct skp_augment *a;
  int64_t epoch;
};

static int below(struct skp__random *r, int n) { return (int)skp__random_below(r, (uint32_t)n); }

/* Half of n, rounded to even as Python's round() does it. */
static int half(int n) { return n / 2 + (n % 4 == 3); }

/* Scales to this size and takes the middle. */
static void scale_to(struct skp__view *v, int H, int W) {
  v->scaled_h = H;
  v->scaled_w = W;
  v->top = half(H - v->H);
  v->left = half(W - v->W);
}

/* The sides of rectangles: their fraction of the whole area, and a to b. */
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
  const struct sides sides = {d->a->random_resized_crop, 1, 3.0 / 4, 4.0 / 3};
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
  if (ratio < sides.from) part->height = skp__clamp((int)rint(W / sides.from), 1, H);
  if (ratio > sides.to) part->width = skp__clamp((int)rint(H * sides.to), 1, W);
  part->top = (H - part->height) / 2;
  part->left = (W - part->width) / 2;
}

/* RandomCrop: each window of the padded image is as likely as the others. */
static void draw_crop(const struct drawing *d, struct skp__random *r) {
  struct skp__view *v = d->v;
  int pad = (int)d->a->crop_padding, rows = v->scaled_h + 2 * pad - v->H, columns = v->scaled_w + 2 * pad - v->W;
  v->reflect = d->a->crop_reflect;
  if (rows >= 0) v->top = below(r, rows + 1) - pad;
  if (columns >= 0) v->left = below(r, columns + 1) - pad;
}

static void draw_flip(const struct drawing *d, struct skp__random *r) { d->v->mirror = below(r, 2); }

/* The middle of the square is anywhere in the input, so that a part of it may fall outside. */
static void draw_cutout(const struct drawing *d, struct skp__random *r) {
  int side = (int)d->a->cutout, top = below(r, d->v->H) - side / 2, left = below(r, d->v->W) - side / 2;
  int bottom = skp__clamp(top + side, 0, d->v->H), right = skp__clamp(left + side, 0, d->v->W);
  top = skp__clamp(top, 0, d->v->H);
  left = skp__clamp(left, 0, d->v->W);
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
  static const skp__change_kind kinds[] = {SKP_BRIGHTNESS, SKP_CONTRAST, SKP_SATURATION, SKP_HUE};
  const double reaches[] = {d->a->brightness, d->a->contrast, d->a->saturation, d->a->hue};
  struct skp__change drawn[4];
  for (int i = 0; i < 4; i++) {
    const double middle = kinds[i] != SKP_HUE, low = middle - reaches[i];
    drawn[i].kind = kinds[i];
    drawn[i].amount = skp__random_between(r, kinds[i] == SKP_HUE ? low : fmax(0, low), middle + reaches[i]);
  }
  for (int i = 3; i > 0; i--) {
    const int j = below(r, i + 1);
    const struct skp__change swap = drawn[i];
    drawn[i] = drawn[j];
    drawn[j] = swap;
  }
  for (int i = 0; i < 4; i++)
    if (drawn[i].amount != (drawn[i].kind != SKP_HUE)) skp__view_add(d->v, drawn[i]);
}

static void draw_trivial(const struct drawing *d, struct skp__random *r) {
  skp__policy_draw(d->v, SKP_TRIVIAL_AUGMENT, -1, r);
}

static void draw_rand(const struct drawing *d, struct skp__random *r) {
  for (int64_t i = 0; i < d->a->rand_augment_ops; i++) skp__policy_draw(d->v, SKP_RAND_AUGMENT, d->a->rand_augment, r);
}

/* GaussianBlur, whose kernel reaches as far as the drawn sigma needs. */
static void draw_blur(const struct drawing *d, struct skp__random *r) {
  const double sigma = skp__random_between(r, fmin(0.1, d->a->blur), d->a->blur);
  skp__view_add(d->v, (struct skp__change){SKP_BLUR, sigma});
}

/* RandomRotation, of the nearest pixels; corners that nothing comes to are black. */
static void draw_rotate(const struct drawing *d, struct skp__random *r) {
  const double degrees = skp__random_between(r, -d->a->rotate, d->a->rotate);
  skp__view_add(d->v, (struct skp__change){SKP_ROTATE, degrees});
}

/* Views of test images: an image and its mirror image, a pixel from the middle to either
 * side, so that two of them already differ in both. */
static void draw_fixed(const struct drawing *d, struct skp__random *r) {
  static const struct { int step, mirror; } views[] = {{-1, 0}, {1, 1}, {-1, 1}, {1, 0}};
  const int64_t i = d->epoch % skp__clamp(d->a->views, 1, sizeof views / sizeof *views);
  (void)r;
  d->v->top += views[i].step;
  d->v->left += views[i].step;
  d->v->mirror = views[i].mirror;
  d->v->reflect = true;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static bool wants_part(const struct skp_augment *a) { return a->random_resized_crop > 0; }
static bool wants_crop(const struct skp_augment *a) { return a->crop || a->crop_padding > 0; }
static bool wants_flip(const struct skp_augment *a) { return a->flip; }
static bool wants_cutout(const struct skp_augment *a) { return a->cutout > 0; }
static bool wants_erasing(const struct skp_augment *a) { return a->erasing > 0; }
static bool wants_fixed(const struct skp_augment *a) { return a->views > 1; }
static bool wants_trivial(const struct skp_augment *a) { return a->trivial_augment; }
static bool wants_rand(const struct skp_augment *a) { return a->rand_augment > 0; }
static bool wants_mixup(const struct skp_augment *a) { return a->mixup > 0; }
static bool wants_cutmix(const struct skp_augment *a) { return a->cutmix > 0; }
static bool wants_blur(const struct skp_augment *a) { return a->blur > 0; }
static bool wants_rotate(const struct skp_augment *a) { return a->rotate > 0; }
static bool wants_colour(const struct skp_augment *a) {
  return a->brightness > 0 || a->contrast > 0 || a->saturation > 0 || a->hue > 0;
}

static void say_part(struct skp__text *text, const struct skp_augment *a) {
  skp__text_add(text, "random resized crop from %g", a->random_resized_crop);
}

static void say_crop(struct skp__text *text, const struct skp_augment *a) {
  skp__text_add(text, "random crop");
  if (a->crop_padding) skp__text_add(text, " with %lld pixels around", (long long)a->crop_padding);
}

static void say_flip(struct skp__text *text, const struct skp_augment *a) {
  (void)a;
  skp__text_add(text, "horizontal flip");
}

static void say_cutout(struct skp__text *text, const struct skp_augment *a) {
  skp__text_add(text, "cutout %lld", (long long)a->cutout);
}

static void say_erasing(struct skp__text *text, const struct skp_augment *a) {
  skp__text_add(text, "random erasing %g", a->erasing);
}

static void say_colour(struct skp__text *text, const struct skp_augment *a) {
  skp__text_add(text, "colour jitter %g/%g/%g/%g", a->brightness, a->contrast, a->saturation, a->hue);
}

static void say_fixed(struct skp__text *text, const struct skp_augment *a) {
  skp__text_add(text, "%d views", a->views);
}

static void say_trivial(struct skp__text *text, const struct skp_augment *a) {
  (void)a;
  skp__text_add(text, "TrivialAugment");
}

static void say_rand(struct skp__text *text, const struct skp_augment *a) {
  skp__text_add(text, "RandAugment %lld times at %lld", (long long)a->rand_augment_ops, (long long)a->rand_augment);
}

static void say_mixup(struct skp__text *text, const struct skp_augment *a) {
  skp__text_add(text, "mixup %g", a->mixup);
}

static void say_cutmix(struct skp__text *text, const struct skp_augment *a) {
  skp__text_add(text, "cutmix %g", a->cutmix);
}

static void say_blur(struct skp__text *text, const struct skp_augment *a) { skp__text_add(text, "blur %g", a->blur); }

static void say_rotate(struct skp__text *text, const struct skp_augment *a) {
  skp__text_add(text, "rotation by up to %g degrees", a->rotate);
}

/* Each draws from a stream of its own, its place here, so that switching one on leaves the others' choices: new ones go
 * to the end. Those without `draw` concern whole batches (mix.c). */
static const struct {
  bool (*wanted)(const struct skp_augment *a);
  void (*draw)(const struct drawing *d, struct skp__random *r);
  void (*say)(struct skp__text *text, const struct skp_augment *a);
} transforms[] = {
    {wants_part, draw_part, say_part},          {wants_crop, draw_crop, say_crop},
    {wants_flip, draw_flip, say_flip},          {wants_cutout, draw_cutout, say_cutout},
    {wants_erasing, draw_erasing, say_erasing}, {wants_colour, draw_colour, say_colour},
    {wants_fixed, draw_fixed, say_fixed},       {wants_trivial, draw_trivial, say_trivial},
    {wants_rand, draw_rand, say_rand},          {wants_mixup, NULL, say_mixup},
    {wants_cutmix, NULL, say_cutmix},           {wants_blur, draw_blur, say_blur},
    {wants_rotate, draw_rotate, say_rotate},
};

enum { TRANSFORMS = sizeof transforms / sizeof *transforms };

void skp__augment_describe(struct skp__text *text, const struct skp_augment *a) {
  for (int t = 0, said = 0; t < TRANSFORMS; t++) {
    if (!transforms[t].wanted(a)) continue;
    skp__text_add(text, "%s", said++ ? ", " : "");
    transforms[t].say(text, a);
  }
}

bool skp__augment_keeps_bytes(const struct skp_augment *a) {
  return !wants_cutout(a) && !wants_erasing(a) && !skp__augment_mixes(a);
}

void skp__view_draw(struct skp__view *v, int H, int W, int shorter, const struct skp_image *image,
                    const struct skp_augment *a, uint64_t seed, int64_t epoch, int64_t sample) {
  const uint64_t key = skp__random_bits(seed ^ of_images, (uint64_t)epoch, (uint64_t)sample);
  const struct drawing d = {v, image, a, epoch};
  int rows = image->H, columns = image->W;
  *v = (struct skp__view){.part = {0, 0, image->H, image->W}, .H = H, .W = W};
  if (shorter) skp__fit(&rows, &columns, shorter);
  scale_to(v, rows, columns);
  for (int t = 0; t < TRANSFORMS; t++) {
    struct skp__random r = skp__random_start(key, (uint64_t)t);
    if (transforms[t].draw && transforms[t].wanted(a)) transforms[t].draw(&d, &r);
  }
}

/* ---- rendering it ----------------------------------------------------------------------------------------------- */

/* Where position i of a line of n pixels is found: beyond the ends nowhere (-1), or mirrored at the pixels there. */
static int source_of(int i, int n, bool reflect) {
  if (i >= 0 && i < n) return i;
  return reflect ? skp__reflected(i, n) : -1;
}

void skp__normalising(float table[][SKP_LEVELS], int C, const float *mean, const float *std, int n) {
  for (int c = 0; c < C; c++) {
    int from = c < n ? c : n - 1;
    float m = from < 0 ? 0 : mean[from], s = from < 0 ? 1 : std[from];
    for (int v = 0; v < SKP_LEVELS; v++) table[c][v] = ((float)v / 255.0f - m) / s;
  }
}

static inline void frame_row(uint8_t *restrict out, const uint8_t *row, const int *column, int W, int C) {
  static const uint8_t black[4];
  for (int x = 0; x < W; x++) memcpy(out + x * C, row && column[x] >= 0 ? row + column[x] : black, (size_t)C);
}

/* The pixels from *first on, of a line of n, that are found at `wanted` positions from `at` on; one at least. */
static void span(int *first, int *count, int at, int wanted, int n, bool reflect) {
  int low = n, high = -1;
  for (int i = at; i < at + wanted; i++) {
    const int from = source_of(i, n, reflect);
    if (from >= 0 && from < low) low = from;
    if (from > high) high = from;
  }
  *first = high < 0 ? 0 : low;
  *count = high < 0 ? 1 : high - low + 1;
}

/* The part of the scaled image that the window shows. */
static struct skp__box shown(const struct skp__view *v) {
  struct skp__box b;
  span(&b.top, &b.height, v->top, v->H, v->scaled_h, v->reflect);
  span(&b.left, &b.width, v->left, v->W, v->scaled_w, v->reflect);
  return b;
}

/* Cuts out the window, of which the image is the part `there` of the scaled one; pixels from nowhere are black. column:
 * byte offsets in a row. */
static void frame(struct skp_image *out, const struct skp__view *v, const struct skp_image *image,
                  const struct skp__box *there, int *column) {
  const int C = image->C;
  for (int x = 0; x < v->W; x++) {
    int from = source_of(v->left + (v->mirror ? v->W - 1 - x : x), v->scaled_w, v->reflect);
    column[x] = from < 0 ? -1 : (from - there->left) * C;
  }
  for (int y = 0; y < v->H; y++) {
    int from = source_of(v->top + y, v->scaled_h, v->reflect);
    const uint8_t *row = from < 0 ? NULL : image->pixels + (int64_t)(from - there->top) * image->W * C;
    uint8_t *to = out->pixels + (int64_t)y * v->W * C;
    if (C == 1) /* with the number of channels known beforehand it is twice as fast */
      frame_row(to, row, column, v->W, 1);
    else if (C == 3)
      frame_row(to, row, column, v->W, 3);
    else
      frame_row(to, row, column, v->W, C);
  }
}

static bool is_framed(const struct skp__view *v, const struct skp__box *there) {
  return !v->mirror && v->top == there->top && v->left == there->left && v->H == there->height && v->W == there->width;
}

static inline void normalise_pixels(float *restrict out, const uint8_t *p, int64_t n, int C,
                                    const float table[][SKP_LEVELS]) {
  for (int64_t i = 0; i < n; i++)
    for (int c = 0; c < C; c++) out[i * C + c] = table[c][p[i * C + c]];
}

static void normalise(float *out, const struct skp_image *image, const float table[][SKP_LEVELS]) {
  const int64_t n = (int64_t)image->H * image->W;
  if (image->C == 1)
    normalise_pixels(out, image->pixels, n, 1, table);
  else if (image->C == 3)
    normalise_pixels(out, image->pixels, n, 3, table);
  else
    normalise_pixels(out, image->pixels, n, image->C, table);
}

static void punch(float *out, const struct skp__view *v, const struct skp__box *hole, int C) {
  for (int y = hole->top; y < hole->top + hole->height; y++)
    memset(out + ((int64_t)y * v->W + hole->left) * C, 0, (size_t)hole->width * (size_t)C * sizeof *out);
}

/* Each stage makes the image anew in the spare one, which takes its place. */
skp_status skp__view_show(const struct skp__view *v, struct skp_image *image, struct skp_image *spare, int *column) {
  struct skp__box there = {0, 0, v->scaled_h, v->scaled_w};
  skp__image_cut(image, &v->part);
  if (image->H != v->scaled_h || image->W != v->scaled_w) {
    there = shown(v);
    SKP_TRY(skp__image_scale(spare, image, v->scaled_h, v->scaled_w, &there));
    skp__image_swap(image, spare);
  }
  if (!is_framed(v, &there)) {
    SKP_TRY(skp__image_room(spare, v->H, v->W, image->C));
    frame(spare, v, image, &there, column);
    skp__image_swap(image, spare);
  }
  for (int i = 0; i < v->changes; i++) SKP_TRY(skp__image_change(image, spare, &v->change[i]));
  return SKP_OK;
}

skp_status skp__view_render(float *out, const struct skp__view *v, struct skp_image *image, struct skp_image *spare,
                            const float table[][SKP_LEVELS], int *column) {
  SKP_TRY(skp__view_show(v, image, spare, column));
  normalise(out, image, table);
  for (int i = 0; i < 2; i++) punch(out, v, &v->hole[i], image->C);
  return SKP_OK;
}
