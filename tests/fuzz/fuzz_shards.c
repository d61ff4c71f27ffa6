/* fuzz_shards.c: whatever an archive of pictures holds, it is refused with a text or yields images with labels of its
 * classes. SPDX-License-Identifier: MIT */
#include "data/image.h"
#include "data/source.h"
#include "parts.h"

static void check_sound(struct skp_source *s) {
  struct skp_image image = {.H = 0};
  if (s->n < 1 || s->classes < 1) abort();
  for (int64_t i = 0; i < s->n; i++) {
    int32_t label;
    if (!*s->name_of(s, i)) abort();
    if (s->image(s, i, &image, &label) == SKP_OK && (label < 0 || label >= s->classes)) abort();
  }
  skp__image_free(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  struct skp_source *s;
  struct skp__site site = {.path = folder()};
  folder_put("a.tar", bytes, size);
  for (skp_split split = SKP_SPLIT_TRAIN; split < SKP_SPLITS; split++) {
    if (skp__source_shards(&s, &site, split) != SKP_OK) {
      if (s || !*skp_error_message()) abort();
    } else if (s) {
      check_sound(s);
    } else if (split == SKP_SPLIT_TRAIN) {
      abort();
    }
    skp__source_destroy(s);
  }
  if (site.known) site.forget(site.known);
  return 0;
}
