/* walk.h: the pictures below a folder, and what else lies there. SPDX-License-Identifier: MIT */
#ifndef SKP_DATA_WALK_H
#define SKP_DATA_WALK_H

#include "base/names.h"
#include "base/text.h"
#include <stdbool.h>

/* What is passed over, by kind. Begins all zero. */
struct skp__tally {
  SKP_ARRAY(struct skp__kind {
    char *what; /* ".txt" */
    long long n;
  })
  kinds;
};
skp_status skp__tally_add(struct skp__tally *t, const char *what, long long n);
skp_status skp__tally_merge(struct skp__tally *t, const struct skp__tally *more);
void skp__tally_free(struct skp__tally *t);
/* "12 .txt, 3 .psd", the most first; nothing where nothing was passed over. */
void skp__tally_say(const struct skp__tally *t, struct skp__text *to);
/* The same as a line of remarks about a set. */
void skp__tally_remark(const struct skp__tally *t, const char *set, struct skp__text *to);

/* Appends the pictures in the folder ROOT/BELOW ("": ROOT) and at any depth under it, named from ROOT, in the order of
 * torchvision's ImageFolder: folder by folder, sorted by their paths, then by name. Links are followed, except to a
 * folder that they lie in; one that leads nowhere but is called as a picture is listed, too: it is a picture that is
 * missing. What else there is is counted in `passed`; hidden files and those that
 * systems leave everywhere (Thumbs.db) do not count. */
skp_status skp__walk(skp__names *pictures, struct skp__tally *passed, const char *root, const char *below);
/* The same of the folder's own files alone; `folders` receives the sorted names of the folders in it. */
skp_status skp__walk_top(skp__names *pictures, skp__names *folders, struct skp__tally *passed, const char *root);
/* Whether there is a picture in the folder itself; at any depth. A folder that may not be opened holds none; SKP_IO:
 * one can be read in part alone. */
skp_status skp__holds_pictures(bool *out, const char *path);
skp_status skp__holds_pictures_below(bool *out, const char *path);

#endif
