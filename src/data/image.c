/* image.c: decodes PNG and JPEG files that nobody vouches for. SPDX-License-Identifier: MIT
 *
 * Both formats are decoded to RGB, and grey is made from that, so that one rule gives the same grey for the same picture. */
#include "base/array.h"
#include "base/file.h"
#include "data/data.h"
#include <spng.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <turbojpeg.h>

#define MAX_PIXELS ((uint64_t)1 << 28)
#define MAX_FILE   ((int64_t)1 << 30)

bool skp__image_named(const char *name) {
  static const char *const endings[] = {".jpg", ".jpeg", ".png"};
  const char *ending = strrchr(name, '.');
  for (size_t i = 0; ending && i < sizeof endings / sizeof *endings; i++)
    if (!strcasecmp(ending, endings[i])) return true;
  return false;
}

struct file {
  const void *bytes;
  size_t size;
  const char *name; /* for people */
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
  if (image->jpeg) tjDestroy(image->jpeg);
  free(image->pixels);
  *image = (struct skp_image){.pixels = NULL};
}

void skp__image_swap(struct skp_image *a, struct skp_image *b) {
  const struct skp_image was = *a;
  *a = (struct skp_image){b->pixels, b->H, b->W, b->C, b->room, a->jpeg};
  *b = (struct skp_image){was.pixels, was.H, was.W, was.C, was.room, b->jpeg};
}

/* Checks what a header tells of, and keeps it. */
static skp_status set_size(struct skp_image *image, uint64_t H, uint64_t W, bool grey, const char *name) {
  if (!H || !W) return skp__fail(SKP_FORMAT, "%s has no pixels.", name);
  if (H > MAX_PIXELS / W)
    return skp__fail(SKP_FORMAT, "%s tells of %llu × %llu pixels; at most %llu are decoded.", name,
                     (unsigned long long)W, (unsigned long long)H, (unsigned long long)MAX_PIXELS);
  image->H = (int)H;
  image->W = (int)W;
  image->C = grey ? 1 : 3;
  return SKP_OK;
}

/* ---- PNG --------------------------------------------------------------------------------------------------------- */

static skp_status fail_png(int error, const char *name) {
  if (error == SPNG_IO_EOF) return skp__fail(SKP_FORMAT, "%s is truncated: the PNG data end too early.", name);
  if (error == SPNG_EMEM) return skp__fail(SKP_MEMORY, "Out of memory for the image %s.", name);
  return skp__fail(SKP_FORMAT, "%s cannot be decoded: %s.", name, spng_strerror(error));
}

static skp_status inspect_png_with(spng_ctx *png, struct skp_image *image, const struct file *f) {
  enum { MAX_CHUNK = 1 << 24, MAX_CHUNKS = 1 << 26 }; /* texts and profiles: those may be compressed, too */
  struct spng_ihdr header;
  int error = spng_set_png_buffer(png, f->bytes, f->size);
  if (!error) error = spng_set_image_limits(png, (uint32_t)MAX_PIXELS, (uint32_t)MAX_PIXELS);
  if (!error) error = spng_set_chunk_limits(png, MAX_CHUNK, MAX_CHUNKS);
  if (!error) error = spng_get_ihdr(png, &header);
  if (error) return fail_png(error, f->name);
  bool grey = header.color_type == SPNG_COLOR_TYPE_GRAYSCALE || header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA;
  return set_size(image, header.height, header.width, grey, f->name);
}

static skp_status decode_png_with(spng_ctx *png, struct skp_image *image, const struct file *f) {
  SKP_TRY(inspect_png_with(png, image, f));
  SKP_TRY(skp__image_room(image, image->H, image->W, 3));
  size_t bytes = (size_t)image->H * (size_t)image->W * 3;
  int error = spng_decode_image(png, image->pixels, bytes, SPNG_FMT_RGB8, 0);
  return error ? fail_png(error, f->name) : SKP_OK;
}

static skp_status with_png(struct skp_image *image, const struct file *f,
                           skp_status (*work)(spng_ctx *png, struct skp_image *image, const struct file *f)) {
  spng_ctx *png = spng_ctx_new(0);
  if (!png) return skp__fail_memory("a PNG decoder", 0);
  skp_status status = work(png, image, f);
  spng_ctx_free(png);
  return status;
}

static skp_status inspect_png(struct skp_image *image, const struct file *f) {
  return with_png(image, f, inspect_png_with);
}

static skp_status decode_png(struct skp_image *image, const struct file *f) {
  return with_png(image, f, decode_png_with);
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

static skp_status decode_cmyk(struct skp_image *image, const struct file *f) {
  uint8_t *cmyk;
  size_t pixels = (size_t)image->H * (size_t)image->W;
  SKP_TRY(skp__alloc(&cmyk, pixels, 4));
  int result = tjDecompress2(image->jpeg, f->bytes, f->size, cmyk, image->W, 0, image->H, TJPF_CMYK, TJFLAG_LIMITSCANS);
  rgb_from_cmyk(image->pixels, cmyk, pixels);
  free(cmyk);
  return check_jpeg(image->jpeg, result, f->name);
}

static skp_status read_jpeg_header(struct skp_image *image, const struct file *f, int *space) {
  int H = 0, W = 0, subsampling; /* they stay 0 where a file holds tables only */
  if (!image->jpeg) image->jpeg = tjInitDecompress();
  if (!image->jpeg) return skp__fail_memory("a JPEG decoder", 0);
  int result = tjDecompressHeader3(image->jpeg, f->bytes, f->size, &W, &H, &subsampling, space);
  SKP_TRY(check_jpeg(image->jpeg, result, f->name));
  return set_size(image, (uint64_t)H, (uint64_t)W, *space == TJCS_GRAY, f->name);
}

static skp_status read_jpeg(struct skp_image *image, const struct file *f) {
  int space;
  SKP_TRY(read_jpeg_header(image, f, &space));
  SKP_TRY(skp__image_room(image, image->H, image->W, 3));
  if (space == TJCS_CMYK || space == TJCS_YCCK) return decode_cmyk(image, f);
  int result =
      tjDecompress2(image->jpeg, f->bytes, f->size, image->pixels, image->W, 0, image->H, TJPF_RGB, TJFLAG_LIMITSCANS);
  return check_jpeg(image->jpeg, result, f->name);
}

/* A decoder that met an error may take the next file for the rest of this one: it is not used again. */
static skp_status settle_jpeg(struct skp_image *image, skp_status status) {
  if (status == SKP_OK) return SKP_OK;
  if (image->jpeg) tjDestroy(image->jpeg);
  image->jpeg = NULL;
  return status;
}

static skp_status inspect_jpeg(struct skp_image *image, const struct file *f) {
  int space;
  return settle_jpeg(image, read_jpeg_header(image, f, &space));
}

static skp_status decode_jpeg(struct skp_image *image, const struct file *f) {
  return settle_jpeg(image, read_jpeg(image, f));
}

/* ---- either ------------------------------------------------------------------------------------------------------ */

static const struct format {
  const char *signature;
  skp_status (*inspect)(struct skp_image *image, const struct file *f);
  skp_status (*decode)(struct skp_image *image, const struct file *f);
} formats[] = {
    {"\x89PNG\r\n\x1a\n", inspect_png, decode_png},
    {"\xff\xd8\xff", inspect_jpeg, decode_jpeg},
};

static skp_status find_format(const struct format **out, const struct file *f) {
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    size_t n = strlen(formats[i].signature);
    *out = &formats[i];
    if (f->size >= n && !memcmp(f->bytes, formats[i].signature, n)) return SKP_OK;
  }
  return skp__fail(SKP_FORMAT, "%s is neither a PNG nor a JPEG file%s.", f->name, f->size ? "" : "; it is empty");
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

static skp_status inspect(struct skp_image *out, const void *bytes, int64_t size, const char *name) {
  const struct file f = {bytes, (size_t)size, name};
  const struct format *format;
  SKP_TRY(find_format(&format, &f));
  return format->inspect(out, &f);
}

skp_status skp__image_decode(struct skp_image *out, const void *bytes, size_t size, const char *name, int channels) {
  const struct file f = {bytes, size, name};
  const struct format *format;
  if (channels != 1 && channels != 3)
    return skp__fail(SKP_UNSUPPORTED, "%s: images are decoded to 1 or 3 channels, not %d.", name, channels);
  SKP_TRY(find_format(&format, &f));
  SKP_TRY(format->decode(out, &f));
  return skp__image_set_channels(out, channels);
}

skp_status skp__image_read(struct skp_image *out, const char *path, int channels) {
  void *bytes;
  int64_t size;
  SKP_TRY(skp__file_read(&bytes, &size, path, MAX_FILE));
  skp_status status = skp__image_decode(out, bytes, (size_t)size, path, channels);
  free(bytes);
  return status;
}

skp_status skp__image_inspect(struct skp_image *out, const char *path) {
  enum { HEAD = 1 << 16 }; /* headers end within it but for those with large profiles or previews */
  char head[HEAD];
  void *bytes;
  int64_t size;
  SKP_TRY(skp__file_head(head, HEAD, &size, path));
  skp_status status = inspect(out, head, size, path);
  if (status == SKP_OK || size < HEAD) return status;
  SKP_TRY(skp__file_read(&bytes, &size, path, MAX_FILE));
  status = inspect(out, bytes, size, path);
  free(bytes);
  return status;
}
