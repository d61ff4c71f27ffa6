/* image.c: pictures that nobody vouches for, of any format in formats.def. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "base/file.h"
#include "base/utf8.h"
#include "data/format.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_FILE ((int64_t)1 << 30)

/* ---- the table of formats ---------------------------------------------------------------------------------------- */

struct signature {
  const char *bytes;
  size_t n;
};

static const struct format {
  const char *endings;
  struct signature signature[4];
  skp_status (*inspect)(struct skp_image *image, const struct skp__file *f);
  skp_status (*decode)(struct skp_image *image, const struct skp__file *f);
} formats[] = {
#define SIGNATURE(bytes)                                                                                               \
  { bytes, sizeof bytes - 1 }
#define FORMAT(name, reader, endings, ...) {endings, {__VA_ARGS__}, skp__inspect_##reader, skp__decode_##reader},
#include "data/formats.def"
#undef FORMAT
#undef SIGNATURE
};

const char *skp__image_formats(void) {
  return &""
#define FORMAT(name, ...) ", " name
#include "data/formats.def"
#undef FORMAT
      [2];
}

const char *skp__image_endings(void) {
  return &""
#define FORMAT(name, reader, endings, ...) " " endings
#include "data/formats.def"
#undef FORMAT
      [1];
}

bool skp__image_named(const char *name) {
  const char *ending = strrchr(name, '.');
  size_t n = ending ? strlen(ending) : 0;
  for (const char *at = skp__image_endings(); n && *at; at += strspn(at, " ")) {
    size_t length = strcspn(at, " ");
    if (n == length && !strncasecmp(at, ending, n)) return true;
    at += length;
  }
  return false;
}

static bool begins_with(const struct skp__file *f, const struct signature *s) {
  bool same = s->n && f->size >= s->n;
  for (size_t i = 0; same && i < s->n; i++) same = s->bytes[i] == '?' || (uint8_t)s->bytes[i] == f->bytes[i];
  return same;
}

static skp_status find_format(const struct format **out, const struct skp__file *f) {
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    *out = &formats[i];
    for (size_t k = 0; k < sizeof formats->signature / sizeof *formats->signature; k++)
      if (begins_with(f, &formats[i].signature[k])) return SKP_OK;
  }
  return skp__fail(SKP_FORMAT, "%s is no picture of the formats that can be read (%s)%s.", f->name,
                   skp__image_formats(), f->size ? "" : "; it is empty");
}

/* ---- what the readers share -------------------------------------------------------------------------------------- */

skp_status skp__fail_truncated(const struct skp__file *f, const char *format) {
  return skp__fail(SKP_FORMAT, "%s is truncated: the %s data end too early.", f->name, format);
}

skp_status skp__fail_decoding(const struct skp__file *f, const char *why) {
  return skp__fail(SKP_FORMAT, "%s cannot be decoded: %s.", f->name, why);
}

skp_status skp__image_room(struct skp_image *image, int H, int W, int C) {
  size_t bytes = (size_t)H * (size_t)W * (size_t)C;
  if (bytes > image->room) {
    free(image->pixels);
    image->room = 0;
    SKP_TRY(skp__alloc(&image->pixels, bytes, 1));
    image->room = bytes;
  }
  image->H = H;
  image->W = W;
  image->C = C;
  image->values = NULL;
  return SKP_OK;
}

void skp__image_free(struct skp_image *image) {
  free(image->pixels);
  *image = (struct skp_image){.pixels = NULL};
}

void skp__image_swap(struct skp_image *a, struct skp_image *b) {
  const struct skp_image was = *a;
  *a = *b;
  *b = was;
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

/* ---- channels ---------------------------------------------------------------------------------------------------- */

/* Luma of Rec. 601 in 16-bit fixed point, in place; grey pictures stay as they are. */
static void make_grey(uint8_t *pixels, size_t n) {
  for (size_t i = 0; i < n; i++) {
    const uint8_t *p = pixels + 3 * i;
    pixels[i] = (uint8_t)((19595u * p[0] + 38470u * p[1] + 7471u * p[2] + 32768u) >> 16);
  }
}

/* From the last pixel to the first, as each one moves up. */
static skp_status make_rgb(struct skp_image *image) {
  size_t n = (size_t)image->H * (size_t)image->W;
  if (3 * n > image->room) {
    uint8_t *more = realloc(image->pixels, 3 * n);
    if (!more) return skp__fail_memory("an image", 3 * n);
    image->pixels = more;
    image->room = 3 * n;
  }
  for (size_t i = n; i-- > 0;) memset(image->pixels + 3 * i, image->pixels[i], 3);
  image->C = 3;
  return SKP_OK;
}

skp_status skp__image_set_channels(struct skp_image *image, int C) {
  if (image->C == C) return SKP_OK;
  if (image->C == 1 && C == 3) return make_rgb(image);
  if (image->C != 3 || C != 1)
    return skp__fail(SKP_UNSUPPORTED, "An image of %d channels cannot be given %d.", image->C, C);
  make_grey(image->pixels, (size_t)image->H * (size_t)image->W);
  image->C = 1;
  return SKP_OK;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static skp_status inspect(struct skp_image *out, const void *bytes, int64_t size, const char *name) {
  const struct skp__file f = {bytes, (size_t)size, name};
  const struct format *format;
  SKP_TRY(find_format(&format, &f));
  return format->inspect(out, &f);
}

skp_status skp__image_decode(struct skp_image *out, const void *bytes, size_t size, const char *name, int channels) {
  const struct skp__file f = {bytes, size, name};
  const struct format *format;
  if (channels != 1 && channels != 3)
    return skp__fail(SKP_UNSUPPORTED, "%s: images are decoded to 1 or 3 channels, not %d.", name, channels);
  SKP_TRY(find_format(&format, &f));
  SKP_TRY(format->decode(out, &f));
  return skp__image_set_channels(out, channels);
}

/* Of a file whose name is shown as `shown`. */
static skp_status read_image(struct skp_image *out, const char *path, const char *shown, int channels) {
  void *bytes;
  int64_t size;
  SKP_TRY(skp__file_read(&bytes, &size, path, MAX_FILE));
  skp_status status = skp__image_decode(out, bytes, (size_t)size, shown, channels);
  free(bytes);
  return status;
}

static skp_status inspect_file(struct skp_image *out, const char *path, const char *shown) {
  enum {
    HEAD = 1 << 16
  }; /* headers end within it but for those with large profiles or previews, or that lie at the end */
  char head[HEAD];
  void *bytes;
  int64_t size;
  SKP_TRY(skp__file_head(head, HEAD, &size, path));
  skp_status status = inspect(out, head, size, shown);
  if (status == SKP_OK || size < HEAD) return status;
  SKP_TRY(skp__file_read(&bytes, &size, path, MAX_FILE));
  status = inspect(out, bytes, size, shown);
  free(bytes);
  return status;
}

skp_status skp__image_read(struct skp_image *out, const char *path, int channels) {
  char *shown;
  SKP_TRY(skp__utf8_shown(&shown, path));
  skp_status status = read_image(out, path, shown, channels);
  free(shown);
  return status;
}

skp_status skp__image_inspect(struct skp_image *out, const char *path) {
  char *shown;
  SKP_TRY(skp__utf8_shown(&shown, path));
  skp_status status = inspect_file(out, path, shown);
  free(shown);
  return status;
}
