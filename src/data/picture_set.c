/* picture_set.c: labelled picture files, whoever listed them. SPDX-License-Identifier: MIT
 *
 * When a set is looked at each picture's header is read: its size, and whether it is one; of a set that is kept in
 * memory all of it, so that damage shows before anything is done. As torchvision does by default, the orientation that
 * a camera notes in EXIF is ignored. */
#include "data/picture_set.h"
#include "base/disk.h"
#include "base/file.h"
#include "base/host.h"
#include "base/progress.h"
#include "base/utf8.h"
#include "data/damage.h"
#include "data/index.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_LIMIT ((int64_t)512 << 20) /* a set that is no larger, decoded, is kept in memory */

/* ---- the list ---------------------------------------------------------------------------------------------------- */

static skp_status add_name(struct skp__picture_set *f, const char *name, const char *key) {
  SKP_TRY(SKP_GROW(&f->keys));
  SKP_TRY(skp__strdup(&f->keys.at[f->keys.n - 1], key));
  SKP_TRY(SKP_GROW(&f->names));
  f->base.class_names = f->names.at;
  f->base.classes = (int)f->names.n;
  return skp__strdup(&f->names.at[f->names.n - 1], name);
}

skp_status skp__picture_set_class(int32_t *out, struct skp__picture_set *f, const char *name) {
  char *key;
  SKP_TRY(skp__class_key(&key, name));
  for (*out = 0; (size_t)*out < f->keys.n; ++*out)
    if (strcmp(f->keys.at[*out], key) == 0) break;
  skp_status status = (size_t)*out == f->keys.n ? add_name(f, name, key) : SKP_OK;
  free(key);
  return status;
}

skp_status skp__picture_set_class_shown(int32_t *label, struct skp__picture_set *f, const char *name) {
  char *shown;
  SKP_TRY(skp__utf8_shown(&shown, name));
  skp_status status = skp__picture_set_class(label, f, shown);
  free(shown);
  return status;
}

skp_status skp__picture_set_add(struct skp__picture_set *f, char *path, int32_t label) {
  skp_status status = SKP_GROW(&f->files);
  if (status != SKP_OK) {
    free(path);
    return status;
  }
  struct skp__listed *p = &f->files.at[f->files.n - 1];
  *p = (struct skp__listed){.path = path, .label = label};
  SKP_TRY(skp__utf8_shown(&p->shown, path));
  if (strcmp(p->shown, path) != 0) return SKP_OK;
  free(p->shown);
  p->shown = NULL;
  return SKP_OK;
}

void skp__picture_set_within(struct skp__picture_set *f, const char *archive, int64_t position) {
  f->files.at[f->files.n - 1].archive = archive;
  f->files.at[f->files.n - 1].position = position;
}

/* Of the file to open: the picture, or its archive. */
static skp_status path_of(char **out, const struct skp__picture_set *f, int64_t i) {
  const struct skp__listed *p = &f->files.at[i];
  const char *path = p->archive ? p->archive : p->path;
  return *path == '/' ? skp__strdup(out, path) : skp__path_join(out, f->root, path);
}

static const char *shown(const struct skp__listed *p) { return p->shown ? p->shown : p->path; }

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
  const int n = skp__link_text(target, sizeof target, path);
  if (n < 0) return status;
  return skp__fail(SKP_IO, "%s is missing: it is a link to %.*s, where nothing is.", path, n, target);
}

static skp_status note(const struct skp__picture_set *f, int64_t i, const char *path, skp_status status) {
  return skp__damage_note(f->base.damage, i, explain(status, path));
}

/* As the index knows it, else by reading it. */
static skp_status inspect_file(struct skp_image *image, const struct skp__listed *p, const char *path,
                               struct skp__index *index) {
  if (skp__index_find(index, image, p->path, path, p->position)) return SKP_OK;
  SKP_TRY(p->archive ? skp__image_inspect_within(image, path, p->position, shown(p)) : skp__image_inspect(image, path));
  skp__index_note(index, image);
  return SKP_OK;
}

static skp_status inspect(struct skp__picture_set *f, int64_t i, struct survey *all, struct skp__index *index) {
  struct skp_image image = {.H = 0};
  char *path;
  SKP_TRY(path_of(&path, f, i));
  skp_status status = inspect_file(&image, &f->files.at[i], path, index);
  if (status == SKP_OK)
    add_to_survey(all, &image);
  else
    status = note(f, i, path, status);
  skp__image_free(&image);
  free(path);
  return status;
}

static skp_status inspect_all(struct skp__picture_set *f, struct survey *all) {
  struct skp__index *index;
  skp_status status = skp__index_open(&index, f->title, f->files.at[0].path, f->base.n);
  for (int64_t i = 0; i < f->base.n && status == SKP_OK; i++) {
    skp__progress_work("looking at the pictures", i, f->base.n);
    status = inspect(f, i, all, index);
  }
  skp__progress_work("looking at the pictures", f->base.n, f->base.n);
  skp__index_close(index);
  return status;
}

static skp_status decode(const struct skp__picture_set *f, int64_t i, struct skp_image *out) {
  char *path;
  SKP_TRY(path_of(&path, f, i));
  const struct skp__listed *p = &f->files.at[i];
  skp_status status = p->archive ? skp__image_read_within(out, path, p->position, shown(p), f->base.C)
                                 : skp__image_read(out, path, f->base.C);
  if (status != SKP_OK)
    status = note(f, i, path, status);
  else
    status = skp__cache_put(f->cache, i, out);
  free(path);
  return status;
}

/* Fills the cache: it would be done bit by bit otherwise, and damage show in the middle of a run. */
static skp_status decode_all(struct skp__picture_set *f) {
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

static skp_status read_all(struct skp__picture_set *f) {
  struct survey all = {.pixels = 0};
  SKP_TRY(inspect_all(f, &all));
  f->base.H = all.mixed ? 0 : all.H;
  f->base.W = all.mixed ? 0 : all.W;
  f->base.C = all.colour ? 3 : 1;
  if (all.pixels > CACHE_LIMIT / f->base.C) return SKP_OK;
  SKP_TRY(skp__cache_create(&f->cache, f->base.n));
  return decode_all(f);
}

/* ---- the source -------------------------------------------------------------------------------------------------- */

static skp_status image(const struct skp_source *source, int64_t i, struct skp_image *out, int32_t *label) {
  const struct skp__picture_set *f = (const struct skp__picture_set *)source;
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
  const struct skp__picture_set *f = (const struct skp__picture_set *)source;
  skp__fail_in(why, "%s", source->name_of(source, i));
  SKP_TRY(skp__damage_note(f->base.damage, i, why));
  return skp__damage_judge(f->base.damage);
}

static const char *name_of(const struct skp_source *source, int64_t i) {
  return shown(&((const struct skp__picture_set *)source)->files.at[i]);
}

static void destroy(struct skp_source *source) {
  struct skp__picture_set *f = (struct skp__picture_set *)source;
  for (size_t i = 0; i < f->files.n; i++) {
    free(f->files.at[i].path);
    free(f->files.at[i].shown);
  }
  SKP_FREE(&f->files);
  skp__names_free(&f->keys);
  skp__names_free(&f->archives);
  skp__cache_destroy(f->cache);
  skp__damage_destroy(f->base.damage);
  free(f->root);
  free(f->title);
  free(f);
}

skp_status skp__picture_set_create(struct skp__picture_set **out, const char *name, const char *root,
                                   const char *title) {
  struct skp__picture_set *f;
  *out = NULL;
  SKP_TRY(skp__alloc(&f, 1, sizeof *f));
  f->base = (struct skp_source){.image = image, .spoilt = spoilt, .name_of = name_of, .destroy = destroy};
  skp_status status = skp__strdup(&f->base.name, name);
  if (status == SKP_OK) status = skp__strdup(&f->root, root);
  if (status == SKP_OK) status = skp__strdup(&f->title, title);
  if (status == SKP_OK)
    *out = f;
  else
    skp__source_destroy(&f->base);
  return status;
}

skp_status skp__picture_set_look(struct skp__picture_set *f, struct skp__text *remarks) {
  f->base.n = (int64_t)f->files.n;
  if (!f->base.n) return SKP_OK;
  SKP_TRY(skp__damage_create(&f->base.damage, f->title, f->base.n));
  SKP_TRY(read_all(f));
  if (f->faint)
    skp__text_add(
        remarks,
        "%lld picture%s of %s, of 16 bits, hold%s 12 or fewer and will be nearly black: scale the values up, or "
        "tell of them in an sBIT chunk.\n",
        (long long)f->faint, f->faint == 1 ? "" : "s", f->title, f->faint == 1 ? "s" : "");
  return SKP_OK;
}
