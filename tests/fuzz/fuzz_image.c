/* fuzz_image.c: whatever the bytes, decoding fails with a text or yields an image of the
 * size told, which can be resized.
 * SPDX-License-Identifier: MIT */
#include "data/image.h"
#include "fuzz.h"
#include <stdlib.h>
#include <string.h>

static void check(const uint8_t *bytes, size_t size, int channels) {
  struct skp_image image = {.H = 0};
  struct skp_image small = {.H = 0};
  if (skp__image_decode(&image, bytes, size, "input", channels) == SKP_OK) {
    if (image.H < 1 || image.W < 1 || image.C != channels) abort();
    if (skp__image_scale(&small, &image, 5, 7, &(struct skp__box){0, 0, 5, 7}) != SKP_OK) abort();
  } else if (!strstr(skp_error_message(), "input")) {
    abort();
  }
  skp__image_free(&small);
  skp__image_free(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  check(bytes, size, 1);
  check(bytes, size, 3);
  return 0;
}
