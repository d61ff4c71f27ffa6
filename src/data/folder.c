/* folder.c: a part of a set of pictures, one folder of them a class. SPDX-License-Identifier: MIT
 *
 * Which folder is what is found out by layout.c, and the pictures in each by walk.c. The classes of each part are its
 * own folders, sorted by the bytes of their names; so are the pictures in each. When a part is opened each picture's
 * header is read: its size, and whether it is one; of a set that is kept in memory all of it, so that damage shows
 * before anything is done. As torchvision does by default, the orientation that a camera notes in EXIF is ignored. */
#include "base/array.h"
#include "base/file.h"
#include "base/host.h"
#include "base/progress.h"
#include "base/utf8.h"
#include "data/cache.h"
#include "data/damage.h"
#include "data/layout.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CACHE_LIMIT ((int64_t)512 << 20) /* a set that is no larger, decoded, is kept in memory */

struct picture {
  char *path;  /* from the root: CLASS/…/FILE, in whatever bytes */
  char *shown; /* the same as text; NULL: it is */
  int32_t label;
};

struct folder {
  struct skp_source base;
  char *root;                      /* of the class folders */
  SKP_ARRAY(struct picture) files; /* by class, then name */
  skp__names names, keys;          /* of the classes; what they are found by */
  struct skp__cache *cache;        /* NULL: the set is too large */
  int64_t faint;                   /* pictures that will be nearly black; see struct skp_image */
};

/* ---- the pictures of a set --------------------------------------------------------------------------------------- */

static skp_status add_name(struct folder *f, const char *name, const char *key) {
  SKP_TRY(SKP_GROW(&f->keys));
  SKP_TRY(skp__strdup(&f->keys.at[f->keys.n - 1], key));
  SKP_TRY(SKP_GROW(&f->names));
  f->base.class_names = f->names.at;
  f->base.classes = (int)f->names.n;
  return skp__strdup(&f->names.at[f->names.n - 1], name);
}

/* The label of the class that a folder stands for, which it adds if it is the first of this name: folders whose names
 * are the same text in other forms of Unicode are one class. */
static skp_status find_class(int32_t *out, struct folder *f, const char *name) {
  char *key;
  SKP_TRY(skp__class_key(&key, name));
  for (*out = 0; (size_t)*out < f->keys.n; ++*out)
    if (strcmp(f->keys.at[*out], key) == 0) break;
  skp_status status = (size_t)*out == f->keys.n ? add_name(f, name, key) : SKP_OK;
  free(key);
  return status;
}

/* Takes over a picture's path. */
static skp_status add_picture(struct folder *f, char *path, int32_t label) {
  skp_status status = SKP_GROW(&f->files);
  if (status != SKP_OK) {
    free(path);
    return status;
  }
  struct picture *p = &f->files.at[f->files.n - 1];
  *p = (struct picture){.path = path, .label = label};
  SKP_TRY(skp__utf8_shown(&p->shown, path));
  if (strcmp(p->shown, path) != 0) return SKP_OK;
  free(p->shown);
  p->shown = NULL;
  return SKP_OK;
}

static skp_status add_pictures(struct folder *f, skp__names *pictures, int32_t label) {
  for (size_t i = 0; i < pictures->n; i++) {
    char *path = pictures->at[i];
    pictures->at[i] = NULL;
    SKP_TRY(add_picture(f, path, label));
  }
  return SKP_OK;
}

static skp_status fail_class(const struct folder *f, const char *name, const struct skp__tally *passed) {
  struct skp__text there = {.n = 0};
  skp__tally_say(passed, &there);
  return skp__fail(SKP_FORMAT, "The class folder %s/%s holds no pictures (%s)%s%s.", f->root, name,
                   skp__image_endings(), there.n ? ", but " : "", there.at);
}

/* The pictures in a class's folder. One without any is a mistake among the training
 * images; elsewhere the class is not tested. */
static skp_status add_class(struct folder *f, const char *name, bool train, struct skp__tally *passed) {
  skp__names pictures = {NULL, 0, 0};
  struct skp__tally its = {.kinds = {.n = 0}};
  char *shown = NULL;
  int32_t label;
  skp_status status = skp__walk(&pictures, &its, f->root, name);
  if (status == SKP_OK && !pictures.n && train) status = fail_class(f, name, &its);
  if (status == SKP_OK && pictures.n) status = skp__utf8_shown(&shown, name);
  if (status == SKP_OK && pictures.n) status = find_class(&label, f, shown);
  if (status == SKP_OK && pictures.n) status = add_pictures(f, &pictures, label);
  if (status == SKP_OK && !pictures.n) status = skp__tally_add(passed, "class folders without pictures", 1);
  if (status == SKP_OK) status = skp__tally_merge(passed, &its);
  skp__names_free(&pictures);
  skp__tally_free(&its);
  free(shown);
  return status;
}

/* Pictures that no class is known of: all that lie below the root. */
static skp_status add_unlabelled(struct folder *f, struct skp__tally *passed) {
  skp__names pictures = {NULL, 0, 0};
  skp_status status = skp__walk(&pictures, passed, f->root, "");
  if (status == SKP_OK) status = add_pictures(f, &pictures, -1);
  skp__names_free(&pictures);
  return status;
}

/* `part`: the root is one of the set's folders. */
static skp_status fail_root(const struct folder *f, bool part, size_t loose, const struct skp__tally *passed) {
  struct skp__text there = {.n = 0};
  skp__tally_say(passed, &there);
  if (!loose && there.n)
    return skp__fail(SKP_FORMAT, "%s holds no pictures (%s), but %s.", f->root, skp__image_endings(), there.at);
  if (!loose) return skp__fail(SKP_FORMAT, "%s is empty; each class is a folder of its pictures in it.", f->root);
  struct skp__text advice = {0};
  if (part)
    skp__text_add(&advice, "If train and test are to be told apart themselves, put both into a folder called train.");
  else
    skp__text_add(&advice, "What a trained network sees in such pictures %s tells.", skp__option("skp_predict_files"));
  return skp__fail(SKP_FORMAT, "%s holds pictures (%zu), but no folders: each class is a folder of its pictures. %s",
                   f->root, loose, advice.at);
}

/* The classes are the folders in the root, in the order of their names. */
static skp_status add_classes(struct folder *f, const skp__names *folders, size_t loose, bool train,
                              struct skp__tally *passed) {
  for (size_t i = 0; i < folders->n; i++) SKP_TRY(add_class(f, folders->at[i], train, passed));
  if (!loose || !f->files.n) return SKP_OK;
  return skp__tally_add(passed, "pictures outside the class folders", (long long)loose);
}

/* In a part beside the training images pictures may lie that nobody has sorted: then no class is known of any. */
static skp_status add_all(struct folder *f, bool train, bool part, struct skp__tally *passed) {
  skp__names loose = {NULL, 0, 0}, folders = {NULL, 0, 0};
  struct skp__tally top = {.kinds = {.n = 0}};
  skp_status status = skp__walk_top(&loose, &folders, &top, f->root);
  if (status == SKP_OK && train && !folders.n) status = fail_root(f, part, loose.n, &top);
  if (status == SKP_OK) status = add_classes(f, &folders, loose.n, train, passed);
  if (status == SKP_OK && f->files.n) status = skp__tally_merge(passed, &top);
  if (status == SKP_OK && !f->files.n) status = add_unlabelled(f, passed);
  skp__names_free(&loose);
  skp__names_free(&folders);
  skp__tally_free(&top);
  f->base.n = (int64_t)f->files.n;
  return status;
}

static skp_status path_of(char **out, const struct folder *f, int64_t i) {
  return skp__path_join(out, f->root, f->files.at[i].path);
}

/* ---- looking at them all ----------------------------------------------------------------------------------------- */

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

/* Where a file cannot be opened: of a link that leads nowhere the text says so. */
static skp_status explain(skp_status status, const char *path) {
  char target[512];
  if (status != SKP_IO || skp__file_exists(path)) return status;
  ssize_t n = readlink(path, target, sizeof target);
  if (n < 0) return status;
  return skp__fail(SKP_IO, "%s is missing: it is a link to %.*s, where nothing is.", path, (int)n, target);
}

static skp_status note(const struct folder *f, int64_t i, const char *path, skp_status status) {
  return skp__damage_note(f->base.damage, i, explain(status, path));
}

static skp_status inspect(struct folder *f, int64_t i, struct skp_image *image, struct survey *all) {
  char *path;
  SKP_TRY(path_of(&path, f, i));
  skp_status status = skp__image_inspect(image, path);
  if (status == SKP_OK)
    add_to_survey(all, image);
  else
    status = note(f, i, path, status);
  free(path);
  return status;
}

static skp_status inspect_all(struct folder *f, struct survey *all) {
  struct skp_image image = {.H = 0};
  skp_status status = SKP_OK;
  for (int64_t i = 0; i < f->base.n && status == SKP_OK; i++) {
    skp__progress_work("looking at the pictures", i, f->base.n);
    status = inspect(f, i, &image, all);
  }
  skp__progress_work("looking at the pictures", f->base.n, f->base.n);
  skp__image_free(&image);
  return status;
}

static skp_status decode(const struct folder *f, int64_t i, struct skp_image *out) {
  char *path;
  SKP_TRY(path_of(&path, f, i));
  skp_status status = skp__image_read(out, path, f->base.C);
  if (status != SKP_OK)
    status = note(f, i, path, status);
  else
    status = skp__cache_put(f->cache, i, out);
  free(path);
  return status;
}

/* Fills the cache: it would be done bit by bit otherwise, and damage show in the middle of a run. */
static skp_status decode_all(struct folder *f) {
  struct skp_image image = {.H = 0};
  skp_status status = SKP_OK;
  for (int64_t i = 0; i < f->base.n && status == SKP_OK; i++) {
    skp__progress_work("reading pictures", i, f->base.n);
    image.faint = false;
    if (!skp__damage_known(f->base.damage, i)) status = decode(f, i, &image);
    f->faint += image.faint;
  }
  skp__progress_work("reading pictures", f->base.n, f->base.n);
  skp__image_free(&image);
  return status;
}

static skp_status read_all(struct folder *f) {
  struct survey all = {.pixels = 0};
  SKP_TRY(inspect_all(f, &all));
  f->base.H = all.mixed ? 0 : all.H;
  f->base.W = all.mixed ? 0 : all.W;
  f->base.C = all.colour ? 3 : 1;
  if (all.pixels > CACHE_LIMIT / f->base.C) return SKP_OK;
  SKP_TRY(skp__cache_create(&f->cache, f->base.n));
  return decode_all(f);
}

/* A class of which not one picture is sound cannot be learned. */
static skp_status check_sound(const struct folder *f) {
  struct skp__text text = {.n = 0};
  int64_t *sound;
  int bad = -1;
  SKP_TRY(skp__alloc(&sound, (size_t)f->base.classes, sizeof *sound));
  for (int64_t i = 0; i < f->base.n; i++)
    if (!skp__damage_known(f->base.damage, i)) sound[f->files.at[i].label]++;
  for (int c = 0; c < f->base.classes && bad < 0; c++)
    if (!sound[c]) bad = c;
  free(sound);
  if (bad < 0) return SKP_OK;
  skp__damage_list(f->base.damage, 0, &text);
  return skp__fail(SKP_FORMAT, "Not one picture of the class %s in %s can be read:%s", f->base.class_names[bad],
                   f->root, text.at);
}

/* ---- the source -------------------------------------------------------------------------------------------------- */

static skp_status image(const struct skp_source *source, int64_t i, struct skp_image *out, int32_t *label) {
  const struct folder *f = (const struct folder *)source;
  bool there;
  *label = f->files.at[i].label;
  if (!out) return SKP_OK;
  SKP_TRY(skp__cache_get(f->cache, i, out, &there));
  if (there && !skp__damage_known(f->base.damage, i)) return SKP_OK;
  if (!skp__damage_known(f->base.damage, i)) SKP_TRY(decode(f, i, out));
  if (skp__damage_known(f->base.damage, i)) out->H = out->W = 0;
  return skp__damage_judge(f->base.damage);
}

static skp_status spoilt(const struct skp_source *source, int64_t i, skp_status why) {
  const struct folder *f = (const struct folder *)source;
  skp__fail_in(why, "%s", source->name_of(source, i));
  SKP_TRY(skp__damage_note(f->base.damage, i, why));
  return skp__damage_judge(f->base.damage);
}

static const char *name_of(const struct skp_source *source, int64_t i) {
  const struct picture *p = &((const struct folder *)source)->files.at[i];
  return p->shown ? p->shown : p->path;
}

static void destroy(struct skp_source *source) {
  struct folder *f = (struct folder *)source;
  for (size_t i = 0; i < f->files.n; i++) {
    free(f->files.at[i].path);
    free(f->files.at[i].shown);
  }
  SKP_FREE(&f->files);
  skp__names_free(&f->keys);
  skp__cache_destroy(f->cache);
  skp__damage_destroy(f->base.damage);
  free(f->root);
  free(f);
}

/* What is not taken, in lines: of this part, and with the training images what of the whole set. */
static skp_status remark(struct folder *f, const struct skp__layout *l, skp_split split,
                         const struct skp__tally *passed) {
  struct skp__text text = {.n = 0};
  if (passed->kinds.n) skp__text_add(&text, "Passed over in %s: ", f->root);
  skp__tally_say(passed, &text);
  if (passed->kinds.n) skp__text_add(&text, ".\n");
  for (size_t i = 0; i < l->left.n && split == SKP_SPLIT_TRAIN; i++)
    skp__text_add(&text, "%s is left alone: another folder is that part of the set.\n", l->left.at[i]);
  for (int s = 0; s < SKP_SPLITS && split == SKP_SPLIT_TRAIN; s++)
    if (l->root[s] && !skp__holds_pictures_below(l->root[s]))
      skp__text_add(&text, "%s holds no pictures: it is passed over.\n", l->root[s]);
  if (f->faint)
    skp__text_add(
        &text,
        "%lld picture%s of %s, of 16 bits, hold%s 12 or fewer and will be nearly black: scale the values up, or "
        "tell of them in an sBIT chunk.\n",
        (long long)f->faint, f->faint == 1 ? "" : "s", f->root, f->faint == 1 ? "s" : "");
  return text.n ? skp__strdup(&f->base.remarks, text.at) : SKP_OK;
}

static skp_status look(struct folder *f, skp_split split) {
  SKP_TRY(skp__damage_create(&f->base.damage, f->root, f->base.n));
  SKP_TRY(read_all(f));
  return split == SKP_SPLIT_TRAIN ? check_sound(f) : SKP_OK;
}

static skp_status load(struct folder *f, const char *path, const struct skp__layout *l, skp_split split) {
  struct skp__tally passed = {.kinds = {.n = 0}};
  SKP_TRY(skp__strdup(&f->base.name, path));
  SKP_TRY(skp__strdup(&f->root, l->root[split]));
  f->base.place = f->root;
  skp_status status = add_all(f, split == SKP_SPLIT_TRAIN, l->parts, &passed);
  if (status == SKP_OK && f->base.n) status = look(f, split);
  if (status == SKP_OK) status = remark(f, l, split, &passed);
  skp__tally_free(&passed);
  return status;
}

static skp_status open_part(struct skp_source **out, const char *path, const struct skp__layout *l, skp_split split) {
  struct folder *f;
  SKP_TRY(skp__alloc(&f, 1, sizeof *f));
  f->base.image = image;
  f->base.spoilt = spoilt;
  f->base.name_of = name_of;
  f->base.destroy = destroy;
  skp_status status = load(f, path, l, split);
  if (status == SKP_OK && f->base.n)
    *out = &f->base;
  else
    skp__source_destroy(&f->base);
  return status;
}

bool skp__source_folder_found(const char *path) {
  struct skp__layout l;
  bool found = skp__layout_find(&l, path) == SKP_OK && (l.parts || skp__holds_pictures_below(path));
  skp__layout_free(&l);
  return found;
}

skp_status skp__source_folder(struct skp_source **out, const char *path, skp_split split) {
  struct skp__layout l;
  *out = NULL;
  skp_status status = skp__layout_find(&l, path);
  if (status == SKP_OK && l.root[split])
    status = open_part(out, path, &l, split);
  else if (status == SKP_OK && split == SKP_SPLIT_TRAIN)
    status = skp__fail(SKP_FORMAT, "The folder %s lacks the folder train, of the training images.", path);
  skp__layout_free(&l);
  return status;
}
