/* png.c: PNG pictures, through libspng. SPDX-License-Identifier: MIT
 *
 * Alpha is dropped. Of 16 bits the upper 8 are kept, of grey, too (Pillow cuts grey above 255 off). Data of fewer bits
 * in 16, such as a camera's 12, are moved up if the file tells of them in an sBIT chunk and its writer has not moved
 * them up already, as PNG wants it. */
#include "base/array.h"
#include "data/format.h"
#include <spng.h>
#include <stdlib.h>

static skp_status fail_png(int error, const struct skp__file *f) {
  if (error == SPNG_IO_EOF) return skp__fail_truncated(f, "PNG");
  if (error == SPNG_EMEM) return skp__fail(SKP_MEMORY, "Out of memory for the image %s.", f->name);
  return skp__fail_decoding(f, spng_strerror(error));
}

static skp_status read_header(spng_ctx *png, struct spng_ihdr *header, struct skp_image *image,
                              const struct skp__file *f) {
  enum { MAX_CHUNK = 1 << 24, MAX_CHUNKS = 1 << 26 }; /* texts and profiles: those may be compressed, too */
  int error = spng_set_png_buffer(png, f->bytes, f->size);
  if (!error) error = spng_set_image_limits(png, (uint32_t)SKP__MAX_PIXELS, (uint32_t)SKP__MAX_PIXELS);
  if (!error) error = spng_set_chunk_limits(png, MAX_CHUNK, MAX_CHUNKS);
  if (!error) error = spng_get_ihdr(png, header);
  if (error) return fail_png(error, f);
  bool grey = header->color_type == SPNG_COLOR_TYPE_GRAYSCALE || header->color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA;
  return skp__image_size(image, header->height, header->width, grey, f);
}

static skp_status inspect(spng_ctx *png, struct skp_image *image, const struct skp__file *f) {
  struct spng_ihdr header;
  return read_header(png, &header, image, f);
}

/* ---- fewer bits in 16 -------------------------------------------------------------------------------------------- */

/* The bits that each of R, G and B has, by the sBIT chunk; false if there is none, or if it tells of nothing new. */
static bool significant_bits(int bits[3], spng_ctx *png, const struct spng_ihdr *header) {
  struct spng_sbit told;
  if (header->bit_depth != 16 || spng_get_sbit(png, &told)) return false;
  const bool grey = !(header->color_type & SPNG_COLOR_TYPE_TRUECOLOR);
  bits[0] = grey ? told.grayscale_bits : told.red_bits;
  bits[1] = grey ? told.grayscale_bits : told.green_bits;
  bits[2] = grey ? told.grayscale_bits : told.blue_bits;
  return bits[0] < 16 || bits[1] < 16 || bits[2] < 16;
}

/* Whether the samples are still to be moved up, by all channels together: one may be black, or have round values alone.
 * Samples that were moved up already have zeros below, unless ones above are repeated there. */
static bool lie_low(const uint16_t *samples, size_t pixels, const int bits[3]) {
  bool below = false, above = false;
  for (int c = 0; c < 3; c++) {
    unsigned used = 0;
    for (size_t i = 0; i < pixels; i++) used |= samples[4 * i + (size_t)c];
    below = below || used & ((1u << (16 - bits[c])) - 1);
    above = above || used >> bits[c];
  }
  return below && !above;
}

static skp_status decode_deep(spng_ctx *png, struct skp_image *image, const int bits[3], const struct skp__file *f) {
  const size_t pixels = (size_t)image->H * (size_t)image->W;
  uint16_t *samples;
  SKP_TRY(skp__alloc(&samples, pixels, 4 * sizeof *samples));
  int error = spng_decode_image(png, samples, pixels * 4 * sizeof *samples, SPNG_FMT_RGBA16, 0);
  const bool low = !error && lie_low(samples, pixels, bits);
  for (int c = 0; c < 3 && !error; c++) {
    const int shift = low ? 16 - bits[c] : 0;
    for (size_t i = 0; i < pixels; i++)
      image->pixels[3 * i + (size_t)c] = (uint8_t)(samples[4 * i + (size_t)c] << shift >> 8);
  }
  free(samples);
  return error ? fail_png(error, f) : SKP_OK;
}

/* Whether 16 bits hold data of 12 or fewer: nearly black then, and nothing tells how far to move them up. */
static bool is_faint(const uint8_t *pixels, size_t bytes) {
  enum { MOST = 0xfff >> 8 };
  int most = 0;
  for (size_t i = 0; i < bytes && most <= MOST; i++) most = pixels[i] > most ? pixels[i] : most;
  return most > 0 && most <= MOST;
}

static skp_status decode(spng_ctx *png, struct skp_image *image, const struct skp__file *f) {
  struct spng_ihdr header;
  int bits[3];
  SKP_TRY(read_header(png, &header, image, f));
  SKP_TRY(skp__image_rgb(image, header.height, header.width, f));
  if (significant_bits(bits, png, &header)) return decode_deep(png, image, bits, f);
  size_t bytes = (size_t)image->H * (size_t)image->W * 3;
  int error = spng_decode_image(png, image->pixels, bytes, SPNG_FMT_RGB8, 0);
  if (error) return fail_png(error, f);
  image->faint = header.bit_depth == 16 && is_faint(image->pixels, bytes);
  return SKP_OK;
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

static skp_status with_png(struct skp_image *image, const struct skp__file *f,
                           skp_status (*work)(spng_ctx *png, struct skp_image *image, const struct skp__file *f)) {
  spng_ctx *png = spng_ctx_new(0);
  if (!png) return skp__fail_memory("a PNG decoder", 0);
  skp_status status = work(png, image, f);
  spng_ctx_free(png);
  return status;
}

skp_status skp__inspect_png(struct skp_image *image, const struct skp__file *f) { return with_png(image, f, inspect); }

skp_status skp__decode_png(struct skp_image *image, const struct skp__file *f) { return with_png(image, f, decode); }
