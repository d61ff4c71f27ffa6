/* layout.h: which folders of a set of pictures are its parts, and which are classes. SPDX-License-Identifier: MIT */
#ifndef SKP_DATA_LAYOUT_H
#define SKP_DATA_LAYOUT_H

#include "data/source.h"
#include "data/walk.h"

struct skp__layout {
  char *root[SKP_SPLITS]; /* of each part, the folder of its class folders; NULL: there is none */
  bool parts;             /* they are folders in the set's own; else that one is the training images' root */
  skp__names left;        /* folders that are called as a part that another one is */
};
/* The part that a name means: train, Validation, …; SKP_SPLITS: none. *usual: it is spelled as most do; may be NULL. */
int skp__part_of(bool *usual, const char *name);
/* SKP_OK also where nothing is found, then all roots are NULL. */
skp_status skp__layout_find(struct skp__layout *out, const char *path);
void skp__layout_free(struct skp__layout *l);

#endif
