/* fuzz_pickle.c: whatever the bytes, the pickle machine fails with a text or yields values that name only each other.
 * SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "io/pickle.h"
#include <stdlib.h>
#include <string.h>

static void check_sound(const struct skp_pickle *p) {
  if (p->root < 0 || (size_t)p->root >= p->value.n) abort();
  for (size_t i = 0; i < p->value.n; i++) {
    const struct skp_pickle_node *node = &p->value.at[i];
    for (size_t k = 0; k < node->items.n; k++)
      if (node->items.at[k] < 0 || (size_t)node->items.at[k] >= p->value.n) abort();
    if (node->kind == SKP_PICKLE_DICT && node->items.n % 2) abort();
    if ((node->kind == SKP_PICKLE_TEXT || node->kind == SKP_PICKLE_GLOBAL) && !node->text) abort();
    skp__pickle_get(p, node, "state_dict");
    skp__pickle_calls(p, node, "torch._utils _rebuild_tensor_v2");
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  struct skp_pickle p;
  if (skp__pickle_parse(&p, bytes, (int64_t)size, "input") == SKP_OK)
    check_sound(&p);
  else if (strncmp(skp_error_message(), "input: the pickle", 17))
    abort();
  skp__pickle_free(&p);
  return 0;
}
