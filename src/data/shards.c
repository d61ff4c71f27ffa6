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
  skp__names names = {NULL, 0, 0};
  char *folder;
  SKP_TRY(*below ? skp__path_join(&folder, root, below) : skp__strdup(&folder, root));
  skp_status status = skp__names_in(&names, folder);
  for (size_t i = 0; i < names.n && status == SKP_OK; i++) {
    char *inner = NULL, *path = NULL;
    status = *below ? skp__path_join(&inner, below, names.at[i]) : skp__strdup(&inner, names.at[i]);
    if (status == SKP_OK) status = skp__path_join(&path, root, inner);
    if (status == SKP_OK && is_archive(path)) status = skp__names_add(out, inner);
    if (status == SKP_OK && !*below && skp__part_of(NULL, inner) != SKP_SPLITS && skp__folder_exists(path))
      status = list_archives(out, root, inner);
    free(inner);
    free(path);
  }
  skp__names_free(&names);
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
  int64_t position, further; /* of the picture; pictures of the key beside it */
};

struct member {
  char *path, *class;
  int64_t position;
  int part;
  int32_t label;
};

struct shard {
  int part; /* of all that is in it; SKP_SPLITS: folders tell */
  bool known;
  SKP_ARRAY(struct member) members; /* in their order */
};

/* What has been found out about archives: each is gone through once, whichever parts its pictures are of. */
struct shards {
  char *root;
  skp__names archives; /* their names from there */
  struct shard *shard; /* [archives.n] */
  struct sample now;
  struct skp__tally passed[SKP_SPLITS];
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

/* The part that a picture is of; *behind: see part_in. */
static int part_of(const struct shard *to, const char *picture, const char **behind) {
  const char *slash = strrchr(picture, '/');
  const int folder = part_in(picture, slash ? (size_t)(slash - picture) : 0, "/", behind);
  return to->part != SKP_SPLITS ? to->part : folder != SKP_SPLITS ? folder : SKP_SPLIT_TRAIN;
}

/* Takes the sample that has been met. */
static skp_status end_sample(struct shards *s, struct shard *to) {
  struct sample *now = &s->now;
  const char *behind = NULL;
  if (!now->picture) return SKP_OK;
  const int part = part_of(to, now->picture, &behind);
  if (now->further) SKP_TRY(skp__tally_add(&s->passed[part], "further pictures of one key", now->further));
  if (!now->class) SKP_TRY(class_by_folder(&now->class, now->picture, behind));
  if (!now->class || !*now->class) return skp__tally_add(&s->passed[part], "pictures without a class", 1);
  SKP_TRY(SKP_GROW(&to->members));
  to->members.at[to->members.n - 1] = (struct member){now->picture, now->class, now->position, part, -1};
  now->picture = now->class = NULL;
  return SKP_OK;
}

static skp_status begin_sample(struct shards *s, struct shard *to, const char *name, size_t key) {
  if (s->now.key && strlen(s->now.key) == key && !strncmp(s->now.key, name, key)) return SKP_OK;
  skp_status status = end_sample(s, to);
  forget(&s->now);
  return status == SKP_OK ? skp__format(&s->now.key, "%.*s", (int)key, name) : status;
}

static skp_status read_label(struct sample *now, struct skp__tar *tar) {
  char text[LABEL + 1];
  int64_t n;
  SKP_TRY(skp__tar_head(tar, text, LABEL, &n));
  text[n] = 0;
  const char *at = text + strspn(text, " \t\r\n");
  free(now->class);
  now->class = NULL;
  return skp__format(&now->class, "%.*s", (int)strcspn(at, "\r\n"), at);
}

static skp_status add_file(struct shards *s, struct shard *to, struct skp__tar *tar, const struct skp__tar_file *f) {
  const char *slash = strrchr(f->name, '/'), *base = slash ? slash + 1 : f->name;
  const size_t stem = strcspn(base, ".");
  const char *behind;
  if (*base == '.') return SKP_OK;
  if (f->link) return skp__tally_add(&s->passed[part_of(to, f->name, &behind)], "links", 1);
  SKP_TRY(begin_sample(s, to, f->name, (size_t)(base - f->name) + stem));
  if (!strcasecmp(base + stem, ".cls")) return read_label(&s->now, tar);
  if (!skp__image_named(base)) return SKP_OK;
  s->now.further += s->now.picture != NULL;
  if (s->now.picture) return SKP_OK;
  s->now.position = f->position;
  return skp__strdup(&s->now.picture, f->name);
}

static skp_status add_files(struct shards *s, struct shard *to, struct skp__tar *tar) {
  struct skp__tar_file f;
  do {
    SKP_TRY(skp__tar_next(tar, &f));
    if (f.name) SKP_TRY(add_file(s, to, tar, &f));
  } while (f.name);
  skp_status status = end_sample(s, to);
  forget(&s->now);
  return status;
}

static skp_status go_through(struct shards *s, struct shard *to, const char *archive) {
  struct skp__tar *tar;
  char *path;
  SKP_TRY(skp__path_join(&path, s->root, archive));
  forget(&s->now);
  skp_status status = skp__tar_open(&tar, path);
  if (status == SKP_OK) status = add_files(s, to, tar);
  skp__tar_close(tar);
  free(path);
  return status;
}

/* ---- what is known of them --------------------------------------------------------------------------------------- */

static void free_members(struct shard *shard) {
  for (size_t i = 0; i < shard->members.n; i++) {
    free(shard->members.at[i].path);
    free(shard->members.at[i].class);
  }
  SKP_FREE(&shard->members);
}

static void forget_shards(void *known) {
  struct shards *s = known;
  for (size_t i = 0; s->shard && i < s->archives.n; i++) free_members(&s->shard[i]);
  for (int split = 0; split < SKP_SPLITS; split++) skp__tally_free(&s->passed[split]);
  forget(&s->now);
  skp__names_free(&s->archives);
  free(s->shard);
  free(s->root);
  free(s);
}

static skp_status list_shards(struct shards *s, const char *data) {
  const char *behind;
  SKP_TRY(find_archives(&s->root, &s->archives, data));
  SKP_TRY(skp__alloc(&s->shard, s->archives.n, sizeof *s->shard));
  for (size_t i = 0; i < s->archives.n; i++)
    s->shard[i].part = part_in(s->archives.at[i], strlen(s->archives.at[i]), "/-_. ", &behind);
  return SKP_OK;
}

static skp_status know(struct skp__site *site) {
  struct shards *s;
  if (site->known) return SKP_OK;
  SKP_TRY(skp__alloc(&s, 1, sizeof *s));
  skp_status status = list_shards(s, site->path);
  if (status == SKP_OK)
    *site = (struct skp__site){site->path, s, forget_shards};
  else
    forget_shards(s);
  return status;
}

/* Goes through those in which there may be pictures of a part, as far as that is still to be done. */
static skp_status look_for(struct shards *s, skp_split split) {
  for (size_t i = 0; i < s->archives.n; i++) {
    struct shard *shard = &s->shard[i];
    skp__progress_work("going through the archives", (int64_t)i, (int64_t)s->archives.n);
    if (shard->known || (shard->part != SKP_SPLITS && shard->part != (int)split)) continue;
    skp_status status = go_through(s, shard, s->archives.at[i]);
    if (status != SKP_OK) free_members(shard);
    SKP_TRY(status);
    shard->known = true;
  }
  skp__progress_work("going through the archives", (int64_t)s->archives.n, (int64_t)s->archives.n);
  return SKP_OK;
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

/* The members of a part, sorted by their classes; free() them. */
static skp_status sort_members(struct member ***out, size_t *n, const struct shards *s, skp_split split) {
  size_t room = 0;
  *n = 0;
  for (size_t i = 0; i < s->archives.n; i++) room += s->shard[i].members.n;
  SKP_TRY(skp__alloc(out, room, sizeof **out));
  for (size_t i = 0; i < s->archives.n; i++)
    for (size_t k = 0; k < s->shard[i].members.n; k++)
      if (s->shard[i].members.at[k].part == (int)split) (*out)[(*n)++] = &s->shard[i].members.at[k];
  qsort(*out, *n, sizeof **out, by_class);
  return SKP_OK;
}

/* The classes in their order, and each member's. */
static skp_status add_classes(struct skp__picture_set *set, const struct shards *s, skp_split split) {
  struct member **sorted;
  size_t n;
  SKP_TRY(sort_members(&sorted, &n, s, split));
  skp_status status = SKP_OK;
  for (size_t i = 0; i < n && status == SKP_OK; i++)
    if (i && !strcmp(sorted[i]->class, sorted[i - 1]->class))
      sorted[i]->label = sorted[i - 1]->label;
    else
      status = skp__picture_set_class_shown(&sorted[i]->label, set, sorted[i]->class);
  free(sorted);
  return status;
}

static skp_status add_pictures(struct skp__picture_set *set, const struct shard *shard, const char *archive,
                               skp_split split) {
  for (size_t i = 0; i < shard->members.n; i++) {
    const struct member *m = &shard->members.at[i];
    char *path;
    if (m->part != (int)split) continue;
    SKP_TRY(skp__format(&path, "%s/%s", archive, m->path));
    SKP_TRY(skp__picture_set_add(set, path, m->label));
    skp__picture_set_within(set, archive, m->position);
  }
  return SKP_OK;
}

static skp_status add_members(struct skp__picture_set *set, const struct shards *s, skp_split split) {
  SKP_TRY(add_classes(set, s, split));
  for (size_t i = 0; i < s->archives.n; i++) SKP_TRY(skp__names_add(&set->archives, s->archives.at[i]));
  for (size_t i = 0; i < s->archives.n; i++) SKP_TRY(add_pictures(set, &s->shard[i], set->archives.at[i], split));
  return SKP_OK;
}

static skp_status load(struct skp__picture_set *set, struct shards *s, skp_split split) {
  struct skp__text remarks = {.n = 0};
  SKP_TRY(look_for(s, split));
  SKP_TRY(add_members(set, s, split));
  if (!set->files.n && split == SKP_SPLIT_TRAIN)
    return skp__fail(SKP_FORMAT,
                     "%s: the archives hold no pictures to train on whose class is known, by a file KEY.cls beside "
                     "KEY.jpg or by a folder in the archive.",
                     set->title);
  skp__tally_remark(&s->passed[split], set->title, &remarks);
  SKP_TRY(skp__picture_set_look(set, &remarks));
  return remarks.n ? skp__strdup(&set->base.remarks, remarks.at) : SKP_OK;
}

skp_status skp__source_shards(struct skp_source **out, struct skp__site *site, skp_split split) {
  struct skp__picture_set *set;
  *out = NULL;
  SKP_TRY(know(site));
  struct shards *s = site->known;
  SKP_TRY(skp__picture_set_create(&set, site->path, s->root, site->path));
  skp_status status = load(set, s, split);
  if (status == SKP_OK && set->base.n)
    *out = &set->base;
  else
    skp__source_destroy(&set->base);
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
