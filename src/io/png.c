/* png.c: pictures as PNG files in memory. SPDX-License-Identifier: MIT */
#include "io/png.h"
#include <spng.h>

skp_status skp__png_encode(void **out, size_t *size, const uint8_t *pixels, int H, int W, int C) {
  struct spng_ihdr head = {.width = (uint32_t)W,
                           .height = (uint32_t)H,
                           .bit_depth = 8,
                           .color_type = C == 3 ? SPNG_COLOR_TYPE_TRUECOLOR : SPNG_COLOR_TYPE_GRAYSCALE};
  spng_ctx *png = spng_ctx_new(SPNG_CTX_ENCODER);
  int error = png ? spng_set_option(png, SPNG_ENCODE_TO_BUFFER, 1) : SPNG_EMEM;
  *out = NULL;
  if (!error) error = spng_set_ihdr(png, &head);
  if (!error)
    error = spng_encode_image(png, pixels, (size_t)H * (size_t)W * (size_t)C, SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE);
  if (!error) *out = spng_get_png_buffer(png, size, &error);
  spng_ctx_free(png);
  return *out ? SKP_OK : skp__fail(SKP_INTERNAL, "An image cannot be written as PNG: %s.", spng_strerror(error));
}
