/* cifar.c: the binary files of CIFAR-10 and CIFAR-100 (https://www.cs.toronto.edu/~kriz/cifar.html).
 * SPDX-License-Identifier: MIT
 *
 * A file is nothing but records: label bytes, of which the last is the class, then the
 * red, the green and the blue plane. */
#include "base/array.h"
#include "base/file.h"
#include "base/utf8.h"
#include "data/source.h"
#include <stdlib.h>
#include <string.h>

enum { SIDE = 32, PLANE = SIDE * SIDE, FILES = 5, MAX_LABELS = 2 };

static const struct kind {
  const char *name;
  int labels, classes[MAX_LABELS]; /* bytes before the pixels, and how many values each may have */
  const char *files[2][FILES];     /* by split */
  const char *names;               /* the file of the classes' names */
  const char *pickles[2], *fetch;  /* files of the version for Python; what fetches the binary one */
} kinds[] = {
    {"CIFAR-10",
     1,
     {10},
     {{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
      {"test_batch.bin"}},
     "batches.meta.txt",
     {"data_batch_1", "batches.meta"},
     "cifar10"},
    {"CIFAR-100", 2, {20, 100}, {{"train.bin"}, {"test.bin"}}, "fine_label_names.txt", {"train", "meta"}, "cifar100"},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

struct cifar {
  struct skp_source base;
  const struct kind *kind;
  uint8_t *records[FILES]; /* each file's content */
  int64_t n[FILES];        /* records in it */
};

static int64_t record_size(const struct kind *k) { return k->labels + 3 * PLANE; }

/* ---- finding the files ------------------------------------------------------------------------------------------- */

static skp_status holds_file(bool *out, const char *folder, const char *name) {
  char *path;
  SKP_TRY(skp__path_join(&path, folder, name));
  *out = skp__file_exists(path);
  free(path);
  return SKP_OK;
}

/* Whether any of the kind's files, of one split, lies in the folder. */
static skp_status holds(bool *out, const char *folder, const struct kind *k, int split) {
  *out = false;
  for (int f = 0; f < FILES && k->files[split][f] && !*out; f++) SKP_TRY(holds_file(out, folder, k->files[split][f]));
  return SKP_OK;
}

/* The kind whose files lie in the folder; NULL: none. */
static skp_status find(const struct kind **out, const char *folder) {
  *out = NULL;
  for (int i = 0; i < KINDS && !*out; i++) {
    bool train, test;
    SKP_TRY(holds(&train, folder, &kinds[i], SKP_SPLIT_TRAIN));
    SKP_TRY(holds(&test, folder, &kinds[i], SKP_SPLIT_TEST));
    if (train || test) *out = &kinds[i];
  }
  return SKP_OK;
}

skp_status skp__source_cifar_found(bool *out, const char *folder) {
  const struct kind *kind;
  SKP_TRY(find(&kind, folder));
  *out = kind != NULL;
  return SKP_OK;
}

/* The version for Python: pickles, which are programs as much as data. */
static skp_status find_pickles(const struct kind **out, const char *folder) {
  *out = NULL;
  for (int i = 0; i < KINDS && !*out; i++) {
    bool data, names;
    SKP_TRY(holds_file(&data, folder, kinds[i].pickles[0]));
    SKP_TRY(holds_file(&names, folder, kinds[i].pickles[1]));
    if (data && names) *out = &kinds[i];
  }
  return SKP_OK;
}

skp_status skp__source_pickles_found(bool *out, const char *folder) {
  const struct kind *kind;
  SKP_TRY(find_pickles(&kind, folder));
  *out = kind != NULL;
  return SKP_OK;
}

skp_status skp__source_pickles(struct skp_source **out, struct skp__site *site, skp_split split) {
  const char *folder = site->path;
  const struct kind *kind;
  (void)split;
  *out = NULL;
  SKP_TRY(find_pickles(&kind, folder));
  return skp__fail(SKP_UNSUPPORTED,
                   "%s holds %s as Python pickles, which are not read. The binary version has the same images: "
                   "tools/download %s fetches it into data/%s.",
                   folder, kind ? kind->name : "CIFAR", kind ? kind->fetch : "cifar10", kind ? kind->fetch : "cifar10");
}

/* ---- reading them ------------------------------------------------------------------------------------------------ */

static skp_status check_labels(const struct kind *k, const char *path, const uint8_t *record, int64_t n) {
  for (int64_t i = 0; i < n; i++, record += record_size(k))
    for (int l = 0; l < k->labels; l++)
      if (record[l] >= k->classes[l])
        return skp__fail(SKP_FORMAT,
                         "%s: record %lld has the label %d; %s has labels from 0 to %d there. It is damaged, or holds "
                         "something else.",
                         path, (long long)i, record[l], k->name, k->classes[l] - 1);
  return SKP_OK;
}

/* Appends a file's records; a missing file is passed over: check_series let it be. */
static skp_status read_file(struct cifar *c, int f, const char *path) {
  static const int64_t limit = (int64_t)1 << 30;
  int64_t size, record = record_size(c->kind);
  void *bytes;
  if (!skp__file_exists(path)) return SKP_OK;
  SKP_TRY(skp__file_read(&bytes, &size, path, limit));
  c->records[f] = bytes;
  if (!size || size % record)
    return skp__fail(SKP_FORMAT,
                     "%s has %lld bytes; a file of %s is made of records of %lld bytes (%d of labels, 3 × %d × %d of "
                     "pixels). It is %s, or something else.",
                     path, (long long)size, c->kind->name, (long long)record, c->kind->labels, SIDE, SIDE,
                     size ? "truncated" : "empty");
  c->n[f] = size / record;
  c->base.n += c->n[f];
  return check_labels(c->kind, path, bytes, c->n[f]);
}

static skp_status read_files(struct cifar *c, const char *folder, skp_split split) {
  for (int f = 0; f < FILES && c->kind->files[split][f]; f++) {
    char *path;
    SKP_TRY(skp__path_join(&path, folder, c->kind->files[split][f]));
    skp_status status = read_file(c, f, path);
    free(path);
    SKP_TRY(status);
  }
  return SKP_OK;
}

/* ---- names of the classes ---------------------------------------------------------------------------------------- */

/* Takes the lines of `text` that are not empty. */
static skp_status take_names(struct skp_source *s, char *text, const char *path) {
  int n = 0;
  SKP_TRY(skp__alloc(&s->class_names, (size_t)s->classes, sizeof *s->class_names));
  for (char *rest, *line = strtok_r(text, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest), n++)
    if (n < s->classes) SKP_TRY(skp__utf8_shown(&s->class_names[n], line));
  if (n == s->classes) return SKP_OK;
  return skp__fail(SKP_FORMAT, "%s names %d classes; there are %d.", path, n, s->classes);
}

static skp_status read_names(struct skp_source *s, const char *path) {
  void *text;
  int64_t size;
  if (!skp__file_exists(path)) return skp__source_name_by_number(s);
  SKP_TRY(skp__file_read(&text, &size, path, 1 << 16));
  skp_status status = take_names(s, text, path);
  free(text);
  return status;
}

/* ---- the source -------------------------------------------------------------------------------------------------- */

static skp_status image(const struct skp_source *source, int64_t i, struct skp_image *out, int32_t *label) {
  const struct cifar *c = (const struct cifar *)source;
  int f = 0;
  for (; i >= c->n[f]; f++) i -= c->n[f];
  const uint8_t *record = c->records[f] + i * record_size(c->kind), *planes = record + c->kind->labels;
  *label = planes[-1];
  if (!out) return SKP_OK;
  SKP_TRY(skp__image_room(out, SIDE, SIDE, 3));
  for (int p = 0; p < PLANE; p++)
    for (int k = 0; k < 3; k++) out->pixels[3 * p + k] = planes[k * PLANE + p];
  return SKP_OK;
}

static void destroy(struct skp_source *source) {
  struct cifar *c = (struct cifar *)source;
  for (int f = 0; f < FILES; f++) free(c->records[f]);
  free(c);
}

static skp_status load(struct cifar *c, const char *folder, skp_split split) {
  char *names;
  SKP_TRY(skp__strdup(&c->base.name, folder));
  SKP_TRY(read_files(c, folder, split));
  SKP_TRY(skp__path_join(&names, folder, c->kind->names));
  skp_status status = read_names(&c->base, names);
  free(names);
  return status;
}

/* The first file alone is a small set, made on purpose. Where others are there, each that is missing was lost, be it
 * the last: a training on the rest would go on without a word. */
static skp_status check_series(const struct kind *k, const char *folder, skp_split split) {
  const char *missing = NULL;
  bool later = false; /* a file after the first is there */
  for (int f = 0; f < FILES && k->files[split][f]; f++) {
    bool there;
    SKP_TRY(holds_file(&there, folder, k->files[split][f]));
    later = later || (there && f);
    if (!there && !missing) missing = k->files[split][f];
  }
  if (!missing || !later) return SKP_OK;
  return skp__fail(
      SKP_FORMAT, "The folder %s lacks %s, whereas others of %s's training files are there. A smaller set is %s alone.",
      folder, missing, k->name, k->files[split][0]);
}

static skp_status open_kind(struct skp_source **out, const struct kind *kind, const char *folder, skp_split split) {
  struct cifar *c;
  bool there;
  SKP_TRY(holds(&there, folder, kind, split));
  if (!there) {
    if (split == SKP_SPLIT_TEST) return SKP_OK;
    return skp__fail(SKP_FORMAT, "The folder %s lacks %s.", folder, kind->files[split][0]);
  }
  SKP_TRY(check_series(kind, folder, split));
  SKP_TRY(skp__alloc(&c, 1, sizeof *c));
  c->kind = kind;
  c->base = (struct skp_source){.kind = kind->name,
                                .H = SIDE,
                                .W = SIDE,
                                .C = 3,
                                .classes = kind->classes[kind->labels - 1],
                                .image = image,
                                .destroy = destroy};
  skp_status status = load(c, folder, split);
  if (status == SKP_OK)
    *out = &c->base;
  else
    skp__source_destroy(&c->base);
  return status;
}

skp_status skp__source_cifar(struct skp_source **out, struct skp__site *site, skp_split split) {
  const char *folder = site->path;
  const struct kind *kind;
  *out = NULL;
  SKP_TRY(find(&kind, folder));
  if (!kind) return skp__fail(SKP_IO, "The CIFAR files in %s are gone.", folder);
  return open_kind(out, kind, folder, split);
}
