/* fuzz_recipe.c: whatever entries of a recipe are set to, they take it or fail with a text; what they took reads back.
 * The bytes are NAME, zero, VALUE, zero, and so on. SPDX-License-Identifier: MIT */
#include "model/recipe.h"
#include "parts.h"

static void check_again(const struct skp_recipe *r, const struct skp_recipe_field *field) {
  char first[SKP_RECIPE_TEXT_MOST], second[SKP_RECIPE_TEXT_MOST];
  struct skp_recipe other;
  skp__recipe_default(&other);
  skp__recipe_get(first, sizeof first, r, field);
  if (skp__recipe_set(&other, field->name, first) != SKP_OK) abort();
  if (strcmp(first, skp__recipe_get(second, sizeof second, &other, field))) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  struct parts p = parts_of(bytes, size);
  struct skp_recipe r;
  skp__recipe_default(&r);
  for (int i = 0; i + 1 < p.n; i += 2) {
    const struct skp_recipe_field *field = skp__recipe_find(p.text[i]);
    if (skp__recipe_set(&r, p.text[i], p.text[i + 1]) != SKP_OK) {
      if (!*skp_error_message()) abort();
    } else if (!field) {
      abort();
    } else {
      check_again(&r, field);
    }
  }
  free(p.memory);
  return 0;
}
