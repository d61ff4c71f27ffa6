/* picture_set.h: labelled picture files as a source; who finds them lists them. SPDX-License-Identifier: MIT
 *
 *   create ─> class, add: as often as there are classes and pictures ─> look ─> base, a source */
#ifndef SKP_DATA_PICTURE_SET_H
#define SKP_DATA_PICTURE_SET_H

#include "base/array.h"
#include "base/text.h"
#include "data/cache.h"
#include "data/source.h"
#include "data/walk.h"

struct skp__listed {
  char *path;  /* from the root, or that of the file system, in whatever bytes */
  char *shown; /* the same as text; NULL: it is */
  int32_t label;
  const char *archive; /* one of the set's, which it lies in; NULL: it is a file */
  int64_t position;    /* there */
};

struct skp__picture_set {
  struct skp_source base;
  char *root, *title; /* where paths begin; what texts call the set */
  SKP_ARRAY(struct skp__listed) files;
  skp__names names, keys;   /* of the classes; what they are found by */
  skp__names archives;      /* from the root */
  struct skp__cache *cache; /* NULL: the set is too large */
  int64_t faint;            /* pictures that will be nearly black; see struct skp_image */
};

/* An empty one. `name`: what people gave as the data; `root`: the folder where relative paths begin. Ends with
 * skp__source_destroy of its base. */
skp_status skp__picture_set_create(struct skp__picture_set **out, const char *name, const char *root,
                                   const char *title);
/* The label of the class of that name, which is added if it is new: names that are the same text in other forms of
 * Unicode are one class. */
skp_status skp__picture_set_class(int32_t *label, struct skp__picture_set *f, const char *name);
/* The same of a name that may be no text: as it is shown. */
skp_status skp__picture_set_class_shown(int32_t *label, struct skp__picture_set *f, const char *name);
/* Adds a picture of a class, -1: of none known; takes `path` over, also where this fails. */
skp_status skp__picture_set_add(struct skp__picture_set *f, char *path, int32_t label);
/* The picture that was added last lies in `archive`, one of the set's `archives`, which is borrowed; its header is at
 * that position, and its path is but a name. */
void skp__picture_set_within(struct skp__picture_set *f, const char *archive, int64_t position);
/* Reads all headers, and decodes what is kept in memory; damage is noted, lines for people go to `remarks`. */
skp_status skp__picture_set_look(struct skp__picture_set *f, struct skp__text *remarks);

#endif
