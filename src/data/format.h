/* format.h: what image.c and the readers of the formats share, one file each. SPDX-License-Identifier: MIT
 *
 * All formats are decoded to RGB, and grey is made from that, so that one rule gives the same grey for the same
 * picture. What a reader makes of a file is what Pillow's convert("RGB") makes of it;
 * where it differs, its file says so. */
#ifndef SKP_DATA_FORMAT_H
#define SKP_DATA_FORMAT_H

#include "data/image.h"

/* What is decoded at most. A fuzzer that came upon a large one would look at nothing else for a minute. */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#define SKP__MAX_PIXELS ((uint64_t)1 << 16)
#else
#define SKP__MAX_PIXELS ((uint64_t)1 << 28)
#endif

struct skp__file {
  const uint8_t *bytes;
  size_t size;
  const char *name; /* for people */
};

/* Checks the size that a header tells of, and keeps it. */
skp_status skp__image_size(struct skp_image *image, uint64_t H, uint64_t W, bool grey, const struct skp__file *f);
/* The same, and room for its pixels in RGB; their values are undefined. */
skp_status skp__image_rgb(struct skp_image *image, uint64_t H, uint64_t W, const struct skp__file *f);

skp_status skp__fail_truncated(const struct skp__file *f, const char *format);
skp_status skp__fail_decoding(const struct skp__file *f, const char *why);

/* RGB from the four colours of print, of which each byte tells how much paper is left
 * (as in JPEG files; others hold the ink). */
void skp__rgb_from_cmyk(uint8_t *rgb, const uint8_t *cmyk, size_t pixels);

/* A palette of n colours for pixels of up to 8 bits. Pixels beyond it are black; but
 * where it is a ramp of greys, the ramp goes on. */
struct skp__palette {
  uint8_t rgb[256][3];
  int n;
};
void skp__palette_complete(struct skp__palette *palette);
bool skp__palette_grey(const struct skp__palette *palette);

/* inspect: the size and whether it is grey, from a beginning of the file that holds its
 * header; decode: the pixels, too, with C = 3. */
#define FORMAT(name, reader, endings, ...)                                                                             \
  skp_status skp__inspect_##reader(struct skp_image *image, const struct skp__file *f);                                \
  skp_status skp__decode_##reader(struct skp_image *image, const struct skp__file *f);
#include "data/formats.def"
#undef FORMAT

#endif
