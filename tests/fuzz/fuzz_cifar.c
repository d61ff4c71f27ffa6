/* fuzz_cifar.c: whatever a folder of CIFAR's files holds, it is refused with a text or yields images with labels of its
 * classes. Of the bytes the first says which set and how long the file is, then come names up to a zero, and what
 * remains is the file, again and again. SPDX-License-Identifier: MIT */
#include "data/image.h"
#include "data/source.h"
#include "parts.h"

static void check_sound(struct skp_source *s) {
  struct skp_image image = {.H = 0};
  if (s->n < 1 || s->classes < 1) abort();
  for (int64_t i = 0; i < s->n; i++) {
    int32_t label;
    if (s->image(s, i, i ? NULL : &image, &label) != SKP_OK || label < 0 || label >= s->classes) abort();
  }
  skp__image_free(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static const char *const files[] = {"data_batch_1.bin", "train.bin"}, *const names[] = {"batches.meta.txt",
                                                                                          "fine_label_names.txt"};
  enum { RECORD = 1 + 3 * 32 * 32, MOST = 3 * (RECORD + 1) + 1 };
  static uint8_t file[MOST];
  if (size < 3) return 0;
  const int kind = bytes[0] & 1;
  const uint8_t *text = bytes + 1, *end = memchr(text, 0, size - 1);
  const size_t length = end ? (size_t)(end - text) : 0, rest = end ? size - 2 - length : size - 1;
  const size_t n = (size_t)(bytes[0] >> 2) % 4 * (size_t)(RECORD + kind) + (bytes[0] >> 1 & 1);
  const uint8_t *content = end ? end + 1 : text;
  for (size_t i = 0; i < n; i++) file[i] = rest ? content[i % rest] : 0;
  for (int i = 0; i < 2; i++) {
    folder_put(files[i], i == kind ? file : NULL, n);
    folder_put(names[i], i == kind && end ? text : NULL, length);
  }
  struct skp_source *s;
  if (skp__source_cifar(&s, &(struct skp__site){.path = folder()}, SKP_SPLIT_TRAIN) == SKP_OK)
    check_sound(s);
  else if (s || !*skp_error_message())
    abort();
  skp__source_destroy(s);
  return 0;
}
