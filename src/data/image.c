/* image.c: decodes PNG and JPEG files that nobody vouches for. SPDX-License-Identifier: MIT
 *
 * Both formats are decoded to RGB, and grey is made from that, so that one rule gives the same grey for the same picture. */
#include "base/array.h"
#include "base/file.h"
#include "data/data.h"
#include <spng.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#define MAX_PIXELS ((uint64_t)1 << 28)
#define MAX_FILE   ((int64_t)1 << 30)

struct image {
  int H, W;
  uint8_t *rgb;
};

/* ---- memory ------------------------------------------------------------------------------------------------------- */

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
  return SKP_OK;
}

void skp__image_free(struct skp_image *image) {
  free(image->pixels);
  *image = (struct skp_image){.pixels = NULL};
}

/* Fresh memory for H·W pixels of `channels` bytes, unless there are too many. */
static skp_status make_room(uint8_t **out, uint64_t H, uint64_t W, int channels, const char *name) {
  if (!H || !W) return skp__fail(SKP_FORMAT, "%s has no pixels.", name);
  if (H > MAX_PIXELS / W)
    return skp__fail(SKP_FORMAT, "%s tells of %llu × %llu pixels; at most %llu are decoded.", name,
                     (unsigned long long)W, (unsigned long long)H, (unsigned long long)MAX_PIXELS);
  return skp__alloc(out, (size_t)(H * W), (size_t)channels);
}

/* ---- PNG --------------------------------------------------------------------------------------------------------- */

static skp_status fail_png(int error, const char *name) {
  if (error == SPNG_IO_EOF) return skp__fail(SKP_FORMAT, "%s is truncated: the PNG data end too early.", name);
  if (error == SPNG_EMEM) return skp__fail(SKP_MEMORY, "Out of memory for the image %s.", name);
  return skp__fail(SKP_FORMAT, "%s cannot be decoded: %s.", name, spng_strerror(error));
}

static skp_status decode_png_with(spng_ctx *png, struct image *image, const void *bytes, size_t size,
                                  const char *name) {
  enum { MAX_CHUNK = 1 << 24, MAX_CHUNKS = 1 << 26 }; /* texts and profiles: those may be compressed, too */
  struct spng_ihdr header;
  int error = spng_set_png_buffer(png, bytes, size);
  if (!error) error = spng_set_image_limits(png, (uint32_t)MAX_PIXELS, (uint32_t)MAX_PIXELS);
  if (!error) error = spng_set_chunk_limits(png, MAX_CHUNK, MAX_CHUNKS);
  if (!error) error = spng_get_ihdr(png, &header);
  if (error) return fail_png(error, name);
  SKP_TRY(make_room(&image->rgb, header.height, header.width, 3, name));
  image->H = (int)header.height;
  image->W = (int)header.width;
  error = spng_decode_image(png, image->rgb, (size_t)image->H * (size_t)image->W * 3, SPNG_FMT_RGB8, 0);
  return error ? fail_png(error, name) : SKP_OK;
}

static skp_status decode_png(struct image *image, const void *bytes, size_t size, const char *name) {
  spng_ctx *png = spng_ctx_new(0);
  if (!png) return skp__fail_memory("a PNG decoder", 0);
  skp_status status = decode_png_with(png, image, bytes, size, name);
  spng_ctx_free(png);
  return status;
}

/* ---- JPEG -------------------------------------------------------------------------------------------------------- */

/* Warnings after which the picture is still whole; cameras and editors write such files, and data sets are full of them. */
static const char *const harmless[] = {"extraneous bytes before marker", "JFIF revision", "Adobe color transform"};

static skp_status check_jpeg(tjhandle jpeg, int result, const char *name) {
  if (!result) return SKP_OK;
  const char *text = tjGetErrorStr2(jpeg);
  if (tjGetErrorCode(jpeg) == TJERR_WARNING)
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
      if (strstr(text, harmless[i])) return SKP_OK;
  if (strstr(text, "Premature end"))
    return skp__fail(SKP_FORMAT, "%s is truncated: the JPEG data end too early.", name);
  return skp__fail(SKP_FORMAT, "%s cannot be decoded: %s.", name, text);
}

/* Four-colour JPEGs hold the amount of paper left, not of ink (Adobe's habit, which every reader follows). */
static void rgb_from_cmyk(uint8_t *rgb, const uint8_t *cmyk, size_t pixels) {
  for (size_t i = 0; i < pixels; i++)
    for (size_t c = 0; c < 3; c++) rgb[3 * i + c] = (uint8_t)((cmyk[4 * i + c] * cmyk[4 * i + 3] + 127) / 255);
}

static skp_status decode_cmyk(tjhandle jpeg, struct image *image, const void *bytes, size_t size, const char *name) {
  uint8_t *cmyk;
  SKP_TRY(make_room(&cmyk, (uint64_t)image->H, (uint64_t)image->W, 4, name));
  int result = tjDecompress2(jpeg, bytes, size, cmyk, image->W, 0, image->H, TJPF_CMYK, TJFLAG_LIMITSCANS);
  rgb_from_cmyk(image->rgb, cmyk, (size_t)image->H * (size_t)image->W);
  free(cmyk);
  return check_jpeg(jpeg, result, name);
}

static skp_status decode_jpeg_with(tjhandle jpeg, struct image *image, const void *bytes, size_t size,
                                   const char *name) {
  int subsampling, space;
  SKP_TRY(check_jpeg(jpeg, tjDecompressHeader3(jpeg, bytes, size, &image->W, &image->H, &subsampling, &space), name));
  SKP_TRY(make_room(&image->rgb, (uint64_t)image->H, (uint64_t)image->W, 3, name));
  if (space == TJCS_CMYK || space == TJCS_YCCK) return decode_cmyk(jpeg, image, bytes, size, name);
  return check_jpeg(
      jpeg, tjDecompress2(jpeg, bytes, size, image->rgb, image->W, 0, image->H, TJPF_RGB, TJFLAG_LIMITSCANS), name);
}

static skp_status decode_jpeg(struct image *image, const void *bytes, size_t size, const char *name) {
  tjhandle jpeg = tjInitDecompress();
  if (!jpeg) return skp__fail_memory("a JPEG decoder", 0);
  skp_status status = decode_jpeg_with(jpeg, image, bytes, size, name);
  tjDestroy(jpeg);
  return status;
}

/* ---- either ------------------------------------------------------------------------------------------------------ */

static const struct {
  const char *name, *signature;
  skp_status (*decode)(struct image *image, const void *bytes, size_t size, const char *name);
} formats[] = {
    {"PNG", "\x89PNG\r\n\x1a\n", decode_png},
    {"JPEG", "\xff\xd8\xff", decode_jpeg},
};

static skp_status decode_rgb(struct image *image, const void *bytes, size_t size, const char *name) {
  for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
    size_t n = strlen(formats[f].signature);
    if (size >= n && !memcmp(bytes, formats[f].signature, n)) return formats[f].decode(image, bytes, size, name);
  }
  return skp__fail(SKP_FORMAT, "%s is neither a PNG nor a JPEG file%s.", name, size ? "" : "; it is empty");
}

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

skp_status skp__image_decode(uint8_t **out, int *H, int *W, const void *bytes, size_t size, const char *name,
                             int channels) {
  struct image image = {0};
  *out = NULL;
  if (channels != 1 && channels != 3)
    return skp__fail(SKP_UNSUPPORTED, "%s: images are decoded to 1 or 3 channels, not %d.", name, channels);
  skp_status status = decode_rgb(&image, bytes, size, name);
  if (status != SKP_OK) {
    free(image.rgb);
    return status;
  }
  if (channels == 1) make_grey(image.rgb, (size_t)image.H * (size_t)image.W);
  *out = image.rgb;
  *H = image.H;
  *W = image.W;
  return SKP_OK;
}

skp_status skp__image_read(uint8_t **out, int *H, int *W, const char *path, int channels) {
  void *bytes;
  int64_t size;
  *out = NULL;
  SKP_TRY(skp__file_read(&bytes, &size, path, MAX_FILE));
  skp_status status = skp__image_decode(out, H, W, bytes, (size_t)size, path, channels);
  free(bytes);
  return status;
}
