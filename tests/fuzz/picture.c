/* picture.c: fuzz_jpeg, fuzz_png and so on, one for each format that is read: as fuzz_image, but the bytes are always
 * taken for a picture of FUZZ_FORMAT. SPDX-License-Identifier: MIT */
#include "data/image.h"
#include "fuzz.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct signature {
  const char *bytes;
  size_t n;
};

static const struct format {
  const char *reader;
  struct signature signature[4];
} formats[] = {
#define SIGNATURE(bytes)                                                                                               \
  { bytes, sizeof bytes - 1 }
#define FORMAT(name, reader, endings, ...) {#reader, {__VA_ARGS__}},
#include "data/formats.def"
#undef FORMAT
#undef SIGNATURE
};

static bool begins_with(const uint8_t *bytes, const struct signature *s) {
  bool same = s->n;
  for (size_t i = 0; same && i < s->n; i++) same = s->bytes[i] == '?' || (uint8_t)s->bytes[i] == bytes[i];
  return same;
}

/* Gives the bytes the first of the format's signatures where they have none. */
static void sign(uint8_t *bytes) {
  const struct format *f = formats;
  while (strcmp(f->reader, FUZZ_FORMAT) != 0) f++;
  for (int i = 0; i < 4; i++)
    if (begins_with(bytes, &f->signature[i])) return;
  for (size_t i = 0; i < f->signature[0].n; i++)
    if (f->signature[0].bytes[i] != '?') bytes[i] = (uint8_t)f->signature[0].bytes[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  enum { SIGNED = 16 };
  static struct skp_image image; /* used again and again, as a loader's */
  if (size < SIGNED) return 0;
  uint8_t *picture = malloc(size);
  if (!picture) abort();
  memcpy(picture, bytes, size);
  sign(picture);
  if (skp__image_decode(&image, picture, size, "input", 3) == SKP_OK) {
    if (image.H < 1 || image.W < 1 || image.C != 3) abort();
  } else if (!strstr(skp_error_message(), "input")) {
    abort();
  }
  free(picture);
  return 0;
}
