/* fuzz_image.c: whatever the bytes, decoding fails with a text or yields an image of the size told, which can be resized.
 * SPDX-License-Identifier: MIT */
#include "data/data.h"
#include "fuzz.h"
#include <stdlib.h>
#include <string.h>

static void check(const uint8_t *bytes, size_t size, int channels) {
  uint8_t *pixels, small[5 * 7 * 3];
  int H, W;
  if (skp__image_decode(&pixels, &H, &W, bytes, size, "input", channels) == SKP_OK) {
    if (H < 1 || W < 1 || skp__image_resize(small, 5, 7, pixels, H, W, channels) != SKP_OK) abort();
  } else if (pixels || !strstr(skp_error_message(), "input")) {
    abort();
  }
  free(pixels);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  check(bytes, size, 1);
  check(bytes, size, 3);
  return 0;
}
