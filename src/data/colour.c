/* colour.c: brightness, contrast, saturation and hue of an image in bytes. SPDX-License-Identifier: MIT
 *
 * The formulas are those of torchvision's ColorJitter on Pillow images (torchvision/transforms/_functional_pil.py, Pillow's
 * ImageEnhance and HSV mode), with float arithmetic and one rounding at the end of each:
 *   brightness  f · v                                contrast  m + f · (v - m), m the mean grey of the image, rounded
 *   saturation  g + f · (v - g), g the pixel's grey   hue       the pixel turned round the colour circle by f, 1 being all of it */
#include "data/augment.h"
#include "data/data.h"
#include <math.h>

static uint8_t to_byte(float v) { return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5f); }

/* Rec. 601 luma in 16 bits, as Pillow's convert("L"). */
static int grey_of(const uint8_t *p, int C) {
  return C < 3 ? p[0] : (19595 * p[0] + 38470 * p[1] + 7471 * p[2] + (1 << 15)) >> 16;
}

/* Every byte on its way from `grey` to it and beyond. */
static void scale_from(struct skp_image *image, int grey, float factor) {
  uint8_t table[SKP_LEVELS];
  for (int v = 0; v < SKP_LEVELS; v++) table[v] = to_byte((float)grey + factor * (float)(v - grey));
  int64_t n = (int64_t)image->H * image->W * image->C;
  for (int64_t i = 0; i < n; i++) image->pixels[i] = table[image->pixels[i]];
}

static void brightness(struct skp_image *image, float factor) { scale_from(image, 0, factor); }

static void contrast(struct skp_image *image, float factor) {
  int64_t n = (int64_t)image->H * image->W, sum = 0;
  for (int64_t i = 0; i < n; i++) sum += grey_of(image->pixels + i * image->C, image->C);
  scale_from(image, (int)((double)sum / (double)n + 0.5), factor);
}

static void saturation(struct skp_image *image, float factor) {
  if (image->C < 3) return;
  int64_t n = (int64_t)image->H * image->W * image->C;
  for (uint8_t *p = image->pixels; p < image->pixels + n; p += image->C) {
    float grey = (float)grey_of(p, image->C);
    for (int c = 0; c < 3; c++) p[c] = to_byte(grey + factor * ((float)p[c] - grey));
  }
}

static float larger(float a, float b) { return a > b ? a : b; }
static float smaller(float a, float b) { return a < b ? a : b; }

/* Value of a channel whose colour stands `at` sixths of the circle from the pixel's: full within one, none beyond two. */
static float channel(float most, float least, float at) {
  at = fabsf(at - 6 * floorf(at / 6 + 0.5f)); /* 0 … 3 */
  return least + (most - least) * larger(0, smaller(1, 2 - at));
}

static void turn_hue(uint8_t *p, float sixths) {
  const float r = p[0], g = p[1], b = p[2], most = larger(r, larger(g, b)), least = smaller(r, smaller(g, b));
  const float range = most - least;
  if (range == 0) return;
  float hue = most == r ? (g - b) / range : most == g ? 2 + (b - r) / range : 4 + (r - g) / range;
  hue += sixths;
  for (int c = 0; c < 3; c++) p[c] = to_byte(channel(most, least, hue - (float)(2 * c)));
}

static void hue(struct skp_image *image, float factor) {
  if (image->C < 3) return;
  int64_t n = (int64_t)image->H * image->W * image->C;
  for (uint8_t *p = image->pixels; p < image->pixels + n; p += image->C) turn_hue(p, 6 * factor);
}

/* What changes nothing. */
static float neutral(int which) { return which == SKP_HUE ? 0 : 1; }

void skp__colour_change(struct skp_image *image, const struct skp__colour *colour) {
  static void (*const changes[SKP_COLOURS])(struct skp_image *, float) = {
      [SKP_BRIGHTNESS] = brightness, [SKP_CONTRAST] = contrast, [SKP_SATURATION] = saturation, [SKP_HUE] = hue};
  for (int i = 0; i < SKP_COLOURS; i++) {
    int which = colour->order[i];
    if (colour->factor[which] != neutral(which)) changes[which](image, colour->factor[which]);
  }
}
