/* folder.c: image folders, one folder of pictures a class. SPDX-License-Identifier: MIT
 *
 *   DIR/train/CLASS/picture.jpg and DIR/test/CLASS/picture.jpg (or val, valid, validation in place of test), or DIR/CLASS/picture.jpg
 *
 * The classes of each part are its own folders, sorted by the bytes of their names; so are the pictures in each. When a set is
 * opened each picture's header is read: its size, and whether it is one. As torchvision does by default, the orientation that a camera
 * notes in EXIF is ignored. */
#include "base/array.h"
#include "base/file.h"
#include "base/progress.h"
#include "data/data.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_LIMIT ((int64_t)512 << 20) /* a set that is no larger, decoded, is kept in memory */

typedef SKP_ARRAY(char *) name_list;

struct picture {
  char *name; /* CLASS/FILE */
  int32_t label;
};

struct folder {
  struct skp_source base;
  char *root;                      /* of the class folders */
  SKP_ARRAY(struct picture) files; /* by class, then name */
  name_list names, keys;           /* of the classes; what they are found by */
  struct skp__cache *cache;        /* NULL: the set is too large */
};

static const char *const train_folders[] = {"train", NULL};
static const char *const test_folders[] = {"test", "val", "valid", "validation", NULL};

/* ---- listing folders ---------------------------------------------------------------------------------------------- */

static int picture(const struct dirent *entry) { return skp__entry_visible(entry) && skp__image_named(entry->d_name); }

static void free_names(name_list *list) {
  for (size_t i = 0; i < list->n; i++) free(list->at[i]);
  SKP_FREE(list);
}

/* The sorted names in a folder that `wanted` takes. */
static skp_status list_names(name_list *out, const char *path, int (*wanted)(const struct dirent *entry)) {
  struct dirent **entry;
  int n = scandir(path, &entry, wanted, skp__entry_by_name);
  if (n < 0) return skp__fail(SKP_IO, "The folder %s cannot be listed.", path);
  skp_status status = SKP_OK;
  for (int i = 0; i < n; i++) {
    if (status == SKP_OK) status = SKP_GROW(out);
    if (status == SKP_OK) status = skp__strdup(&out->at[out->n - 1], entry[i]->d_name);
    free(entry[i]);
  }
  free(entry);
  return status;
}

/* The sorted names of the folders in a folder. */
static skp_status list_folders(name_list *out, const char *path) {
  name_list all = {NULL, 0, 0};
  skp_status status = list_names(&all, path, skp__entry_visible);
  for (size_t i = 0; i < all.n && status == SKP_OK; i++) {
    char *inner;
    status = skp__path_join(&inner, path, all.at[i]);
    if (status != SKP_OK) break;
    if (skp__folder_exists(inner)) {
      status = SKP_GROW(out);
      if (status == SKP_OK) out->at[out->n - 1] = all.at[i], all.at[i] = NULL;
    }
    free(inner);
  }
  free_names(&all);
  return status;
}

/* ---- what kind of folder it is ------------------------------------------------------------------------------------ */

/* The first of the names that is a folder in `path`, joined, or NULL. */
static skp_status find_folder(char **out, const char *path, const char *const *name) {
  for (; *name; name++) {
    SKP_TRY(skp__path_join(out, path, *name));
    if (skp__folder_exists(*out)) return SKP_OK;
    free(*out);
  }
  *out = NULL;
  return SKP_OK;
}

/* Where the classes' folders of each split lie; NULL: nowhere. */
static skp_status find_roots(char *root[2], const char *path) {
  SKP_TRY(find_folder(&root[SKP_SPLIT_TRAIN], path, train_folders));
  SKP_TRY(find_folder(&root[SKP_SPLIT_TEST], path, test_folders));
  return root[0] || root[1] ? SKP_OK : skp__strdup(&root[SKP_SPLIT_TRAIN], path);
}

static bool holds_pictures(const char *path) {
  DIR *dir = opendir(path);
  bool found = false;
  for (struct dirent *e; dir && !found && (e = readdir(dir));) found = picture(e);
  if (dir) closedir(dir);
  return found;
}

/* Whether a folder has a folder with pictures in it. */
static bool holds_classes(const char *path) {
  name_list folders = {NULL, 0, 0};
  bool found = false;
  skp_status status = list_folders(&folders, path);
  for (size_t i = 0; i < folders.n && status == SKP_OK && !found; i++) {
    char *inner;
    status = skp__path_join(&inner, path, folders.at[i]);
    if (status != SKP_OK) break;
    found = holds_pictures(inner);
    free(inner);
  }
  free_names(&folders);
  return found;
}

bool skp__source_folder_found(const char *path) {
  char *root[2] = {NULL, NULL};
  bool found = find_roots(root, path) == SKP_OK;
  found = found && ((root[0] && holds_classes(root[0])) || (root[1] && holds_classes(root[1])));
  free(root[0]);
  free(root[1]);
  return found;
}

/* ---- the pictures of a set ---------------------------------------------------------------------------------------- */

static skp_status add_name(struct folder *f, const char *name, const char *key) {
  SKP_TRY(SKP_GROW(&f->keys));
  SKP_TRY(skp__strdup(&f->keys.at[f->keys.n - 1], key));
  SKP_TRY(SKP_GROW(&f->names));
  f->base.class_names = f->names.at;
  f->base.classes = (int)f->names.n;
  return skp__strdup(&f->names.at[f->names.n - 1], name);
}

/* The label of the class that a folder stands for, which it adds if it is the first of this name: folders whose names are the same text in
 * other forms of Unicode are one class. */
static skp_status find_class(int32_t *out, struct folder *f, const char *name) {
  char *key;
  SKP_TRY(skp__class_key(&key, name));
  for (*out = 0; (size_t)*out < f->keys.n; ++*out)
    if (strcmp(f->keys.at[*out], key) == 0) break;
  skp_status status = (size_t)*out == f->keys.n ? add_name(f, name, key) : SKP_OK;
  free(key);
  return status;
}

/* Appends the pictures in a class's folder. */
static skp_status add_class(struct folder *f, const char *name) {
  name_list pictures = {NULL, 0, 0};
  int32_t label;
  char *path;
  SKP_TRY(find_class(&label, f, name));
  SKP_TRY(skp__path_join(&path, f->root, name));
  skp_status status = list_names(&pictures, path, picture);
  if (status == SKP_OK && !pictures.n)
    status = skp__fail(SKP_FORMAT, "The class folder %s holds no pictures (%s).", path, skp__image_endings());
  for (size_t i = 0; i < pictures.n && status == SKP_OK; i++) {
    status = SKP_GROW(&f->files);
    if (status != SKP_OK) break;
    f->files.at[f->files.n - 1].label = label;
    status = skp__path_join(&f->files.at[f->files.n - 1].name, name, pictures.at[i]);
  }
  free_names(&pictures);
  free(path);
  return status;
}

/* The classes are the folders in `root`, in the order of their names. */
static skp_status add_classes(struct folder *f) {
  name_list folders = {NULL, 0, 0};
  skp_status status = list_folders(&folders, f->root);
  for (size_t i = 0; i < folders.n && status == SKP_OK; i++) status = add_class(f, folders.at[i]);
  free_names(&folders);
  f->base.n = (int64_t)f->files.n;
  if (status != SKP_OK || f->base.classes) return status;
  return skp__fail(SKP_FORMAT, "%s holds no folders; each class is a folder of its pictures.", f->root);
}

static skp_status path_of(char **out, const struct folder *f, int64_t i) {
  return skp__path_join(out, f->root, f->files.at[i].name);
}

/* What all headers tell of: whether there is colour, one size for all, and how much memory the decoded set takes. */
struct survey {
  int64_t pixels;
  bool colour, mixed;
  int H, W;
};

static void add_to_survey(struct survey *all, const struct skp_image *one) {
  all->mixed = all->mixed || (all->H && (all->H != one->H || all->W != one->W));
  all->colour = all->colour || one->C != 1;
  all->pixels += (int64_t)one->H * one->W;
  all->H = one->H;
  all->W = one->W;
}

static skp_status inspect(struct folder *f, int64_t i, struct skp_image *image, struct survey *all) {
  char *path;
  SKP_TRY(path_of(&path, f, i));
  skp_status status = skp__image_inspect(image, path);
  free(path);
  if (status != SKP_OK) return skp__damage_note(f->base.damage, i, status);
  add_to_survey(all, image);
  return SKP_OK;
}

static skp_status inspect_all(struct folder *f) {
  struct skp_image image = {.H = 0};
  struct survey all = {.pixels = 0};
  skp_status status = SKP_OK;
  for (int64_t i = 0; i < f->base.n && status == SKP_OK; i++) {
    skp__progress_work("reading pictures", i, f->base.n);
    status = inspect(f, i, &image, &all);
  }
  skp__progress_work("reading pictures", f->base.n, f->base.n);
  skp__image_free(&image);
  SKP_TRY(status);
  f->base.H = all.mixed ? 0 : all.H;
  f->base.W = all.mixed ? 0 : all.W;
  f->base.C = all.colour ? 3 : 1;
  return all.pixels > CACHE_LIMIT / f->base.C ? SKP_OK : skp__cache_create(&f->cache, f->base.n);
}

/* ---- the source --------------------------------------------------------------------------------------------------- */

static skp_status decode(const struct folder *f, int64_t i, struct skp_image *out) {
  char *path;
  SKP_TRY(path_of(&path, f, i));
  skp_status status = skp__image_read(out, path, f->base.C);
  free(path);
  return status == SKP_OK ? skp__cache_put(f->cache, i, out) : status;
}

static skp_status image(const struct skp_source *source, int64_t i, struct skp_image *out, int32_t *label) {
  const struct folder *f = (const struct folder *)source;
  bool there;
  *label = f->files.at[i].label;
  if (!out) return SKP_OK;
  SKP_TRY(skp__cache_get(f->cache, i, out, &there));
  if (there) return SKP_OK;
  skp_status status = skp__damage_known(f->base.damage, i) ? SKP_FORMAT : decode(f, i, out);
  if (status == SKP_OK) return SKP_OK;
  out->H = out->W = 0;
  return skp__damage_note(f->base.damage, i, status);
}

static const char *name_of(const struct skp_source *source, int64_t i) {
  return ((const struct folder *)source)->files.at[i].name;
}

static void destroy(struct skp_source *source) {
  struct folder *f = (struct folder *)source;
  for (size_t i = 0; i < f->files.n; i++) free(f->files.at[i].name);
  SKP_FREE(&f->files);
  free_names(&f->keys);
  skp__cache_destroy(f->cache);
  skp__damage_destroy(f->base.damage);
  free(f->root);
  free(f);
}

static skp_status load(struct folder *f, const char *path, const char *root) {
  SKP_TRY(skp__strdup(&f->base.name, path));
  SKP_TRY(skp__strdup(&f->root, root));
  SKP_TRY(add_classes(f));
  SKP_TRY(skp__damage_create(&f->base.damage, f->root, f->base.n));
  return inspect_all(f);
}

static skp_status open_root(struct skp_source **out, const char *path, const char *root) {
  struct folder *f;
  SKP_TRY(skp__alloc(&f, 1, sizeof *f));
  f->base.image = image;
  f->base.name_of = name_of;
  f->base.destroy = destroy;
  skp_status status = load(f, path, root);
  if (status == SKP_OK)
    *out = &f->base;
  else
    skp__source_destroy(&f->base);
  return status;
}

skp_status skp__source_folder(struct skp_source **out, const char *path, skp_split split) {
  char *root[2] = {NULL, NULL};
  *out = NULL;
  skp_status status = find_roots(root, path);
  if (status == SKP_OK && root[split])
    status = open_root(out, path, root[split]);
  else if (status == SKP_OK && split == SKP_SPLIT_TRAIN)
    status = skp__fail(SKP_FORMAT, "The folder %s lacks the folder train, of the training images.", path);
  free(root[0]);
  free(root[1]);
  return status;
}
