/* fuzz_torch.c: whatever the bytes, the reader of PyTorch's files fails with a text or
 * yields tensors whose sizes agree.
 * SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "io/weights.h"
#include <stdlib.h>
#include <string.h>

static void check_sound(const struct skp_st_file *f) {
  for (size_t i = 0; i < f->tensors; i++) {
    const struct skp_st_tensor *t = &f->tensor[i];
    int64_t count = 1;
    for (int d = 0; d < t->rank; d++) count *= t->dim[d];
    if (!t->name || t->bytes < 0 || t->rank > 8 || (count ? t->bytes % count : t->bytes)) abort();
    if (!t->bytes || !skp__weights_real(t)) continue; /* values that are not read take no memory, whatever the shape */
    float *values = malloc((size_t)count * sizeof *values);
    if (!values || (skp__weights_floats(values, t) != SKP_OK && !*skp_error_message())) abort();
    free(values);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  struct skp_st_file f;
  if (skp__weights_parse(&f, bytes, (int64_t)size, "input") == SKP_OK)
    check_sound(&f);
  else if (strncmp(skp_error_message(), "input", 5) || f.tensor)
    abort();
  skp__st_free(&f);
  return 0;
}
