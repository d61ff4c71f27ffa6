/* explain.c: see explain.h. SPDX-License-Identifier: MIT
 *
 *   image ─> itself, and with each patch covered ─> probabilities of the class ─> losses at the patches' middles
 *         ─> between them by their neighbours, over the image */
#include "train/evaluate/explain.h"
#include "base/array.h"
#include "base/bounds.h"
#include "io/png.h"
#include "train/evaluate/evaluate.h"
#include "train/evaluate/metrics.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GRID = 12, PATCHES = GRID * GRID, LEAST_SIDE = 224, MOST_SIDE = 640 };
static const double patch = 2.0 / 12; /* of a side; neighbours overlap by half */

/* A source of the image and its covered copies. */
struct covered {
  struct skp_source s; /* first */
  struct skp_image image;
  uint8_t mean[4];
};

/* ---- images ------------------------------------------------------------------------------------------------------ */

/* Middle k of GRID along a side, as a fraction. */
static double middle(int k) { return (k + 0.5) / GRID; }

/* The pixel of a line of n at which a fraction of it ends. */
static int place(double fraction, int n) { return skp__clamp((int)round(fraction * n), 0, n); }

static void cover(const struct covered *c, struct skp_image *out, int row, int column) {
  const int top = place(middle(row) - patch / 2, out->H), bottom = place(middle(row) + patch / 2, out->H);
  const int left = place(middle(column) - patch / 2, out->W), right = place(middle(column) + patch / 2, out->W);
  for (int h = top; h < bottom; h++)
    for (int w = left; w < right; w++)
      memcpy(out->pixels + ((size_t)h * (size_t)out->W + (size_t)w) * (size_t)out->C, c->mean, (size_t)out->C);
}

/* Number 0 is the image as it is. */
static skp_status deliver(const struct skp_source *s, int64_t i, struct skp_image *out, int32_t *label) {
  const struct covered *c = (const struct covered *)s;
  *label = -1;
  if (!out) return SKP_OK;
  SKP_TRY(skp__image_room(out, s->H, s->W, s->C));
  memcpy(out->pixels, c->image.pixels, (size_t)s->H * (size_t)s->W * (size_t)s->C);
  if (i) cover(c, out, (int)(i - 1) / GRID, (int)(i - 1) % GRID);
  return SKP_OK;
}

static void find_mean(struct covered *c) {
  const size_t pixels = (size_t)c->image.H * (size_t)c->image.W, C = (size_t)c->image.C;
  for (size_t k = 0; k < C; k++) {
    double sum = 0;
    for (size_t p = 0; p < pixels; p++) sum += c->image.pixels[p * C + k];
    c->mean[k] = (uint8_t)round(sum / (double)pixels);
  }
}

static skp_status open_covered(struct covered *c, const struct skp_source *source, int64_t i) {
  int32_t label;
  *c = (struct covered){.s = {.n = 1 + PATCHES, .image = deliver}};
  SKP_TRY(source->image(source, i, &c->image, &label));
  if (!c->image.H || c->image.values)
    return skp__fail(SKP_UNSUPPORTED, "Only images of bytes that can be read can be explained.");
  c->s.name = source->name;
  c->s.H = c->image.H;
  c->s.W = c->image.W;
  c->s.C = c->image.C;
  find_mean(c);
  return SKP_OK;
}

/* ---- the losses -------------------------------------------------------------------------------------------------- */

/* By how much covering each patch lowers the probability of the class that is predicted for the image as it is. */
static skp_status take_losses(double loss[PATCHES], float *logits, int classes) {
  const int class = skp__prediction(logits, classes, -1).predicted;
  if (class < 0) return skp__fail(SKP_NUMERIC, "The network's prediction is not finite.");
  for (int i = 0; i <= PATCHES; i++) skp__softmax(logits + (size_t)i * (size_t)classes, classes);
  for (int i = 0; i < PATCHES; i++) {
    const double left = (double)logits[(size_t)(i + 1) * (size_t)classes + (size_t) class];
    loss[i] = isfinite(left) ? (double)logits[class] - left : 0;
  }
  return SKP_OK;
}

static skp_status ask(double loss[PATCHES], struct skp_session *s, const struct covered *c, int threads) {
  enum { BATCH = 64 };
  const int classes = s->model->recipe.classes;
  struct skp_eval_result result;
  float *logits;
  SKP_TRY(skp__alloc(&logits, (1 + PATCHES) * (size_t)classes, sizeof *logits));
  const int64_t usual = s->model->recipe.batch, batch = usual < BATCH ? usual : BATCH;
  skp_status status = skp__evaluate(s, &c->s, batch, threads, &result, logits, NULL);
  if (status == SKP_OK) status = take_losses(loss, logits, classes);
  free(logits);
  return status;
}

/* ---- the picture ------------------------------------------------------------------------------------------------- */

/* At a place (0 to 1), by the four patches whose middles are around it. */
static double between(const double loss[PATCHES], double y, double x) {
  const double gy = fmin(fmax(y * GRID - 0.5, 0), GRID - 1), gx = fmin(fmax(x * GRID - 0.5, 0), GRID - 1);
  const int row = (int)fmin(floor(gy), GRID - 2), column = (int)fmin(floor(gx), GRID - 2);
  const double fy = gy - row, fx = gx - column, *at = loss + row * GRID + column;
  return (1 - fy) * ((1 - fx) * at[0] + fx * at[1]) + fy * ((1 - fx) * at[GRID] + fx * at[GRID + 1]);
}

static int grey(const struct skp_image *image, int h, int w) {
  return skp__grey_of(image->pixels + ((size_t)h * (size_t)image->W + (size_t)w) * (size_t)image->C, image->C);
}

/* RGB of H × W, the image scaled by the nearest pixels. */
static void paint(uint8_t *rgb, int H, int W, const struct skp_image *image, const double loss[PATCHES]) {
  static const double for_it[3] = {225, 40, 20}, against_it[3] = {30, 90, 230};
  double most = 1e-9;
  for (int i = 0; i < PATCHES; i++) most = fmax(most, fabs(loss[i]));
  for (int h = 0; h < H; h++)
    for (int w = 0; w < W; w++, rgb += 3) {
      const double heat = between(loss, (h + 0.5) / H, (w + 0.5) / W) / most, share = 0.7 * fabs(heat);
      const double g = grey(image, (int)((int64_t)h * image->H / H), (int)((int64_t)w * image->W / W));
      for (int k = 0; k < 3; k++)
        rgb[k] = (uint8_t)round((1 - share) * g + share * (heat > 0 ? for_it : against_it)[k]);
    }
}

/* A size at which it can be looked at. */
static void choose_size(int *H, int *W, const struct skp_image *image) {
  const int larger = image->H > image->W ? image->H : image->W;
  const double scale = larger > MOST_SIDE    ? (double)MOST_SIDE / larger
                       : larger < LEAST_SIDE ? ceil((double)LEAST_SIDE / larger)
                                             : 1;
  *H = (int)fmax(1, round(scale * image->H));
  *W = (int)fmax(1, round(scale * image->W));
}

static skp_status make_picture(void **png, size_t *size, const struct skp_image *image, const double loss[PATCHES]) {
  int H, W;
  uint8_t *rgb;
  choose_size(&H, &W, image);
  SKP_TRY(skp__alloc(&rgb, (size_t)H * (size_t)W * 3, 1));
  paint(rgb, H, W, image, loss);
  skp_status status = skp__png_encode(png, size, rgb, H, W, 3);
  free(rgb);
  return status;
}

skp_status skp__explain(struct skp_session *s, const struct skp_source *source, int64_t i, int threads, void **png,
                        size_t *size) {
  struct covered c;
  double loss[PATCHES];
  skp_status status = open_covered(&c, source, i);
  if (status == SKP_OK) status = ask(loss, s, &c, threads);
  *png = NULL;
  if (status == SKP_OK) status = make_picture(png, size, &c.image, loss);
  skp__image_free(&c.image);
  return status;
}
