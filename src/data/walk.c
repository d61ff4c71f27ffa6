/* walk.c: see walk.h. SPDX-License-Identifier: MIT */
#include "data/walk.h"
#include "base/file.h"
#include "base/listing.h"
#include "data/image.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DEEPEST = 32 }; /* folders in folders */

/* ---- lists ------------------------------------------------------------------------------------------------------- */

skp_status skp__tally_add(struct skp__tally *t, const char *what, long long n) {
  size_t i = 0;
  while (i < t->kinds.n && strcmp(t->kinds.at[i].what, what) != 0) i++;
  if (i == t->kinds.n) {
    SKP_TRY(SKP_GROW(&t->kinds));
    SKP_TRY(skp__strdup(&t->kinds.at[i].what, what));
  }
  t->kinds.at[i].n += n;
  return SKP_OK;
}

skp_status skp__tally_merge(struct skp__tally *t, const struct skp__tally *more) {
  for (size_t i = 0; i < more->kinds.n; i++) SKP_TRY(skp__tally_add(t, more->kinds.at[i].what, more->kinds.at[i].n));
  return SKP_OK;
}

void skp__tally_free(struct skp__tally *t) {
  for (size_t i = 0; i < t->kinds.n; i++) free(t->kinds.at[i].what);
  SKP_FREE(&t->kinds);
}

static int most_first(const void *a, const void *b) {
  const struct skp__kind *x = a, *y = b;
  return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : strcmp(x->what, y->what);
}

void skp__tally_say(const struct skp__tally *t, struct skp__text *to) {
  enum { SHOWN = 8 };
  if (t->kinds.n) qsort(t->kinds.at, t->kinds.n, sizeof *t->kinds.at, most_first);
  for (size_t i = 0; i < t->kinds.n && i < SHOWN; i++)
    skp__text_add(to, "%s%lld %s", i ? ", " : "", t->kinds.at[i].n, t->kinds.at[i].what);
  if (t->kinds.n > SHOWN) skp__text_add(to, " and %zu other kinds", t->kinds.n - SHOWN);
}

void skp__tally_remark(const struct skp__tally *t, const char *set, struct skp__text *to) {
  if (!t->kinds.n) return;
  skp__text_add(to, "Passed over in %s: ", set);
  skp__tally_say(t, to);
  skp__text_add(to, ".\n");
}

/* ---- one entry of a folder --------------------------------------------------------------------------------------- */

/* What systems and cameras leave beside pictures. */
static bool left_by_systems(const char *name) {
  static const char *const names[] = {"Thumbs.db", "ehthumbs.db", "desktop.ini", "__MACOSX", "@eaDir", "lost+found"};
  bool any = *name == '.';
  for (size_t i = 0; i < sizeof names / sizeof *names && !any; i++) any = strcasecmp(name, names[i]) == 0;
  return any;
}

enum entry { SYSTEM, PICTURE, FOLDER, OTHER, NOWHERE };

/* What the present entry of a folder is; of a link, what it leads to. */
static enum entry kind_of(const struct skp__listing *l) {
  if (left_by_systems(l->entry->d_name)) return SYSTEM;
  const bool named = skp__image_named(l->entry->d_name);
  switch (skp__entry_kind(l->dir, l->path, l->entry)) {
  case SKP_FILE: return named ? PICTURE : OTHER;
  case SKP_FOLDER: return FOLDER;
  case SKP_NOTHING: return named ? PICTURE : NOWHERE;
  default: return OTHER;
  }
}

static skp_status pass_over(struct skp__tally *t, const char *name, enum entry kind) {
  char ending[16];
  const char *dot = strrchr(name, '.');
  size_t n = dot ? strlen(dot) : 0;
  if (kind == NOWHERE) return skp__tally_add(t, "links that lead nowhere", 1);
  if (n < 2 || n >= sizeof ending || strpbrk(dot, " \n\t")) return skp__tally_add(t, "without an ending", 1);
  for (size_t i = 0; i <= n; i++) ending[i] = (char)tolower((unsigned char)dot[i]);
  return skp__tally_add(t, ending, 1);
}

/* ---- folders in folders ------------------------------------------------------------------------------------------ */

/* A folder and those that it lies in. */
struct place {
  const struct place *above;
  uint64_t device, number;
  int depth;
};

static bool enter(struct place *p, const struct skp__listing *l, const struct place *above) {
  struct skp__facts there;
  if (!skp__facts_open(&there, l->dir, l->path)) return false;
  *p = (struct place){above, there.device, there.number, above ? above->depth + 1 : 0};
  for (; above; above = above->above)
    if (above->device == p->device && above->number == p->number) return false;
  return p->depth <= DEEPEST;
}

struct found {
  char *name;    /* from the root */
  size_t folder; /* bytes of it that are its folder's */
};

struct walk {
  const char *root;
  struct skp__tally *passed;
  SKP_ARRAY(struct found) found;
};

static skp_status walk_folder(struct walk *w, const char *below, const struct place *above);

/* `below` "": the root. */
static skp_status join(char **out, const char *below, const char *name) {
  return *below ? skp__path_join(out, below, name) : skp__strdup(out, name);
}

static skp_status take(struct walk *w, const char *below, const char *name, enum entry kind, const struct place *in) {
  char *path;
  if (kind == SYSTEM) return SKP_OK;
  if (kind != PICTURE && kind != FOLDER) return pass_over(w->passed, name, kind);
  SKP_TRY(join(&path, below, name));
  if (kind == FOLDER) {
    skp_status status = walk_folder(w, path, in);
    free(path);
    return status;
  }
  skp_status status = SKP_GROW(&w->found);
  if (status == SKP_OK)
    w->found.at[w->found.n - 1] = (struct found){path, strlen(below)};
  else
    free(path);
  return status;
}

static skp_status walk_open(struct walk *w, struct skp__listing *l, const char *below, const struct place *above) {
  struct place here;
  skp_status status = SKP_OK;
  if (!enter(&here, l, above)) return skp__tally_add(w->passed, "folders without end", 1);
  while (skp__listing_next(l, &status)) status = take(w, below, l->entry->d_name, kind_of(l), &here);
  return status;
}

static skp_status walk_folder(struct walk *w, const char *below, const struct place *above) {
  char *path;
  struct skp__listing l;
  SKP_TRY(*below ? skp__path_join(&path, w->root, below) : skp__strdup(&path, w->root));
  skp_status status = skp__listing_open(&l, path);
  if (status == SKP_OK) status = walk_open(w, &l, below, above);
  skp__listing_close(&l);
  free(path);
  return status;
}

static int by_folder(const void *a, const void *b) {
  const struct found *x = a, *y = b;
  size_t common = x->folder < y->folder ? x->folder : y->folder;
  int order = memcmp(x->name, y->name, common);
  if (order) return order;
  if (x->folder != y->folder) return x->folder < y->folder ? -1 : 1;
  return strcmp(x->name, y->name);
}

skp_status skp__walk(skp__names *pictures, struct skp__tally *passed, const char *root, const char *below) {
  struct walk w = {.root = root, .passed = passed};
  struct skp__listing l;
  struct place top; /* a link to it would lead to the other classes */
  skp_status status = skp__listing_open(&l, root);
  const bool outer = *below && status == SKP_OK && enter(&top, &l, NULL);
  skp__listing_close(&l);
  if (status == SKP_OK) status = walk_folder(&w, below, outer ? &top : NULL);
  if (w.found.n) qsort(w.found.at, w.found.n, sizeof *w.found.at, by_folder);
  for (size_t i = 0; i < w.found.n; i++) {
    if (status == SKP_OK) status = SKP_GROW(pictures);
    if (status == SKP_OK)
      pictures->at[pictures->n - 1] = w.found.at[i].name;
    else
      free(w.found.at[i].name);
  }
  SKP_FREE(&w.found);
  return status;
}

skp_status skp__walk_top(skp__names *pictures, skp__names *folders, struct skp__tally *passed, const char *root) {
  struct skp__listing l;
  skp_status status = skp__listing_open(&l, root);
  while (skp__listing_next(&l, &status)) {
    const char *name = l.entry->d_name;
    enum entry kind = kind_of(&l);
    if (kind == PICTURE || kind == FOLDER) status = skp__names_add(kind == FOLDER ? folders : pictures, name);
    if (kind == OTHER || kind == NOWHERE) status = pass_over(passed, name, kind);
  }
  skp__listing_close(&l);
  skp__names_sort(pictures);
  skp__names_sort(folders);
  return status;
}

/* ---- is there any? ----------------------------------------------------------------------------------------------- */

static skp_status search(bool *found, const char *path, const struct place *above, bool deep);

static skp_status search_in(bool *found, const struct skp__listing *l, const struct place *here) {
  char *inner;
  SKP_TRY(skp__path_join(&inner, l->path, l->entry->d_name));
  skp_status status = search(found, inner, here, true);
  free(inner);
  return status;
}

/* What may not be opened holds none. */
static skp_status search(bool *found, const char *path, const struct place *above, bool deep) {
  struct skp__listing l;
  struct place here;
  skp_status status = skp__listing_open(&l, path);
  if (status != SKP_OK) return status == SKP_MEMORY ? status : SKP_OK;
  const bool entered = enter(&here, &l, above);
  while (entered && !*found && skp__listing_next(&l, &status)) {
    const enum entry kind = kind_of(&l);
    *found = kind == PICTURE;
    if (kind == FOLDER && deep) status = search_in(found, &l, &here);
  }
  skp__listing_close(&l);
  return status;
}

skp_status skp__holds_pictures(bool *out, const char *path) {
  *out = false;
  return search(out, path, NULL, false);
}

skp_status skp__holds_pictures_below(bool *out, const char *path) {
  *out = false;
  return search(out, path, NULL, true);
}
