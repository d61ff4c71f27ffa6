/* open.c: finds out what kind of data a name or a folder stands for. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "base/file.h"
#include "data/source.h"
#include "data/walk.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Kinds of folders, in the order in which they are tried. */
static const struct kind {
  const char *what; /* what was looked for; NULL: it is not read, but what to do is said */
  const char
      *within[6]; /* where below the folder its files may lie: "": there; as archives unpack; one * for any folder */
  bool valid;     /* there may be a part for validation */
  skp_status (*found)(bool *out, const char *folder);
  skp_status (*open)(struct skp_source **out, struct skp__site *site, skp_split split);
} kinds[] = {
    {"IDX files (train-images-idx3-ubyte and train-labels-idx1-ubyte, t10k-…, emnist-…; plain or .gz)",
     {"", "raw", "*/raw", "gzip"},
     false,
     skp__source_idx_found,
     skp__source_idx},
    {"CIFAR binary files (data_batch_1.bin … and test_batch.bin, or train.bin and test.bin)",
     {"", "cifar-10-batches-bin", "cifar-100-binary"},
     false,
     skp__source_cifar_found,
     skp__source_cifar},
    {NULL, {"", "cifar-10-batches-py", "cifar-100-python"}, false, skp__source_pickles_found, skp__source_pickles},
    {"archives of pictures (*.tar, or train/*.tar and test/*.tar)",
     {""},
     true,
     skp__source_shards_found,
     skp__source_shards},
    {"image folders (train/CLASS/*.jpg and test/CLASS/*.jpg, or CLASS/*.jpg; or other pictures)",
     {""},
     true,
     skp__source_folder_found,
     skp__source_folder},
    {"or, instead of a folder, FILE.csv that lists pictures (columns path and label)",
     {""},
     true,
     skp__source_csv_found,
     skp__source_csv},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Appends to a text of limited size; what does not fit is cut. */
static void append(char *text, size_t size, const char *more) { strncat(text, more, size - strlen(text) - 1); }

/* The first few names in a folder, for people. */
static void list_folder(char *text, size_t size, const char *folder) {
  enum { SHOWN = 8 };
  skp__names names = {NULL, 0, 0};
  const bool listed = skp__names_in(&names, folder) == SKP_OK;
  if (!names.n) append(text, size, listed ? "nothing" : "(it cannot be listed)");
  for (size_t i = 0; i < names.n && i < SHOWN; i++) {
    append(text, size, i ? ", " : "");
    append(text, size, names.at[i]);
  }
  if (names.n > SHOWN) append(text, size, ", …");
  skp__names_free(&names);
}

static skp_status fail_folder(const char *folder) {
  char wanted[1024] = "", there[1024] = "";
  for (size_t k = 0; k < COUNT(kinds); k++) {
    if (!kinds[k].what) continue;
    append(wanted, sizeof wanted, k ? "; " : "");
    append(wanted, sizeof wanted, kinds[k].what);
  }
  list_folder(there, sizeof there, folder);
  return skp__fail(SKP_FORMAT, "The folder %s holds no data that Skipper knows. Looked for: %s. What lies there: %s.",
                   folder, wanted, there);
}

static skp_status fail_name(const char *data) {
  char names[256] = "";
  for (size_t k = 0; skp__source_known(k); k++) {
    append(names, sizeof names, k ? ", " : "");
    append(names, sizeof names, skp__source_known(k));
  }
  if (skp__file_exists(data))
    return skp__fail(SKP_IO,
                     "'%s' is a file; data lie in folders, or are a list, FILE.csv, or an archive, FILE.tar. Unpack it "
                     "if it is another archive, and name the folder.",
                     data);
  return skp__fail(SKP_IO, "'%s' is neither a folder nor a built-in data set (there is: %s).", data, names);
}

/* ---- where the files lie ----------------------------------------------------------------------------------------- */

static skp_status add_place(skp__names *places, const struct kind *kind, const char *folder, const char *below) {
  char *path;
  bool found = false;
  SKP_TRY(*below ? skp__path_join(&path, folder, below) : skp__strdup(&path, folder));
  skp_status status = kind->found(&found, path);
  if (status == SKP_OK && found) status = skp__names_add(places, path);
  free(path);
  return status;
}

/* Those places below `data` that a pattern means where files of the kind lie. */
static skp_status add_places(skp__names *places, const struct kind *kind, const char *data, const char *pattern) {
  skp__names names = {NULL, 0, 0};
  if (*pattern != '*') return add_place(places, kind, data, pattern);
  skp_status status = skp__names_in(&names, data);
  if (status == SKP_IO) status = SKP_OK; /* it may be a file, or another kind's */
  for (size_t i = 0; i < names.n && status == SKP_OK; i++) {
    char *folder = NULL;
    status = skp__path_join(&folder, data, names.at[i]);
    if (status == SKP_OK) status = add_place(places, kind, folder, pattern + strlen("*/"));
    free(folder);
  }
  skp__names_free(&names);
  return status;
}

static skp_status fail_several(const char *data, const skp__names *places) {
  struct skp__text text = {.n = 0};
  for (size_t i = 0; i < places->n; i++) skp__text_add(&text, "%s%s", i ? ", " : "", places->at[i]);
  return skp__fail(SKP_FORMAT, "The folder %s holds several sets: %s. Name one of them.", data, text.at);
}

/* The one place where files of the kind lie, in fresh memory; NULL: none. */
static skp_status find_place(char **out, const struct kind *kind, const char *data) {
  skp__names places = {NULL, 0, 0};
  skp_status status = SKP_OK;
  *out = NULL;
  for (int i = 0; kind->within[i] && status == SKP_OK && !places.n; i++)
    status = add_places(&places, kind, data, kind->within[i]);
  if (status == SKP_OK && places.n > 1) status = fail_several(data, &places);
  if (status == SKP_OK && places.n) status = skp__strdup(out, places.at[0]);
  skp__names_free(&places);
  return status;
}

/* People know it by the name that they gave. */
static skp_status rename_source(struct skp_source *s, const char *data) {
  free(s->name);
  return skp__strdup(&s->name, data);
}

/* ---- its parts --------------------------------------------------------------------------------------------------- */

/* One of the sets that the name stands for. */
struct set {
  char *name, *path;
  const struct kind *kind; /* NULL: it is built in */
  struct skp__site site;
};

struct skp__opening {
  char *data;
  SKP_ARRAY(struct set) sets;
};

static skp_status find(struct set *s) {
  if (skp__source_built_in(s->name)) return SKP_OK;
  for (size_t k = 0; k < COUNT(kinds); k++) {
    SKP_TRY(find_place(&s->path, &kinds[k], s->name));
    if (!s->path) continue;
    s->kind = &kinds[k];
    s->site.path = s->path;
    return SKP_OK;
  }
  return skp__folder_exists(s->name) ? fail_folder(s->name) : fail_name(s->name);
}

static skp_status find_all(struct skp__opening *o, const skp__names *names) {
  for (size_t i = 0; i < names->n; i++) {
    SKP_TRY(SKP_GROW(&o->sets));
    struct set *s = &o->sets.at[i];
    *s = (struct set){.name = NULL};
    SKP_TRY(skp__strdup(&s->name, names->at[i]));
    SKP_TRY(find(s));
  }
  return SKP_OK;
}

skp_status skp__opening_begin(struct skp__opening **out, const char *data) {
  struct skp__opening *o;
  skp__names names = {NULL, 0, 0};
  *out = NULL;
  SKP_TRY(skp__alloc(&o, 1, sizeof *o));
  skp_status status = skp__strdup(&o->data, data);
  if (status == SKP_OK) status = skp__source_names(&names, data);
  if (status == SKP_OK) status = find_all(o, &names);
  skp__names_free(&names);
  if (status == SKP_OK)
    *out = o;
  else
    skp__opening_end(o);
  return status;
}

static skp_status open_one(struct skp_source **out, struct set *s, skp_split split) {
  *out = NULL;
  if (!s->kind) return skp__source_generated(out, s->name, split);
  if (split == SKP_SPLIT_VALID && !s->kind->valid) return SKP_OK;
  SKP_TRY(s->kind->open(out, &s->site, split));
  skp_status status = *out ? rename_source(*out, s->name) : SKP_OK;
  if (status == SKP_OK) return SKP_OK;
  skp__source_destroy(*out);
  *out = NULL;
  return status;
}

/* Those of the sets that have the part, as one. */
static skp_status open_several(struct skp_source **out, struct skp__opening *o, skp_split split) {
  struct skp_source **parts;
  size_t n = 0;
  skp_status status = SKP_OK;
  *out = NULL;
  SKP_TRY(skp__alloc(&parts, o->sets.n, sizeof *parts));
  for (size_t i = 0; i < o->sets.n && status == SKP_OK; i++) {
    status = open_one(&parts[n], &o->sets.at[i], split);
    n += parts[n] != NULL;
  }
  if (status == SKP_OK && n)
    status = skp__source_several(out, o->data, parts, n);
  else
    for (size_t i = 0; i < n; i++) skp__source_destroy(parts[i]);
  free(parts);
  return status;
}

/* What one of several sets has of a class is enough to learn it. */
skp_status skp__opening_part(struct skp_source **out, struct skp__opening *o, skp_split split) {
  SKP_TRY(o->sets.n == 1 ? open_one(out, &o->sets.at[0], split) : open_several(out, o, split));
  if (split != SKP_SPLIT_TRAIN) return SKP_OK;
  skp_status status = skp__source_check_classes(*out);
  if (status == SKP_OK) return SKP_OK;
  skp__source_destroy(*out);
  *out = NULL;
  return status;
}

void skp__opening_end(struct skp__opening *o) {
  if (!o) return;
  for (size_t i = 0; i < o->sets.n; i++) {
    struct set *s = &o->sets.at[i];
    if (s->site.known) s->site.forget(s->site.known);
    free(s->path);
    free(s->name);
  }
  SKP_FREE(&o->sets);
  free(o->data);
  free(o);
}

skp_status skp__source_open(struct skp_source **out, const char *data, skp_split split) {
  struct skp__opening *o;
  *out = NULL;
  SKP_TRY(skp__opening_begin(&o, data));
  skp_status status = skp__opening_part(out, o, split);
  skp__opening_end(o);
  return status;
}
