/* layout.c: which folders of a set of pictures are its parts, and which are classes. SPDX-License-Identifier: MIT
 *
 *   DIR/train/CLASS/…/picture.jpg, and DIR/val and DIR/test likewise; or DIR/CLASS/…/picture.jpg
 *
 * Classes may have the names of parts. A folder that is called as a part is one where there are class folders in it:
 * folders with pictures, not pictures alone. So DIR/train/picture.jpg beside DIR/other/picture.jpg makes both classes;
 * but where nothing else holds pictures it is a part whose pictures have no class. */
#include "data/layout.h"
#include "base/file.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What parts are called, in any case. */
static const struct {
  const char *name;
  skp_split split;
} part_names[] = {
    {"train", SKP_SPLIT_TRAIN}, {"training", SKP_SPLIT_TRAIN}, {"val", SKP_SPLIT_VALID},
    {"valid", SKP_SPLIT_VALID}, {"validate", SKP_SPLIT_VALID}, {"validation", SKP_SPLIT_VALID},
    {"test", SKP_SPLIT_TEST},   {"testing", SKP_SPLIT_TEST},
};

int skp__part_of(bool *usual, const char *name) {
  if (usual) *usual = false;
  for (size_t i = 0; i < sizeof part_names / sizeof *part_names; i++) {
    if (strcasecmp(name, part_names[i].name) != 0) continue;
    if (usual) *usual = strcmp(name, part_names[i].name) == 0;
    return (int)part_names[i].split;
  }
  return SKP_SPLITS;
}

struct candidate {
  char *path;
  int part;
  bool loose, classes, any; /* pictures in it; folders with pictures; either */
  bool usual;               /* train, not Train */
};

static skp_status holds_classes(bool *out, const char *path) {
  skp__names loose = {NULL, 0, 0}, folders = {NULL, 0, 0};
  struct skp__tally passed = {.kinds = {.n = 0}};
  *out = false;
  skp_status status = skp__walk_top(&loose, &folders, &passed, path);
  for (size_t i = 0; i < folders.n && status == SKP_OK && !*out; i++) {
    char *inner;
    status = skp__path_join(&inner, path, folders.at[i]);
    if (status == SKP_OK) status = skp__holds_pictures_below(out, inner);
    free(inner);
  }
  skp__names_free(&loose);
  skp__names_free(&folders);
  skp__tally_free(&passed);
  SKP_TRY_MEMORY(status);
  return SKP_OK;
}

static skp_status look(struct candidate *c, const char *path, const char *name) {
  c->part = skp__part_of(&c->usual, name);
  SKP_TRY(skp__path_join(&c->path, path, name));
  if (c->part == SKP_SPLITS) return skp__holds_pictures_below(&c->any, c->path);
  SKP_TRY(skp__holds_pictures(&c->loose, c->path));
  SKP_TRY(holds_classes(&c->classes, c->path));
  c->any = c->loose || c->classes;
  return SKP_OK;
}

/* Of two folders that are called as one part one that holds anything counts, then one
 * that is called as usual, then the first. */
static skp_status take_part(struct skp__layout *l, int *best, struct candidate *c) {
  const int rank = 2 * c->any + c->usual;
  char **root = &l->root[c->part];
  if (*root && rank <= *best) return skp__names_add(&l->left, c->path);
  if (*root) SKP_TRY(skp__names_add(&l->left, *root));
  free(*root);
  *root = c->path;
  c->path = NULL;
  *best = rank;
  return SKP_OK;
}

static skp_status decide(struct skp__layout *l, struct candidate *c, size_t n, const char *path) {
  bool others = false, classes = false, named = false;
  int best[SKP_SPLITS] = {0};
  for (size_t i = 0; i < n; i++) others = others || (c[i].part == SKP_SPLITS && c[i].any);
  for (size_t i = 0; i < n; i++) {
    named = named || c[i].part != SKP_SPLITS;
    classes = classes || (c[i].classes && !(c[i].loose && others));
  }
  l->parts = classes || (named && !others);
  if (!l->parts) return skp__strdup(&l->root[SKP_SPLIT_TRAIN], path);
  for (size_t i = 0; i < n; i++)
    if (c[i].part != SKP_SPLITS) SKP_TRY(take_part(l, &best[c[i].part], &c[i]));
  return SKP_OK;
}

skp_status skp__layout_find(struct skp__layout *out, const char *path) {
  skp__names loose = {NULL, 0, 0}, folders = {NULL, 0, 0};
  struct skp__tally passed = {.kinds = {.n = 0}};
  struct candidate *c = NULL;
  *out = (struct skp__layout){.parts = false};
  skp_status status = skp__walk_top(&loose, &folders, &passed, path);
  if (status == SKP_OK) status = skp__alloc(&c, folders.n, sizeof *c);
  for (size_t i = 0; i < folders.n && status == SKP_OK; i++) status = look(&c[i], path, folders.at[i]);
  if (status == SKP_OK && (folders.n || loose.n)) status = decide(out, c, folders.n, path);
  for (size_t i = 0; c && i < folders.n; i++) free(c[i].path);
  free(c);
  skp__names_free(&loose);
  skp__names_free(&folders);
  skp__tally_free(&passed);
  return status;
}

void skp__layout_free(struct skp__layout *l) {
  for (int i = 0; i < SKP_SPLITS; i++) free(l->root[i]);
  skp__names_free(&l->left);
}
