/* format.c: what the readers of the picture formats share. SPDX-License-Identifier: MIT */
#include "data/format.h"
#include <string.h>

skp_status skp__fail_truncated(const struct skp__file *f, const char *format) {
  return skp__fail(SKP_FORMAT, "%s is truncated: the %s data end too early.", f->name, format);
}

skp_status skp__fail_decoding(const struct skp__file *f, const char *why) {
  return skp__fail(SKP_FORMAT, "%s cannot be decoded: %s.", f->name, why);
}

skp_status skp__image_size(struct skp_image *image, uint64_t H, uint64_t W, bool grey, const struct skp__file *f) {
  if (!H || !W) return skp__fail(SKP_FORMAT, "%s has no pixels.", f->name);
  if (H > SKP__MAX_PIXELS / W)
    return skp__fail(SKP_FORMAT, "%s tells of %llu × %llu pixels; at most %llu are decoded.", f->name,
                     (unsigned long long)W, (unsigned long long)H, (unsigned long long)SKP__MAX_PIXELS);
  image->H = (int)H;
  image->W = (int)W;
  image->C = grey ? 1 : 3;
  image->faint = false;
  return SKP_OK;
}

skp_status skp__image_rgb(struct skp_image *image, uint64_t H, uint64_t W, const struct skp__file *f) {
  SKP_TRY(skp__image_size(image, H, W, false, f));
  return skp__image_room(image, image->H, image->W, image->C);
}

void skp__rgb_from_cmyk(uint8_t *rgb, const uint8_t *cmyk, size_t pixels) {
  for (size_t i = 0; i < pixels; i++)
    for (size_t c = 0; c < 3; c++) rgb[3 * i + c] = (uint8_t)((cmyk[4 * i + c] * cmyk[4 * i + 3] + 127) / 255);
}

void skp__palette_complete(struct skp__palette *palette) {
  bool ramp = true;
  for (int i = 0; i < palette->n; i++)
    for (int c = 0; c < 3; c++) ramp = ramp && palette->rgb[i][c] == i;
  for (int i = palette->n; i < 256; i++) memset(palette->rgb[i], ramp ? i : 0, 3);
}

bool skp__palette_grey(const struct skp__palette *palette) {
  bool grey = true;
  for (int i = 0; i < palette->n; i++)
    grey = grey && palette->rgb[i][0] == palette->rgb[i][1] && palette->rgb[i][0] == palette->rgb[i][2];
  return grey;
}
