/* image.c: an image in memory. SPDX-License-Identifier: MIT */
#include "data/image.h"
#include "base/array.h"
#include <stdlib.h>
#include <string.h>

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

int skp__reflected(int i, int n) {
  if (n == 1) return 0;
  const int period = 2 * (n - 1), at = (i % period + period) % period;
  return at < n ? at : period - at;
}

void skp__image_swap(struct skp_image *a, struct skp_image *b) {
  const struct skp_image was = *a;
  *a = *b;
  *b = was;
}

/* ---- channels ---------------------------------------------------------------------------------------------------- */

static void make_grey(uint8_t *pixels, size_t n) {
  for (size_t i = 0; i < n; i++) pixels[i] = (uint8_t)skp__grey_of(pixels + 3 * i, 3);
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
