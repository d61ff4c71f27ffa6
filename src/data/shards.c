/* shards.c: pictures in tar archives: WebDataset's shards, or packed folders. SPDX-License-Identifier: MIT
 *
 * Archives are FILE.tar, or those in a folder where no pictures lie and in the folders of its parts, by their paths. A
 * picture's class is what the file KEY.cls beside it says, KEY being its own name up to the first dot of the last
 * piece; or the folder that it lies in: the one below that of a part, if there is such a folder, else the last. Its
 * part is told by a word in the archive's name (imagenet-val-000001.tar), else by a folder; else it is to train on. */
#include "base/file.h"
#include "base/progress.h"
#include "data/layout.h"
#include "data/picture_set.h"
#include "io/tar.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LABEL = 256 }; /* bytes that KEY.cls has at most */

/* ---- the archives ------------------------------------------------------------------------------------------------ */

static bool is_archive(const char *path) {
  const size_t n = strlen(path);
  return n > 4 && !strcasecmp(path + n - 4, ".tar") && skp__file_exists(path) && !skp__folder_exists(path);
}

/* The archives in ROOT/BELOW ("": ROOT), named from ROOT; the folders of parts in it, too, where BELOW is "". */
static skp_status list_archives(skp__names *out, const char *root, const char *below) {
  struct dirent **entry;
  char *folder;
  SKP_TRY(*below ? skp__path_join(&folder, root, below) : skp__strdup(&folder, root));
  const int n = scandir(folder, &entry, skp__entry_visible, skp__entry_by_name);
  skp_status status =
      n < 0 ? skp__fail(SKP_IO, "The folder %s cannot be listed: %s.", folder, strerror(errno)) : SKP_OK;
  for (int i = 0; i < n; i++) {
    char *inner = NULL, *path = NULL;
    if (status == SKP_OK)
      status = *below ? skp__path_join(&inner, below, entry[i]->d_name) : skp__strdup(&inner, entry[i]->d_name);
    if (status == SKP_OK) status = skp__path_join(&path, root, inner);
    if (status == SKP_OK && is_archive(path)) status = skp__names_add(out, inner);
    if (status == SKP_OK && !*below && skp__part_of(NULL, inner) != SKP_SPLITS && skp__folder_exists(path))
      status = list_archives(out, root, inner);
    free(inner);
    free(path);
    free(entry[i]);
  }
  if (n >= 0) free(entry);
  free(folder);
  return status;
}

/* What `data` means: the folder where archives lie, and their names in it. */
static skp_status find_archives(char **root, skp__names *out, const char *data) {
  const char *slash = strrchr(data, '/');
  *root = NULL;
  if (!is_archive(data)) {
    SKP_TRY(skp__strdup(root, data));
    return list_archives(out, data, "");
  }
  SKP_TRY(skp__path_folder(root, data));
  return skp__names_add(out, slash ? slash + 1 : data);
}

/* The part that one of a path's pieces is called as; SKP_SPLITS: none is. `apart`: what lies between pieces.
 * *end: behind that piece. */
static int part_in(const char *path, size_t n, const char *apart, const char **end) {
  char piece[16];
  for (const char *at = path; at < path + n; at++) {
    const size_t length = strcspn(at, apart);
    if (length < sizeof piece && at + length <= path + n) {
      memcpy(piece, at, length);
      piece[length] = 0;
      *end = at + length;
      const int part = skp__part_of(NULL, piece);
      if (part != SKP_SPLITS) return part;
    }
    at += length;
  }
  *end = NULL;
  return SKP_SPLITS;
}

/* ---- samples ----------------------------------------------------------------------------------------------------- */

/* A picture and its label are files of one key, one behind the other. */
struct sample {
  char *key, *picture, *class;
  int64_t position;
};

struct member {
  char *path, *class;
  const char *archive;
  int64_t position;
  int32_t label;
};

struct shards {
  struct skp__picture_set *set;
  skp_split split;
  const char *archive; /* the one at work, from the set's root */
  int part;            /* of all that is in it; SKP_SPLITS: folders tell */
  struct sample now;
  SKP_ARRAY(struct member) members;
  struct skp__tally passed;
};

static void forget(struct sample *s) {
  free(s->key);
  free(s->picture);
  free(s->class);
  *s = (struct sample){NULL};
}

/* The class that folders tell, of a path: the piece from `begin` on, or the last one. */
static skp_status class_by_folder(char **out, const char *path, const char *begin) {
  const char *last = strrchr(path, '/');
  const char *inner = begin && *begin == '/' ? begin + 1 : NULL;
  if (!last || (inner && inner > last)) return SKP_OK;
  if (inner) return skp__format(out, "%.*s", (int)strcspn(inner, "/"), inner);
  const char *from = last;
  while (from > path && from[-1] != '/') from--;
  return skp__format(out, "%.*s", (int)(last - from), from);
}

/* Takes the sample that has been met. */
static skp_status end_sample(struct shards *s) {
  struct sample *now = &s->now;
  if (!now->picture) return SKP_OK;
  const char *slash = strrchr(now->picture, '/'), *behind = NULL;
  const int folder = part_in(now->picture, slash ? (size_t)(slash - now->picture) : 0, "/", &behind);
  const int part = s->part != SKP_SPLITS ? s->part : folder != SKP_SPLITS ? folder : SKP_SPLIT_TRAIN;
  if (part != (int)s->split) return SKP_OK;
  if (!now->class) SKP_TRY(class_by_folder(&now->class, now->picture, behind));
  if (!now->class || !*now->class) return skp__tally_add(&s->passed, "pictures without a class", 1);
  SKP_TRY(SKP_GROW(&s->members));
  s->members.at[s->members.n - 1] = (struct member){now->picture, now->class, s->archive, now->position, -1};
  now->picture = now->class = NULL;
  return SKP_OK;
}

static skp_status begin_sample(struct shards *s, const char *name, size_t key) {
  if (s->now.key && strlen(s->now.key) == key && !strncmp(s->now.key, name, key)) return SKP_OK;
  skp_status status = end_sample(s);
  forget(&s->now);
  return status == SKP_OK ? skp__format(&s->now.key, "%.*s", (int)key, name) : status;
}

static skp_status read_label(struct shards *s, struct skp__tar *tar) {
  char text[LABEL + 1];
  int64_t n;
  SKP_TRY(skp__tar_head(tar, text, LABEL, &n));
  text[n] = 0;
  const char *at = text + strspn(text, " \t\r\n");
  free(s->now.class);
  s->now.class = NULL;
  return skp__format(&s->now.class, "%.*s", (int)strcspn(at, "\r\n"), at);
}

static skp_status add_file(struct shards *s, struct skp__tar *tar, const struct skp__tar_file *f) {
  const char *slash = strrchr(f->name, '/'), *base = slash ? slash + 1 : f->name;
  const size_t stem = strcspn(base, ".");
  if (*base == '.') return SKP_OK;
  SKP_TRY(begin_sample(s, f->name, (size_t)(base - f->name) + stem));
  if (!strcasecmp(base + stem, ".cls")) return read_label(s, tar);
  if (!skp__image_named(base)) return SKP_OK;
  if (s->now.picture) return skp__tally_add(&s->passed, "further pictures of one key", 1);
  s->now.position = f->position;
  return skp__strdup(&s->now.picture, f->name);
}

static skp_status add_files(struct shards *s, struct skp__tar *tar) {
  struct skp__tar_file f;
  do {
    SKP_TRY(skp__tar_next(tar, &f));
    if (f.name) SKP_TRY(add_file(s, tar, &f));
  } while (f.name);
  skp_status status = end_sample(s);
  forget(&s->now);
  return status;
}

static skp_status add_archive(struct shards *s, const char *archive) {
  struct skp__tar *tar;
  char *path;
  const char *behind;
  s->archive = archive;
  s->part = part_in(archive, strlen(archive), "/-_. ", &behind);
  if (s->part != SKP_SPLITS && s->part != (int)s->split) return SKP_OK;
  SKP_TRY(skp__path_join(&path, s->set->root, archive));
  skp_status status = skp__tar_open(&tar, path);
  if (status == SKP_OK) status = add_files(s, tar);
  skp__tar_close(tar);
  free(path);
  return status;
}

/* ---- the set ----------------------------------------------------------------------------------------------------- */

/* Numbers by what they are worth, before names by their bytes: class 10 of KEY.cls is number 10 where all are there. */
static int by_class(const void *a, const void *b) {
  const char *x = (*(struct member *const *)a)->class, *y = (*(struct member *const *)b)->class;
  const size_t m = strlen(x), n = strlen(y);
  const bool p = strspn(x, "0123456789") == m, q = strspn(y, "0123456789") == n;
  if (p != q) return p ? -1 : 1;
  if (p && m != n) return m < n ? -1 : 1;
  return strcmp(x, y);
}

/* The classes in their order, and each member's. */
static skp_status add_classes(struct shards *s) {
  struct member **sorted;
  skp_status status = SKP_OK;
  SKP_TRY(skp__alloc(&sorted, s->members.n, sizeof *sorted));
  for (size_t i = 0; i < s->members.n; i++) sorted[i] = &s->members.at[i];
  qsort(sorted, s->members.n, sizeof *sorted, by_class);
  for (size_t i = 0; i < s->members.n && status == SKP_OK; i++)
    if (i && !strcmp(sorted[i]->class, sorted[i - 1]->class))
      sorted[i]->label = sorted[i - 1]->label;
    else
      status = skp__picture_set_class_shown(&sorted[i]->label, s->set, sorted[i]->class);
  free(sorted);
  return status;
}

static skp_status add_pictures(struct shards *s) {
  for (size_t i = 0; i < s->members.n; i++) {
    const struct member *m = &s->members.at[i];
    char *path;
    SKP_TRY(skp__format(&path, "%s/%s", m->archive, m->path));
    SKP_TRY(skp__picture_set_add(s->set, path, m->label));
    skp__picture_set_within(s->set, m->archive, m->position);
  }
  return SKP_OK;
}

static skp_status load(struct shards *s) {
  const bool train = s->split == SKP_SPLIT_TRAIN;
  struct skp__text remarks = {.n = 0};
  const skp__names *archives = &s->set->archives;
  for (size_t i = 0; i < archives->n; i++) {
    skp__progress_work("going through the archives", (int64_t)i, (int64_t)archives->n);
    SKP_TRY(add_archive(s, archives->at[i]));
  }
  skp__progress_work("going through the archives", (int64_t)archives->n, (int64_t)archives->n);
  if (!s->members.n && train)
    return skp__fail(SKP_FORMAT,
                     "%s: the archives hold no pictures to train on whose class is known, by a file KEY.cls beside "
                     "KEY.jpg or by a folder in the archive.",
                     s->set->title);
  if (s->members.n) SKP_TRY(add_classes(s));
  SKP_TRY(add_pictures(s));
  skp__tally_remark(&s->passed, s->set->title, &remarks);
  SKP_TRY(skp__picture_set_look(s->set, &remarks, train));
  return remarks.n ? skp__strdup(&s->set->base.remarks, remarks.at) : SKP_OK;
}

static void free_shards(struct shards *s) {
  for (size_t i = 0; i < s->members.n; i++) {
    free(s->members.at[i].path);
    free(s->members.at[i].class);
  }
  SKP_FREE(&s->members);
  skp__tally_free(&s->passed);
  forget(&s->now);
}

static skp_status open_set(struct skp__picture_set **out, const char *data) {
  skp__names archives = {NULL, 0, 0};
  char *root;
  skp_status status = find_archives(&root, &archives, data);
  if (status == SKP_OK) status = skp__picture_set_create(out, data, root, data);
  if (status == SKP_OK)
    (*out)->archives = archives;
  else
    skp__names_free(&archives);
  free(root);
  return status;
}

skp_status skp__source_shards(struct skp_source **out, const char *data, skp_split split) {
  struct shards s = {.split = split};
  *out = NULL;
  SKP_TRY(open_set(&s.set, data));
  skp_status status = load(&s);
  if (status == SKP_OK && s.set->base.n)
    *out = &s.set->base;
  else
    skp__source_destroy(&s.set->base);
  free_shards(&s);
  return status;
}

skp_status skp__source_shards_found(bool *out, const char *data) {
  skp__names archives = {NULL, 0, 0};
  skp_status status = SKP_OK;
  *out = is_archive(data);
  if (!*out && skp__folder_exists(data)) {
    bool loose = false;
    status = list_archives(&archives, data, "");
    if (status == SKP_OK && archives.n) status = skp__holds_pictures_below(&loose, data);
    *out = archives.n > 0 && !loose;
  }
  skp__names_free(&archives);
  return status;
}
