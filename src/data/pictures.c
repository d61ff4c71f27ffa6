/* pictures.c: image files as a source of images. SPDX-License-Identifier: MIT */
#include "data/pictures.h"
#include "base/file.h"
#include "data/walk.h"
#include <stdlib.h>

/* ---- which files ------------------------------------------------------------------------------------------------ */

/* Takes `path` over. */
static skp_status add_file(struct skp__pictures *p, char *path) {
  skp_status status = SKP_GROW(&p->files);
  if (status == SKP_OK)
    p->files.at[p->files.n - 1].path = path;
  else
    free(path);
  return status;
}

static void say_passed(FILE *say, const char *folder, const struct skp__tally *passed) {
  struct skp__text text = {.n = 0};
  skp__tally_say(passed, &text);
  if (text.n && say) skp_print(say, "Passed over in %s: %s.\n", folder, text.at);
}

static skp_status add_folder(struct skp__pictures *p, const char *folder, FILE *say) {
  skp__names names = {NULL, 0, 0};
  struct skp__tally passed = {.kinds = {.n = 0}};
  skp_status status = skp__walk(&names, &passed, folder, "");
  skp__names_sort(&names);
  for (size_t i = 0; i < names.n && status == SKP_OK; i++) {
    char *path;
    status = skp__path_join(&path, folder, names.at[i]);
    if (status == SKP_OK) status = add_file(p, path);
  }
  if (status == SKP_OK) say_passed(say, folder, &passed);
  skp__names_free(&names);
  skp__tally_free(&passed);
  return status;
}

static skp_status add_named(struct skp__pictures *p, const char *name, FILE *say) {
  char *path;
  size_t before = p->files.n;
  if (!skp__folder_exists(name)) {
    SKP_TRY(skp__strdup(&path, name));
    return add_file(p, path);
  }
  SKP_TRY(add_folder(p, name, say));
  if (p->files.n > before) return SKP_OK;
  return skp__fail(SKP_FORMAT, "The folder %s holds no images: no file in it ends in one of %s.", name,
                   skp__image_endings());
}

/* ---- the source ------------------------------------------------------------------------------------------------- */

/* Whether the border of a grey image is light. */
static bool dark_on_light(const struct skp_image *i) {
  double sum = 0;
  if (i->C != 1 || i->H < 2 || i->W < 2) return false;
  for (int h = 0; h < i->H; h++)
    for (int w = 0; w < i->W; w += h == 0 || h == i->H - 1 ? 1 : i->W - 1) sum += i->pixels[(int64_t)h * i->W + w];
  return sum / (2.0 * (i->H + i->W) - 4) > 127;
}

/* What was found out about a file; why: SKP_OK or the error that there was. Several views of it may be read at the same
 * time. */
static skp_status note(struct skp__pictures *p, int64_t i, skp_status why, bool dark) {
  struct skp__picture *file = &p->files.at[i];
  skp_status status = SKP_OK;
  pthread_mutex_lock(&p->lock);
  file->dark_on_light = dark;
  if (why != SKP_OK && !file->error) {
    file->why = why;
    status = skp__strdup(&file->error, skp_error_message());
  }
  pthread_mutex_unlock(&p->lock);
  return status;
}

/* An unreadable file must not keep the others from being looked at: it has no height, as
 * a damaged one of a data set. */
static skp_status image(const struct skp_source *s, int64_t i, struct skp_image *out, int32_t *label) {
  struct skp__pictures *p = (struct skp__pictures *)(uintptr_t)s;
  *label = -1;
  if (!out) return SKP_OK;
  out->H = 0;
  if (p->files.at[i].spoilt) return SKP_OK;
  const skp_status read = skp__image_read(out, p->files.at[i].path, s->C);
  if (read != SKP_OK) {
    out->H = 0;
    return note(p, i, read, false);
  }
  SKP_TRY(note(p, i, SKP_OK, dark_on_light(out)));
  int64_t values = (int64_t)out->H * out->W * out->C;
  for (int64_t at = 0; p->invert && at < values; at++) out->pixels[at] = (uint8_t)(255 - out->pixels[at]);
  return SKP_OK;
}

/* Read well, but of no use all the same. */
static skp_status spoilt(const struct skp_source *s, int64_t i, skp_status why) {
  struct skp__pictures *p = (struct skp__pictures *)(uintptr_t)s;
  skp__fail_in(why, "%s", p->files.at[i].path);
  p->files.at[i].spoilt = true;
  return note(p, i, why, false);
}

static const char *name_of(const struct skp_source *s, int64_t i) {
  return ((const struct skp__pictures *)s)->files.at[i].path;
}

skp_status skp__pictures_open(struct skp__pictures *out, const char *const *names, size_t n, int channels, bool invert,
                              FILE *say) {
  static char name[] = "the images";
  *out = (struct skp__pictures){
      .base = {.name = name, .C = channels, .image = image, .name_of = name_of, .spoilt = spoilt}, .invert = invert};
  pthread_mutex_init(&out->lock, NULL);
  for (size_t i = 0; i < n; i++) SKP_TRY(add_named(out, names[i], say));
  out->base.n = (int64_t)out->files.n;
  return SKP_OK;
}

void skp__pictures_free(struct skp__pictures *p) {
  for (size_t i = 0; i < p->files.n; i++) {
    free(p->files.at[i].path);
    free(p->files.at[i].error);
  }
  SKP_FREE(&p->files);
  pthread_mutex_destroy(&p->lock);
}
