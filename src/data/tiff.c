/* tiff.c: the first picture of TIFF files, through libtiff. SPDX-License-Identifier: MIT
 *
 * Strips and tiles, chunky or in planes, are blocks that libtiff unpacks; here samples become bytes, and those RGB.
 * Integers of up to 16 bits keep their upper 8 (Pillow cuts grey above 255 off); signed ones, wider ones and floats are
 * cut off below 0 and above 255. Alpha is dropped, after the colours were divided by it where the file says they were
 * multiplied. Y'CbCr is left to libtiff. The picture is turned as its Orientation tells, as Pillow does with TIFF
 * files, and only with them. */
#include "base/array.h"
#include "data/format.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

enum { MAX_SAMPLES = 6 };

struct reader {
  const struct skp__file *file;
  TIFF *tiff;
  size_t at;
  char why[200]; /* libtiff's first complaint */
  uint32_t H, W; /* as stored, before it is turned */
  uint16_t bits, samples, kind, photometric, compression, planar, orientation;
  bool tiled, premultiplied;
  const uint16_t *palette[3];
};

/* ---- what libtiff calls ------------------------------------------------------------------------------------------ */

static tmsize_t read_bytes(thandle_t user, void *out, tmsize_t n) {
  struct reader *r = user;
  size_t left = r->at < r->file->size ? r->file->size - r->at : 0, some = (size_t)n < left ? (size_t)n : left;
  memcpy(out, r->file->bytes + (left ? r->at : 0), some);
  r->at += some;
  return (tmsize_t)some;
}

static tmsize_t write_bytes(thandle_t user, void *bytes, tmsize_t n) {
  (void)user, (void)bytes, (void)n;
  return 0;
}

static toff_t seek(thandle_t user, toff_t to, int from) {
  struct reader *r = user;
  r->at = (size_t)to + (from == SEEK_CUR ? r->at : from == SEEK_END ? r->file->size : 0);
  return r->at;
}

static toff_t size_of(thandle_t user) { return ((struct reader *)user)->file->size; }

static int close_file(thandle_t user) {
  (void)user;
  return 0;
}

static int keep_error(TIFF *tiff, void *user, const char *module, const char *format, va_list more) {
  struct reader *r = user;
  (void)tiff, (void)module;
  if (!*r->why) vsnprintf(r->why, sizeof r->why, format, more);
  r->why[strcspn(r->why, "\n")] = 0;
  if (*r->why && r->why[strlen(r->why) - 1] == '.') r->why[strlen(r->why) - 1] = 0;
  return 1;
}

static int pass_over(TIFF *tiff, void *user, const char *module, const char *format, va_list more) {
  (void)tiff, (void)user, (void)module, (void)format, (void)more;
  return 1;
}

static skp_status open_tiff(struct reader *r, const struct skp__file *f) {
  TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
  if (!options) return skp__fail_memory("a TIFF decoder", 0);
  TIFFOpenOptionsSetErrorHandlerExtR(options, keep_error, r);
  TIFFOpenOptionsSetWarningHandlerExtR(options, pass_over, r);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)(16 * SKP__MAX_PIXELS));
  r->file = f;
  r->tiff =
      TIFFClientOpenExt(f->name, "rm", r, read_bytes, write_bytes, seek, close_file, size_of, NULL, NULL, options);
  TIFFOpenOptionsFree(options);
  return r->tiff ? SKP_OK : skp__fail_decoding(f, *r->why ? r->why : "its TIFF header is damaged");
}

/* ---- the header -------------------------------------------------------------------------------------------------- */

static bool alpha_multiplied(TIFF *tiff) {
  uint16_t n, *kinds;
  return TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &n, &kinds) && n && kinds[0] == EXTRASAMPLE_ASSOCALPHA;
}

static void read_tags(struct reader *r) {
  TIFF *t = r->tiff;
  r->tiled = TIFFIsTiled(t);
  r->premultiplied = alpha_multiplied(t);
  r->photometric = PHOTOMETRIC_MINISWHITE; /* where the tag is missing */
  TIFFGetField(t, TIFFTAG_IMAGELENGTH, &r->H);
  TIFFGetField(t, TIFFTAG_IMAGEWIDTH, &r->W);
  TIFFGetField(t, TIFFTAG_PHOTOMETRIC, &r->photometric);
  TIFFGetFieldDefaulted(t, TIFFTAG_COMPRESSION, &r->compression);
  TIFFGetFieldDefaulted(t, TIFFTAG_BITSPERSAMPLE, &r->bits);
  TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLESPERPIXEL, &r->samples);
  TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLEFORMAT, &r->kind);
  TIFFGetFieldDefaulted(t, TIFFTAG_PLANARCONFIG, &r->planar);
  TIFFGetFieldDefaulted(t, TIFFTAG_ORIENTATION, &r->orientation);
  TIFFGetField(t, TIFFTAG_COLORMAP, &r->palette[0], &r->palette[1], &r->palette[2]);
}

static bool grey(const struct reader *r) {
  return r->photometric == PHOTOMETRIC_MINISWHITE || r->photometric == PHOTOMETRIC_MINISBLACK;
}

/* Orientations 5 to 8 lay columns as rows. */
static bool lies(const struct reader *r) { return r->orientation >= 5 && r->orientation <= 8; }

static skp_status read_header(struct reader *r, struct skp_image *image, const struct skp__file *f) {
  SKP_TRY(open_tiff(r, f));
  read_tags(r);
  return skp__image_size(image, lies(r) ? r->W : r->H, lies(r) ? r->H : r->W, grey(r), f);
}

/* ---- samples to bytes -------------------------------------------------------------------------------------------- */

static uint8_t clip(double v) { return v > 0 ? v < 255 ? (uint8_t)v : 255 : 0; }

/* n samples, `step` bytes apart in `out`. Indices of a palette stay as they are; else the largest value of a sample is
 * 255. libtiff gives samples of whole bytes in the machine's order. */
static void narrow(uint8_t *out, size_t step, const uint8_t *row, size_t n, const struct reader *r) {
  const uint32_t bits = r->bits, most = (1u << (bits < 16 ? bits : 16)) - 1;
  const bool index = r->photometric == PHOTOMETRIC_PALETTE, whole = r->kind == SAMPLEFORMAT_UINT || bits <= 8;
  for (size_t i = 0; i < n; i++, out += step) {
    if (bits < 8) {
      uint32_t v = row[i * bits / 8] >> (8 - bits - i * bits % 8) & most;
      *out = (uint8_t)(index ? v : v * 255 / most);
    } else if (bits == 8) {
      *out = row[i];
    } else if (bits == 12) {
      const uint8_t *at = row + i / 2 * 3;
      *out = i % 2 ? (uint8_t)(at[1] << 4 | at[2] >> 4) : at[0];
    } else if (bits == 16) {
      int v = ((const uint16_t *)(const void *)row)[i];
      *out = whole ? (uint8_t)(v >> 8) : clip((int16_t)v);
    } else if (r->kind == SAMPLEFORMAT_IEEEFP) {
      *out = clip(((const float *)(const void *)row)[i]);
    } else {
      uint32_t v = ((const uint32_t *)(const void *)row)[i];
      *out = whole ? clip(v) : clip((int32_t)v);
    }
  }
}

/* ---- bytes to RGB ------------------------------------------------------------------------------------------------ */

static void rgb_from_grey(uint8_t *rgb, const uint8_t *v, const struct reader *r) {
  memset(rgb, r->photometric == PHOTOMETRIC_MINISWHITE && r->kind == SAMPLEFORMAT_UINT ? 255 - *v : *v, 3);
}

static void rgb_from_palette(uint8_t *rgb, const uint8_t *v, const struct reader *r) {
  for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)(r->palette[c][*v] >> 8);
}

static void rgb_from_rgb(uint8_t *rgb, const uint8_t *v, const struct reader *r) {
  (void)r;
  memcpy(rgb, v, 3);
}

static void rgb_from_ink(uint8_t *rgb, const uint8_t *v, const struct reader *r) {
  (void)r;
  skp__rgb_from_cmyk(rgb, (uint8_t[]){255 - v[0], 255 - v[1], 255 - v[2], 255 - v[3]}, 1);
}

/* `colours` samples of a pixel make RGB; those beyond them are alpha and others. */
static const struct model {
  uint16_t photometric, colours;
  void (*convert)(uint8_t *rgb, const uint8_t *v, const struct reader *r);
} models[] = {
    {PHOTOMETRIC_MINISWHITE, 1, rgb_from_grey}, {PHOTOMETRIC_MINISBLACK, 1, rgb_from_grey},
    {PHOTOMETRIC_PALETTE, 1, rgb_from_palette}, {PHOTOMETRIC_RGB, 3, rgb_from_rgb},
    {PHOTOMETRIC_SEPARATED, 4, rgb_from_ink},
};

static skp_status find_model(const struct model **out, const struct reader *r) {
  const struct skp__file *f = r->file;
  *out = NULL;
  for (size_t i = 0; i < sizeof models / sizeof *models; i++)
    if (models[i].photometric == r->photometric) *out = &models[i];
  if (!*out)
    return skp__fail(SKP_FORMAT, "%s is a TIFF of colours of kind %d, which are not known.", f->name, r->photometric);
  if (r->samples < (*out)->colours || r->samples > MAX_SAMPLES)
    return skp__fail(SKP_FORMAT, "%s is a TIFF of %d samples a pixel; its kind has %d, and up to %d with others.",
                     f->name, r->samples, (*out)->colours, MAX_SAMPLES);
  bool real = r->kind == SAMPLEFORMAT_IEEEFP, integer = r->kind == SAMPLEFORMAT_UINT || r->kind == SAMPLEFORMAT_INT;
  bool width =
      r->bits == 1 || r->bits == 2 || r->bits == 4 || r->bits == 8 || r->bits == 12 || r->bits == 16 || r->bits == 32;
  if (!width || (real ? r->bits != 32 : !integer))
    return skp__fail(SKP_FORMAT, "%s is a TIFF of %d-bit %s, which are not known.", f->name, r->bits,
                     real ? "floating-point samples" : "samples");
  if (r->photometric == PHOTOMETRIC_PALETTE && (!r->palette[2] || r->bits > 8))
    return skp__fail_decoding(f, "its palette is missing or too large");
  return SKP_OK;
}

static void divide_by_alpha(uint8_t *v, int colours) {
  const int alpha = v[colours];
  for (int c = 0; c < colours; c++) v[c] = alpha ? clip(v[c] * 255 / alpha) : 0;
}

static void convert_row(uint8_t *rgb, uint8_t *v, uint32_t n, const struct model *m, const struct reader *r) {
  const bool divide = r->premultiplied && r->samples > m->colours;
  for (uint32_t i = 0; i < n; i++, rgb += 3, v += r->samples) {
    if (divide) divide_by_alpha(v, m->colours);
    m->convert(rgb, v, r);
  }
}

/* ---- blocks ------------------------------------------------------------------------------------------------------ */

/* A strip is a block as wide as the picture. */
struct blocks {
  uint32_t H, W;
  size_t bytes, row; /* of a block and a row of it, in one plane */
  int planes;
  uint8_t *packed, *samples; /* a block in each plane; a row */
};

static void measure(struct blocks *b, const struct reader *r) {
  b->H = r->H;
  b->W = r->W;
  if (r->tiled) {
    TIFFGetField(r->tiff, TIFFTAG_TILELENGTH, &b->H);
    TIFFGetField(r->tiff, TIFFTAG_TILEWIDTH, &b->W);
  } else {
    TIFFGetField(r->tiff, TIFFTAG_ROWSPERSTRIP, &b->H);
    if (b->H > r->H) b->H = r->H;
  }
  b->planes = r->planar == PLANARCONFIG_SEPARATE ? r->samples : 1;
  b->bytes = (size_t)(r->tiled ? TIFFTileSize(r->tiff) : TIFFVStripSize(r->tiff, b->H));
  b->row = (size_t)(r->tiled ? TIFFTileRowSize(r->tiff) : TIFFScanlineSize(r->tiff));
}

/* What libtiff says of the sizes against what they must be. */
static bool sizes_agree(const struct blocks *b, const struct reader *r) {
  const uint64_t row = ((uint64_t)b->W * r->bits * (b->planes > 1 ? 1 : r->samples) + 7) / 8;
  return b->H && b->W && (uint64_t)b->H * b->W <= 4 * SKP__MAX_PIXELS && b->row >= row && b->row <= b->bytes / b->H &&
         b->bytes <= 16 * SKP__MAX_PIXELS / (uint64_t)b->planes;
}

static bool read_block(const struct reader *r, const struct blocks *b, uint32_t y, uint32_t x, uint32_t rows,
                       int plane) {
  uint8_t *to = b->packed + (size_t)plane * b->bytes;
  const uint16_t p = (uint16_t)plane;
  tmsize_t n = r->tiled ? TIFFReadEncodedTile(r->tiff, TIFFComputeTile(r->tiff, x, y, 0, p), to, (tmsize_t)b->bytes)
                        : TIFFReadEncodedStrip(r->tiff, TIFFComputeStrip(r->tiff, y, p), to, (tmsize_t)b->bytes);
  return n >= 0 && (size_t)n >= rows * b->row;
}

static skp_status decode_block(struct skp_image *image, const struct reader *r, const struct blocks *b, uint32_t y,
                               uint32_t x, const struct model *m) {
  const uint32_t rows = r->H - y < b->H ? r->H - y : b->H, columns = r->W - x < b->W ? r->W - x : b->W;
  for (int p = 0; p < b->planes; p++)
    if (!read_block(r, b, y, x, rows, p))
      return skp__fail_decoding(r->file, *r->why ? r->why : "the TIFF data end too early");
  for (uint32_t k = 0; k < rows; k++) {
    for (int p = 0; p < b->planes; p++)
      narrow(b->samples + p, b->planes > 1 ? r->samples : 1, b->packed + (size_t)p * b->bytes + k * b->row,
             (size_t)columns * (b->planes > 1 ? 1 : r->samples), r);
    convert_row(image->pixels + 3 * ((size_t)(y + k) * r->W + x), b->samples, columns, m, r);
  }
  return SKP_OK;
}

static skp_status decode_blocks(struct skp_image *image, const struct reader *r, struct blocks *b,
                                const struct model *m) {
  SKP_TRY(skp__alloc(&b->packed, b->bytes, (size_t)b->planes));
  SKP_TRY(skp__alloc(&b->samples, b->W, r->samples));
  for (uint32_t y = 0; y < r->H; y += b->H)
    for (uint32_t x = 0; x < r->W; x += b->W) SKP_TRY(decode_block(image, r, b, y, x, m));
  return SKP_OK;
}

static skp_status decode_stored(struct skp_image *image, const struct reader *r) {
  const struct model *m;
  struct blocks b = {.packed = NULL};
  SKP_TRY(find_model(&m, r));
  measure(&b, r);
  if (!sizes_agree(&b, r)) return skp__fail_decoding(r->file, "its TIFF header contradicts itself");
  skp_status status = decode_blocks(image, r, &b, m);
  free(b.packed);
  free(b.samples);
  return status;
}

/* Y'CbCr, whose colours may be stored coarser than its greys. */
static skp_status decode_ycbcr(struct skp_image *image, const struct reader *r) {
  const size_t pixels = (size_t)r->H * r->W;
  TIFFRGBAImage all;
  char why[1024] = "";
  uint32_t *rgba;
  if (!TIFFRGBAImageOK(r->tiff, why) || !TIFFRGBAImageBegin(&all, r->tiff, 1, why))
    return skp__fail_decoding(r->file, why);
  all.orientation = all.req_orientation = ORIENTATION_TOPLEFT;
  skp_status status = skp__alloc(&rgba, pixels, sizeof *rgba);
  if (status == SKP_OK && !TIFFRGBAImageGet(&all, rgba, r->W, r->H))
    status = skp__fail_decoding(r->file, *r->why ? r->why : "the TIFF data end too early");
  for (size_t i = 0; status == SKP_OK && i < pixels; i++) {
    uint8_t rgb[] = {TIFFGetR(rgba[i]), TIFFGetG(rgba[i]), TIFFGetB(rgba[i])};
    memcpy(image->pixels + 3 * i, rgb, 3);
  }
  free(rgba);
  TIFFRGBAImageEnd(&all);
  return status;
}

/* ---- turning ----------------------------------------------------------------------------------------------------- */

/* By the tag: whether columns become rows, and then, of the picture as stored, rows and
 * columns are taken from their end. */
static const struct {
  bool lie, up, left;
} turns[9] = {[2] = {0, 0, 1}, [3] = {0, 1, 1}, [4] = {0, 1, 0}, [5] = {1, 0, 0},
              [6] = {1, 1, 0}, [7] = {1, 1, 1}, [8] = {1, 0, 1}};

static skp_status turn(struct skp_image *image, const struct reader *r) {
  struct skp_image turned = {.pixels = NULL};
  if (r->orientation < 2 || r->orientation > 8) return SKP_OK;
  SKP_TRY(skp__image_rgb(&turned, lies(r) ? r->W : r->H, lies(r) ? r->H : r->W, r->file));
  uint8_t *to = turned.pixels;
  for (uint32_t y = 0; y < (uint32_t)turned.H; y++)
    for (uint32_t x = 0; x < (uint32_t)turned.W; x++, to += 3) {
      uint32_t row = turns[r->orientation].lie ? x : y, column = turns[r->orientation].lie ? y : x;
      if (turns[r->orientation].up) row = r->H - 1 - row;
      if (turns[r->orientation].left) column = r->W - 1 - column;
      memcpy(to, image->pixels + 3 * ((size_t)row * r->W + column), 3);
    }
  skp__image_free(image);
  *image = turned;
  return SKP_OK;
}

static skp_status read_picture(struct reader *r, struct skp_image *image, const struct skp__file *f) {
  SKP_TRY(read_header(r, image, f));
  SKP_TRY(skp__image_rgb(image, r->H, r->W, f));
  bool ycbcr = r->photometric == PHOTOMETRIC_YCBCR || r->compression == COMPRESSION_OJPEG;
  if (ycbcr && r->compression == COMPRESSION_JPEG && r->planar == PLANARCONFIG_CONTIG) { /* libjpeg makes RGB of it */
    TIFFSetField(r->tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    r->photometric = r->samples == 1 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB;
    ycbcr = false;
  }
  SKP_TRY(ycbcr ? decode_ycbcr(image, r) : decode_stored(image, r));
  return turn(image, r);
}

static skp_status with_tiff(struct skp_image *image, const struct skp__file *f,
                            skp_status (*work)(struct reader *r, struct skp_image *image, const struct skp__file *f)) {
  struct reader r = {.file = f};
  skp_status status = work(&r, image, f);
  if (r.tiff) TIFFClose(r.tiff);
  return status;
}

skp_status skp__inspect_tiff(struct skp_image *image, const struct skp__file *f) {
  return with_tiff(image, f, read_header);
}

skp_status skp__decode_tiff(struct skp_image *image, const struct skp__file *f) {
  return with_tiff(image, f, read_picture);
}
