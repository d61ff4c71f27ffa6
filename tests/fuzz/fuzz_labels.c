/* fuzz_labels.c: whatever classes are called, those of a set find places among a network's, or it is refused with a
 * text. The first byte says how many of the names are the network's. SPDX-License-Identifier: MIT */
#include "data/source.h"
#include "parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  if (size < 2) return 0;
  static const uint8_t pixels[PARTS];
  struct parts p = parts_of(bytes + 1, size - 1);
  const int known = bytes[0] % (p.n + 1), classes = p.n - known;
  struct skp_labels network = {.names = (char **)p.text, .known = known, .classes = known ? known : 1};
  int32_t labels[PARTS];
  for (int i = 0; i < classes; i++) labels[i] = i;
  struct skp_source *set = NULL, *view = NULL;
  const struct skp_held_images held = {.bytes = pixels,
                                       .n = classes,
                                       .H = 1,
                                       .W = 1,
                                       .C = 1,
                                       .labels = labels,
                                       .classes = classes,
                                       .names = p.text + known};
  if (classes && skp__source_memory(&set, &held) == SKP_OK) {
    (void)skp__labels_by_number(&network, set);
    if (skp__source_relabel_view(&view, set, &network, false) == SKP_OK) {
      for (int64_t i = 0; i < view->n; i++) {
        int32_t label;
        if (view->image(view, i, NULL, &label) != SKP_OK || label < -1 || label >= network.classes) abort();
      }
    } else if (!*skp_error_message()) {
      abort();
    }
  }
  skp__source_destroy(view);
  skp__source_destroy(set);
  free(p.memory);
  return 0;
}
