/* folder.c: a part of a set of pictures, one folder of them a class. SPDX-License-Identifier: MIT
 *
 * Which folder is what is found out by layout.c, and the pictures in each by walk.c. The classes of each part are its
 * own folders, sorted by the bytes of their names; so are the pictures in each. */
#include "base/array.h"
#include "base/file.h"
#include "base/host.h"
#include "base/utf8.h"
#include "data/layout.h"
#include "data/picture_set.h"
#include <stdlib.h>
#include <string.h>

static skp_status add_pictures(struct skp__picture_set *f, skp__names *pictures, int32_t label) {
  for (size_t i = 0; i < pictures->n; i++) {
    char *path = pictures->at[i];
    pictures->at[i] = NULL;
    SKP_TRY(skp__picture_set_add(f, path, label));
  }
  return SKP_OK;
}

static skp_status fail_class(const struct skp__picture_set *f, const char *name, const struct skp__tally *passed) {
  struct skp__text there = {.n = 0};
  skp__tally_say(passed, &there);
  return skp__fail(
      SKP_FORMAT,
      "The class folder %s/%s holds no pictures (%s)%s%s. Put pictures of the class into it, or remove the folder: "
      "then there is no such class.",
      f->root, name, skp__image_endings(), there.n ? ", but " : "", there.at);
}

/* The pictures in a class's folder. One without any is a mistake among the training
 * images; elsewhere the class is not tested. */
static skp_status add_class(struct skp__picture_set *f, const char *name, bool train, struct skp__tally *passed) {
  skp__names pictures = {NULL, 0, 0};
  struct skp__tally its = {.kinds = {.n = 0}};
  int32_t label;
  skp_status status = skp__walk(&pictures, &its, f->root, name);
  if (status == SKP_OK && !pictures.n && train) status = fail_class(f, name, &its);
  if (status == SKP_OK && pictures.n) status = skp__picture_set_class_shown(&label, f, name);
  if (status == SKP_OK && pictures.n) status = add_pictures(f, &pictures, label);
  if (status == SKP_OK && !pictures.n) status = skp__tally_add(passed, "class folders without pictures", 1);
  if (status == SKP_OK) status = skp__tally_merge(passed, &its);
  skp__names_free(&pictures);
  skp__tally_free(&its);
  return status;
}

/* Pictures that no class is known of: all that lie below the root. */
static skp_status add_unlabelled(struct skp__picture_set *f, struct skp__tally *passed) {
  skp__names pictures = {NULL, 0, 0};
  skp_status status = skp__walk(&pictures, passed, f->root, "");
  if (status == SKP_OK) status = add_pictures(f, &pictures, -1);
  skp__names_free(&pictures);
  return status;
}

/* `part`: the root is one of the set's folders. */
static skp_status fail_root(const struct skp__picture_set *f, bool part, size_t loose,
                            const struct skp__tally *passed) {
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
static skp_status add_classes(struct skp__picture_set *f, const skp__names *folders, size_t loose, bool train,
                              struct skp__tally *passed) {
  for (size_t i = 0; i < folders->n; i++) SKP_TRY(add_class(f, folders->at[i], train, passed));
  if (!loose || !f->files.n) return SKP_OK;
  return skp__tally_add(passed, "pictures outside the class folders", (long long)loose);
}

/* In a part beside the training images pictures may lie that nobody has sorted: then no class is known of any. */
static skp_status add_all(struct skp__picture_set *f, bool train, bool part, struct skp__tally *passed) {
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
  return status;
}

/* What is not taken, in lines: of this part, and with the training images what of the whole set. */
static skp_status remark(struct skp__text *text, const struct skp__picture_set *f, const struct skp__layout *l,
                         skp_split split, const struct skp__tally *passed) {
  skp__tally_remark(passed, f->root, text);
  for (size_t i = 0; i < l->left.n && split == SKP_SPLIT_TRAIN; i++)
    skp__text_add(text, "%s is left alone: another folder is that part of the set.\n", l->left.at[i]);
  for (int s = 0; s < SKP_SPLITS && split == SKP_SPLIT_TRAIN; s++) {
    bool any = true;
    if (l->root[s]) SKP_TRY(skp__holds_pictures_below(&any, l->root[s]));
    if (!any) skp__text_add(text, "%s holds no pictures: it is passed over.\n", l->root[s]);
  }
  return SKP_OK;
}

static skp_status load(struct skp__picture_set *f, const struct skp__layout *l, skp_split split) {
  struct skp__tally passed = {.kinds = {.n = 0}};
  struct skp__text remarks = {.n = 0};
  skp_status status = add_all(f, split == SKP_SPLIT_TRAIN, l->parts, &passed);
  if (status == SKP_OK) status = remark(&remarks, f, l, split, &passed);
  if (status == SKP_OK) status = skp__picture_set_look(f, &remarks);
  if (status == SKP_OK && remarks.n) status = skp__strdup(&f->base.remarks, remarks.at);
  skp__tally_free(&passed);
  return status;
}

static skp_status open_part(struct skp_source **out, const char *path, const struct skp__layout *l, skp_split split) {
  struct skp__picture_set *f;
  SKP_TRY(skp__picture_set_create(&f, path, l->root[split], l->root[split]));
  f->base.place = f->title;
  f->base.gathered = true;
  skp_status status = load(f, l, split);
  if (status == SKP_OK && f->base.n)
    *out = &f->base;
  else
    skp__source_destroy(&f->base);
  return status;
}

skp_status skp__source_folder_found(bool *out, const char *path) {
  struct skp__layout l;
  skp_status status = skp__layout_find(&l, path);
  *out = status == SKP_OK && l.parts;
  if (status == SKP_OK && !l.parts) status = skp__holds_pictures_below(out, path);
  skp__layout_free(&l);
  SKP_TRY_MEMORY(status);
  return SKP_OK;
}

skp_status skp__source_folder(struct skp_source **out, struct skp__site *site, skp_split split) {
  const char *path = site->path;
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
