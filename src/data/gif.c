/* gif.c: the first picture of GIF files, through giflib. SPDX-License-Identifier: MIT
 *
 * It may cover a part of its canvas, which grows where the picture reaches beyond it. What it leaves free has the
 * transparent colour's place in the palette, or the first; transparency itself is dropped as all alpha is. */
#include "base/array.h"
#include "data/format.h"
#include <gif_lib.h>
#include <stdlib.h>
#include <string.h>

struct reader {
  const struct skp__file *file;
  size_t at;
  bool ended; /* the file ended where a block's length should be, which then was 0 */
  int H, W;   /* of the canvas */
  int filler; /* the colour of what the picture leaves free */
  struct skp__palette palette;
};

static int read_bytes(GifFileType *gif, GifByteType *out, int n) {
  struct reader *r = gif->UserData;
  if (n == 1 && r->at == r->file->size && !r->ended) {
    r->ended = true;
    *out = 0;
    return 1;
  }
  if (n < 0 || (size_t)n > r->file->size - r->at) return 0;
  memcpy(out, r->file->bytes + r->at, (size_t)n);
  r->at += (size_t)n;
  return n;
}

static skp_status fail_gif(int error, const struct skp__file *f) {
  const char *text = GifErrorString(error);
  if (error == D_GIF_ERR_NOT_ENOUGH_MEM) return skp__fail(SKP_MEMORY, "Out of memory for the image %s.", f->name);
  if (error == D_GIF_ERR_READ_FAILED || error == D_GIF_ERR_EOF_TOO_SOON) return skp__fail_truncated(f, "GIF");
  return skp__fail_decoding(f, text ? text : "its GIF data are damaged");
}

/* ---- up to the picture ------------------------------------------------------------------------------------------- */

static bool read_extension(struct reader *r, GifFileType *gif) {
  GraphicsControlBlock control;
  GifByteType *block;
  int code;
  if (DGifGetExtension(gif, &code, &block) == GIF_ERROR) return false;
  if (code == GRAPHICS_EXT_FUNC_CODE && block && DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK &&
      control.TransparentColor != NO_TRANSPARENT_COLOR)
    r->filler = control.TransparentColor;
  while (block)
    if (DGifGetExtensionNext(gif, &block) == GIF_ERROR) return false;
  return true;
}

/* Between blocks some writers leave bytes that begin none. */
static void skip_stray(struct reader *r) {
  while (r->at < r->file->size && !memchr(",!;", r->file->bytes[r->at], 3)) r->at++;
}

static bool find_picture(struct reader *r, GifFileType *gif) {
  GifRecordType type = UNDEFINED_RECORD_TYPE;
  while (type != IMAGE_DESC_RECORD_TYPE && type != TERMINATE_RECORD_TYPE) {
    skip_stray(r);
    if (DGifGetRecordType(gif, &type) == GIF_ERROR) return false;
    if (type == EXTENSION_RECORD_TYPE && !read_extension(r, gif)) return false;
  }
  if (type == IMAGE_DESC_RECORD_TYPE) return DGifGetImageDesc(gif) == GIF_OK;
  gif->Error = D_GIF_ERR_NO_IMAG_DSCR;
  return false;
}

static void take_palette(struct skp__palette *palette, const ColorMapObject *colours) {
  palette->n = colours ? colours->ColorCount : 0;
  for (int i = 0; i < palette->n; i++) {
    const GifColorType *c = &colours->Colors[i];
    memcpy(palette->rgb[i], (uint8_t[]){c->Red, c->Green, c->Blue}, 3);
  }
  skp__palette_complete(palette);
}

static int larger(int a, int b) { return a > b ? a : b; }

static skp_status read_header(struct reader *r, GifFileType *gif, struct skp_image *image) {
  const GifImageDesc *d = &gif->Image;
  if (!find_picture(r, gif)) return fail_gif(gif->Error, r->file);
  if (d->Width < 1 || d->Height < 1) return skp__fail(SKP_FORMAT, "%s has no pixels.", r->file->name);
  r->H = larger(gif->SHeight, d->Top + d->Height);
  r->W = larger(gif->SWidth, d->Left + d->Width);
  take_palette(&r->palette, d->ColorMap ? d->ColorMap : gif->SColorMap);
  return skp__image_size(image, (uint64_t)r->H, (uint64_t)r->W, skp__palette_grey(&r->palette), r->file);
}

/* ---- its pixels -------------------------------------------------------------------------------------------------- */

static void colour(uint8_t *rgb, const uint8_t *index, size_t n, const struct skp__palette *palette) {
  for (size_t i = 0; i < n; i++) memcpy(rgb + 3 * i, palette->rgb[index[i]], 3);
}

/* The rows of interlaced pictures come in four passes. */
static bool read_rows(const struct reader *r, GifFileType *gif, struct skp_image *image, uint8_t *row) {
  static const struct { int first, step; } passes[] = {{0, 8}, {4, 8}, {2, 4}, {1, 2}}, whole = {0, 1};
  const GifImageDesc *d = &gif->Image;
  for (int p = 0; p < (d->Interlace ? 4 : 1); p++)
    for (int y = d->Interlace ? passes[p].first : whole.first; y < d->Height;
         y += d->Interlace ? passes[p].step : whole.step) {
      if (DGifGetLine(gif, row, d->Width) == GIF_ERROR) return false;
      colour(image->pixels + 3 * ((size_t)(d->Top + y) * (size_t)image->W + (size_t)d->Left), row, (size_t)d->Width,
             &r->palette);
    }
  return true;
}

static skp_status read_picture(struct reader *r, GifFileType *gif, struct skp_image *image) {
  uint8_t *row;
  SKP_TRY(read_header(r, gif, image));
  SKP_TRY(skp__image_rgb(image, (uint64_t)r->H, (uint64_t)r->W, r->file));
  SKP_TRY(skp__alloc(&row, (size_t)image->W, 1));
  memset(row, r->filler, (size_t)image->W);
  if (gif->Image.Width < image->W || gif->Image.Height < image->H)
    for (int y = 0; y < image->H; y++)
      colour(image->pixels + 3 * (size_t)y * (size_t)image->W, row, (size_t)image->W, &r->palette);
  bool whole = read_rows(r, gif, image, row);
  free(row);
  return whole ? SKP_OK : fail_gif(gif->Error, r->file);
}

static skp_status with_gif(struct skp_image *image, const struct skp__file *f,
                           skp_status (*work)(struct reader *r, GifFileType *gif, struct skp_image *image)) {
  struct reader r = {.file = f};
  int error = 0;
  GifFileType *gif = DGifOpen(&r, read_bytes, &error);
  if (!gif) return fail_gif(error, f);
  skp_status status = work(&r, gif, image);
  DGifCloseFile(gif, NULL);
  return status;
}

skp_status skp__inspect_gif(struct skp_image *image, const struct skp__file *f) {
  return with_gif(image, f, read_header);
}

skp_status skp__decode_gif(struct skp_image *image, const struct skp__file *f) {
  return with_gif(image, f, read_picture);
}
