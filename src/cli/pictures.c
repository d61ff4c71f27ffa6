/* pictures.c: image files named on the command line as a source of images. SPDX-License-Identifier: MIT */
#include "cli/pictures.h"
#include "base/file.h"
#include "data/walk.h"
#include <stdlib.h>
#include <string.h>

/* ---- which files ------------------------------------------------------------------------------------------------ */

/* Takes `path` over. */
static skp_status add_file(struct cli_pictures *p, char *path) {
  skp_status status = SKP_GROW(&p->files);
  if (status == SKP_OK)
    p->files.at[p->files.n - 1].path = path;
  else
    free(path);
  return status;
}

static void say_passed(const char *folder, const struct skp__tally *passed) {
  struct skp__text text = {.n = 0};
  skp__tally_say(passed, &text);
  if (text.n) fprintf(stderr, "Passed over in %s: %s.\n", folder, text.at);
}

static skp_status add_folder(struct cli_pictures *p, const char *folder) {
  skp__names names = {NULL, 0, 0};
  struct skp__tally passed = {.kinds = {.n = 0}};
  skp_status status = skp__walk(&names, &passed, folder, "");
  skp__names_sort(&names);
  for (size_t i = 0; i < names.n && status == SKP_OK; i++) {
    char *path;
    status = skp__path_join(&path, folder, names.at[i]);
    if (status == SKP_OK) status = add_file(p, path);
  }
  if (status == SKP_OK) say_passed(folder, &passed);
  skp__names_free(&names);
  skp__tally_free(&passed);
  return status;
}

static skp_status add_named(struct cli_pictures *p, const char *name) {
  char *path;
  size_t before = p->files.n;
  if (!skp__folder_exists(name)) {
    SKP_TRY(skp__strdup(&path, name));
    return add_file(p, path);
  }
  SKP_TRY(add_folder(p, name));
  if (p->files.n > before) return SKP_OK;
  return skp__fail(SKP_IO, "The folder %s holds no images: no file in it ends in one of %s.", name,
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

/* An unreadable file must not keep the others from being looked at: it has no height, as a damaged one of a data set. Each file is asked for
 * once, so that its record is the asking thread's own. */
static skp_status image(const struct skp_source *s, int64_t i, struct skp_image *out, int32_t *label) {
  const struct cli_pictures *p = (const struct cli_pictures *)s;
  struct cli_picture *file = &p->files.at[i];
  *label = -1;
  if (!out) return SKP_OK;
  if (skp__image_read(out, file->path, s->C) != SKP_OK) {
    out->H = 0;
    file->error = strdup(skp_error_message());
    return file->error ? SKP_OK : skp__fail_memory(file->path, 0);
  }
  file->dark_on_light = dark_on_light(out);
  int64_t values = (int64_t)out->H * out->W * out->C;
  for (int64_t at = 0; p->invert && at < values; at++) out->pixels[at] = (uint8_t)(255 - out->pixels[at]);
  return SKP_OK;
}

static const char *name_of(const struct skp_source *s, int64_t i) {
  return ((const struct cli_pictures *)s)->files.at[i].path;
}

skp_status cli_pictures_open(struct cli_pictures *out, char *const *names, size_t n, int channels, bool invert) {
  static char name[] = "the images";
  *out = (struct cli_pictures){.base = {.name = name, .C = channels, .image = image, .name_of = name_of},
                               .invert = invert};
  for (size_t i = 0; i < n; i++) SKP_TRY(add_named(out, names[i]));
  out->base.n = (int64_t)out->files.n;
  return SKP_OK;
}

void cli_pictures_free(struct cli_pictures *p) {
  for (size_t i = 0; i < p->files.n; i++) {
    free(p->files.at[i].path);
    free(p->files.at[i].error);
  }
  SKP_FREE(&p->files);
}
