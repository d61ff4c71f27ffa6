/* fuzz_metadata.c: whatever a checkpoint says of its network, that is built or refused with a text. The bytes are the
 * entries' values with zeros between them, in the order below. SPDX-License-Identifier: MIT */
#include "parts.h"
#include "train/checkpoint/metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static char *const keys[] = {"model_source", "settings", "recipe", "classes", "model_name", "data_kind"};
  enum { KEYS = sizeof keys / sizeof *keys };
  struct parts p = parts_of(bytes, size);
  struct skp_st_meta meta[KEYS];
  struct skp_st_file file = {.meta = meta};
  for (int i = 0; i < KEYS && i < p.n; i++) meta[file.metas++] = (struct skp_st_meta){keys[i], (char *)p.text[i]};
  struct skp_model *m;
  struct skp_labels labels = {.names = NULL};
  if (skp__metadata_model(&m, &labels, &file, "input") == SKP_OK) {
    if (!m || labels.known > labels.classes || labels.classes != m->recipe.classes) abort();
    skp__labels_free(&labels);
  } else if (m || !*skp_error_message()) {
    abort();
  }
  skp__model_destroy(m);
  free(p.memory);
  return 0;
}
