/* fuzz_safetensors.c: whatever the bytes, the reader fails with a text or yields tensors that lie within the file.
 * SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "io/safetensors.h"
#include <stdlib.h>
#include <string.h>

static void check_sound(const struct skp_st_file *f) {
  const char *at = f->tensors ? f->tensor[0].data : NULL, *end = (const char *)f->memory + f->size;
  for (size_t i = 0; i < f->tensors; i++) {
    const struct skp_st_tensor *t = &f->tensor[i];
    if (t->data != at || t->bytes < 0 || t->bytes > end - at || t->rank > 8) abort();
    if (skp__st_find(f, t->name) != t) abort();
    at += t->bytes;
  }
  if (f->tensors && at != end) abort();
  for (size_t i = 0; i < f->metas; i++)
    if (!skp__st_meta(f, f->meta[i].key)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  struct skp_st_file f;
  if (skp__st_parse(&f, bytes, (int64_t)size, "input") == SKP_OK)
    check_sound(&f);
  else if (strncmp(skp_error_message(), "input", 5) || f.memory)
    abort();
  skp__st_free(&f);
  return 0;
}
