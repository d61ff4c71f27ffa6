/* tree.h: what <search.h> leaves out of its trees. SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_TREE_H
#define SKP_BASE_TREE_H

/* Takes a tree of tsearch apart: each item goes to `drop`, the root becomes NULL. */
void skp__tree_free(void **root, void (*drop)(void *item));

#endif
