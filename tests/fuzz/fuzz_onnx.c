/* fuzz_onnx.c: whatever the bytes, the reader of ONNX files fails with a text or yields weights whose sizes agree and a
 * model file that makes a network or fails with a text. SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "io/onnx.h"
#include "model/model.h"
#include <stdlib.h>
#include <string.h>

static void check_sound(const struct skp_st_file *f) {
  for (size_t i = 0; i < f->tensors; i++) {
    const struct skp_st_tensor *t = &f->tensor[i];
    int64_t count = 1;
    for (int d = 0; d < t->rank; d++) count *= t->dim[d];
    if (!t->name || t->rank > 4 || t->bytes != 4 * count || !t->data) abort();
  }
}

static void build(const struct skp_st_file *f) {
  struct skp_model *m;
  if (skp__model_parse(&m, "input", skp__st_meta(f, "model_source"), NULL, 0, 0, NULL) != SKP_OK &&
      !*skp_error_message())
    abort();
  skp__model_destroy(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  struct skp_st_file f;
  if (skp__onnx_parse(&f, bytes, (int64_t)size, "input", NULL) == SKP_OK) {
    check_sound(&f);
    build(&f);
  } else if (!*skp_error_message() || f.tensor) {
    abort();
  }
  skp__st_free(&f);
  return 0;
}
