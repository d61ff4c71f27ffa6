/* fuzz_lua.c: whatever a model file says, it makes a network or fails with a text, in bounded time and memory. After a
 * zero may follow settings: NAME, zero, VALUE. SPDX-License-Identifier: MIT */
#include "model/model.h"
#include "parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  struct parts p = parts_of(bytes, size);
  struct skp_setting set[PARTS / 2];
  size_t sets = 0;
  for (int i = 1; i + 1 < p.n; i += 2) set[sets++] = (struct skp_setting){p.text[i], p.text[i + 1]};
  struct skp_model *m;
  if (skp__model_parse(&m, "input", p.text[0], set, sets, 0, NULL) != SKP_OK) {
    if (m || !*skp_error_message()) abort();
  } else if (!m->graph || m->recipe.classes < 1) {
    abort();
  }
  skp__model_destroy(m);
  free(p.memory);
  return 0;
}
