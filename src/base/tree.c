/* tree.c: see tree.h. SPDX-License-Identifier: MIT */
#include "base/tree.h"
#include <search.h>
#include <stddef.h>

/* Whatever is sought, the root is it. */
static int root_is_it(const void *a, const void *b) {
  (void)a, (void)b;
  return 0;
}

void skp__tree_free(void **root, void (*drop)(void *item)) {
  while (*root) {
    void *item = *(void **)*root; /* a node begins with its item */
    tdelete(item, root, root_is_it);
    drop(item);
  }
}
