/* bmp.c: Windows' and OS/2's bitmaps. SPDX-License-Identifier: MIT
 *
 * Read here, since they are little more than rows of bytes, and the libraries that know them either bring a whole
 * desktop along or lack one kind or another (run lengths, top-down, masks). Alpha is dropped. Widths of 16 bits and
 * more are of three masks of neighbouring bits; of palettes and run lengths there are 1, 4 and 8. What run lengths
 * leave out has the first colour.
 *
 *   14 bytes: "BM", …, where the pixels begin │ the header, which begins with its size │ masks or palette │ pixels */
#include "data/format.h"
#include <string.h>

enum { FILE_HEADER = 14, MASKS = FILE_HEADER + 40, OS2 = 12 /* the header's size in the oldest files */ };
enum { PLAIN, RLE8, RLE4, MASKED };

struct bitmap {
  const struct skp__file *file;
  size_t at; /* of the pixels */
  uint32_t H, W, bits, packing;
  bool top_down;
  uint32_t mask[3]; /* of red, green and blue */
  struct skp__palette palette;
};

static uint32_t le16(const uint8_t *at) { return at[0] | (uint32_t)at[1] << 8; }
static uint32_t le32(const uint8_t *at) { return le16(at) | le16(at + 2) << 16; }

/* ---- the header -------------------------------------------------------------------------------------------------- */

static bool known(uint32_t value, const uint32_t *list, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (value == list[i]) return true;
  return false;
}
#define KNOWN(value, ...)                                                                                              \
  known(value, (const uint32_t[]){__VA_ARGS__}, sizeof(uint32_t[]){__VA_ARGS__} / sizeof(uint32_t))

/* Where the masks are not told, they are these. */
static void set_masks(struct bitmap *b, const uint8_t *masks) {
  static const uint32_t five[3] = {0x7c00, 0x3e0, 0x1f}, eight[3] = {0xff0000, 0xff00, 0xff};
  memcpy(b->mask, b->bits == 16 ? five : eight, sizeof b->mask);
  if (b->packing != MASKED || !(le32(masks) | le32(masks + 4) | le32(masks + 8))) return;
  for (int c = 0; c < 3; c++) b->mask[c] = le32(masks + 4 * c);
}

static skp_status check_kind(const struct bitmap *b) {
  const char *name = b->file->name;
  if (!KNOWN(b->bits, 1, 4, 8, 16, 24, 32))
    return skp__fail(SKP_FORMAT, "%s is a bitmap of %u bits a pixel, which is not known.", name, b->bits);
  bool fits = b->packing == PLAIN || (b->packing == RLE8 && b->bits == 8) || (b->packing == RLE4 && b->bits == 4) ||
              (b->packing == MASKED && b->bits > 8);
  if (!fits)
    return skp__fail(SKP_FORMAT, "%s is a bitmap packed in way %u at %u bits a pixel, which is not known.", name,
                     b->packing, b->bits);
  for (int c = 0; c < 3; c++) {
    uint32_t low = b->mask[c] & -b->mask[c], above = b->mask[c] + low;
    if (above & b->mask[c]) return skp__fail(SKP_FORMAT, "%s is a bitmap whose colours have scattered bits.", name);
  }
  return SKP_OK;
}

/* The palette follows the header; of the newer kinds each colour has a byte more. Pixels
 * told to begin with it begin behind it. */
static skp_status read_palette(struct bitmap *b, uint32_t header, uint32_t told) {
  const size_t size = header == OS2 ? 3 : 4, start = FILE_HEADER + header;
  const uint32_t n = told ? told : 1u << b->bits;
  if (n > 1 << 16) return skp__fail(SKP_FORMAT, "%s tells of a palette of %u colours.", b->file->name, n);
  if (b->at <= start) b->at = start + size * n;
  for (uint32_t i = 0; i < n && i < 256; i++) {
    if (start + size * i + 3 > b->file->size) return skp__fail_truncated(b->file, "BMP");
    const uint8_t *bgr = b->file->bytes + start + size * i;
    memcpy(b->palette.rgb[i], (uint8_t[]){bgr[2], bgr[1], bgr[0]}, 3);
  }
  b->palette.n = n < 256 ? (int)n : 256;
  skp__palette_complete(&b->palette);
  return SKP_OK;
}

static skp_status read_header(struct bitmap *b, const struct skp__file *f) {
  enum { LEAST = FILE_HEADER + OS2 };
  if (f->size < LEAST) return skp__fail_truncated(f, "BMP");
  const uint8_t *at = f->bytes + FILE_HEADER;
  const uint32_t header = le32(at);
  if (!KNOWN(header, OS2, 40, 52, 56, 64, 108, 124))
    return skp__fail(SKP_FORMAT, "%s is a bitmap with a header of %u bytes, which is not known.", f->name, header);
  if (f->size < FILE_HEADER + header) return skp__fail_truncated(f, "BMP");
  *b = (struct bitmap){.file = f, .at = le32(f->bytes + 10)};
  const bool old = header == OS2;
  b->W = old ? le16(at + 4) : le32(at + 4);
  b->H = old ? le16(at + 6) : le32(at + 8);
  b->bits = old ? le16(at + 10) : le16(at + 14);
  b->packing = old ? PLAIN : le32(at + 16);
  b->top_down = !old && b->H >> 24 == 0xff;
  if (b->top_down) b->H = -b->H;
  if (b->packing == MASKED && f->size < MASKS + 12) return skp__fail_truncated(f, "BMP");
  set_masks(b, f->bytes + (b->packing == MASKED ? MASKS : 0));
  SKP_TRY(check_kind(b));
  if (b->bits <= 8) return read_palette(b, header, old ? 0 : le32(at + 32));
  if (!b->at) b->at = FILE_HEADER + header + (header == 40 && b->packing == MASKED ? 12 : 0);
  return SKP_OK;
}

skp_status skp__inspect_bmp(struct skp_image *image, const struct skp__file *f) {
  struct bitmap b;
  SKP_TRY(read_header(&b, f));
  return skp__image_size(image, b.H, b.W, b.bits <= 8 && skp__palette_grey(&b.palette), f);
}

/* ---- plain rows -------------------------------------------------------------------------------------------------- */

static void indexed_row(uint8_t *rgb, const uint8_t *row, const struct bitmap *b) {
  for (uint32_t x = 0; x < b->W; x++, rgb += 3) {
    const uint32_t bit = x * b->bits % 8, index = row[(uint64_t)x * b->bits / 8] >> (8 - b->bits - bit);
    memcpy(rgb, b->palette.rgb[index & ((1u << b->bits) - 1)], 3);
  }
}

/* The largest value that the mask allows is 255; others in proportion, rounded down. */
static uint8_t masked(uint32_t pixel, uint32_t mask) {
  const uint32_t unit = mask & -mask;
  return mask ? (uint8_t)((uint64_t)(pixel & mask) / unit * 255 / (mask / unit)) : 0;
}

static void masked_row(uint8_t *rgb, const uint8_t *row, const struct bitmap *b) {
  const uint32_t bytes = b->bits / 8;
  for (uint32_t x = 0; x < b->W; x++, row += bytes) {
    const uint32_t pixel =
        le16(row) | (bytes > 2 ? (uint32_t)row[2] << 16 : 0) | (bytes > 3 ? (uint32_t)row[3] << 24 : 0);
    for (int c = 0; c < 3; c++) *rgb++ = masked(pixel, b->mask[c]);
  }
}

static uint8_t *row_of(const struct skp_image *image, const struct bitmap *b, uint32_t y) {
  return image->pixels + 3 * (size_t)b->W * (b->top_down ? y : b->H - 1 - y);
}

/* Rows begin at multiples of 4 bytes. */
static skp_status decode_plain(struct skp_image *image, const struct bitmap *b) {
  const size_t bytes = ((size_t)b->W * b->bits + 7) / 8, stride = (bytes + 3) / 4 * 4, last = b->H - 1;
  if (b->at > b->file->size || b->file->size - b->at < last * stride + bytes)
    return skp__fail_truncated(b->file, "BMP");
  for (uint32_t y = 0; y < b->H; y++)
    (b->bits <= 8 ? indexed_row : masked_row)(row_of(image, b, y), b->file->bytes + b->at + y * stride, b);
  return SKP_OK;
}

/* ---- run lengths ------------------------------------------------------------------------------------------------- */

struct pen {
  uint32_t x, y;
};

/* n pixels from here on, of one byte's colours (step 0: two by turns at 4 bits) or of a byte each (two in each byte);
 * what reaches beyond the row is dropped. */
static void draw(struct skp_image *image, const struct bitmap *b, struct pen *pen, uint32_t n, const uint8_t *from,
                 uint32_t step) {
  uint8_t *row = row_of(image, b, pen->y);
  for (uint32_t i = 0; i < n && pen->x < b->W; i++, pen->x++) {
    const uint32_t byte = b->bits == 8 ? from[i * step] : from[i / 2 * step] >> (i % 2 ? 0 : 4) & 15;
    memcpy(row + 3 * (size_t)pen->x, b->palette.rgb[byte], 3);
  }
}

/* A zero, and what follows it: 0 the row ends, 1 the picture ends, 2 the pen moves right and up, else so many pixels as
 * they are, padded to pairs of bytes. */
static const uint8_t *escape(struct skp_image *image, const struct bitmap *b, struct pen *pen, const uint8_t *at,
                             const uint8_t *end) {
  const uint32_t code = at[1];
  const size_t bytes = b->bits == 8 ? code : (code + 1) / 2;
  at += 2;
  if (code == 0) {
    *pen = (struct pen){0, pen->y + 1};
    return at;
  }
  if (code == 1) {
    pen->y = b->H;
    return at;
  }
  if ((size_t)(end - at) < (code == 2 ? 2 : bytes)) return NULL;
  if (code == 2) {
    *pen = (struct pen){pen->x + at[0], pen->y + at[1]};
    return at + 2;
  }
  draw(image, b, pen, code, at, 1);
  at += bytes;
  return bytes % 2 && at < end ? at + 1 : at;
}

static skp_status decode_runs(struct skp_image *image, const struct bitmap *b) {
  if (b->at > b->file->size) return skp__fail_truncated(b->file, "BMP");
  const uint8_t *at = b->file->bytes + b->at, *end = b->file->bytes + b->file->size;
  struct pen pen = {0, 0};
  for (size_t i = 0; i < (size_t)b->H * b->W; i++) memcpy(image->pixels + 3 * i, b->palette.rgb[0], 3);
  while (pen.y < b->H && !(pen.y == b->H - 1 && pen.x >= b->W)) {
    if (!at || end - at < 2) return skp__fail_truncated(b->file, "BMP");
    if (*at) {
      draw(image, b, &pen, at[0], at + 1, 0);
      at += 2;
    } else {
      at = escape(image, b, &pen, at, end);
    }
  }
  return SKP_OK;
}

skp_status skp__decode_bmp(struct skp_image *image, const struct skp__file *f) {
  struct bitmap b;
  SKP_TRY(read_header(&b, f));
  SKP_TRY(skp__image_rgb(image, b.H, b.W, f));
  return b.packing == RLE8 || b.packing == RLE4 ? decode_runs(image, &b) : decode_plain(image, &b);
}
