/* fit.c: see fit.h. SPDX-License-Identifier: MIT */
#include "train/prepare/fit.h"
#include "base/file.h"
#include "base/host.h"
#include "data/walk.h"
#include <stdlib.h>

skp_status skp__fit_channels(const struct skp_model *m, const struct skp_source *s) {
  const int channels = m->recipe.channels;
  if (s->C == channels || channels == 1 || channels == 3) return SKP_OK;
  return skp__fail(SKP_SHAPE, "The images of %s have %d channel%s, %s takes %d.", s->name, s->C, s->C == 1 ? "" : "s",
                   m->name, channels);
}

/* What gives a network more classes. */
static void advise_classes(struct skp__text *text, const struct skp_model *m, skp__classes origin, int classes) {
  const char *set = skp__option("settings");
  if (origin == SKP__CLASSES_TRAINED)
    skp__text_add(text, "A trained network keeps its number");
  else if (origin == SKP__CLASSES_SAID)
    skp__text_add(text, "Leave %s classes out, or say %s classes=%d", set, set, classes);
  else if (m->takes_classes)
    skp__text_add(text, "Say %s classes=%d", set, classes);
  else
    skp__text_add(text,
                  "In %s.lua write args = {classes = %d} and, for the last layer's number, args.classes; then the data "
                  "decide, or %s classes=%d",
                  m->name, classes, set, classes);
}

/* Names both numbers, and the first image whose label is beyond the network's classes. */
static skp_status fail_classes(const struct skp_model *m, skp__classes origin, const struct skp_source *s) {
  const int classes = m->recipe.classes;
  struct skp__text advice = {.n = 0};
  int32_t label = -1;
  int64_t i = 0;
  for (; i < s->n && label < classes; i++) SKP_TRY(s->image(s, i, NULL, &label));
  advise_classes(&advice, m, origin, s->classes);
  return skp__fail(SKP_SHAPE,
                   "%s has %d classes, the network only %d: image %lld has the label %d. %s, or check the labels.",
                   s->name, s->classes, classes, (long long)i - 1, (int)label, advice.at);
}

/* Whether a class's pictures lie in folders: archives often unpack into one of their own, which then is the set. */
static skp_status has_folders(bool *out, const char *path) {
  skp__names loose = {NULL, 0, 0}, folders = {NULL, 0, 0};
  struct skp__tally passed = {.kinds = {.n = 0}};
  skp_status status = skp__walk_top(&loose, &folders, &passed, path);
  *out = folders.n > 0;
  skp__names_free(&loose);
  skp__names_free(&folders);
  skp__tally_free(&passed);
  return status;
}

static skp_status fail_one_class(const struct skp_source *s) {
  struct skp__text advice = {.n = 0};
  char *folder;
  bool set = false;
  SKP_TRY(skp__path_join(&folder, s->place ? s->place : s->name, s->class_names[0]));
  if (s->place && skp__folder_exists(folder)) SKP_TRY(has_folders(&set, folder));
  if (set) skp__text_add(&advice, " If the set is what lies in it, say %s %s.", skp__option("data"), folder);
  free(folder);
  return skp__fail(SKP_FORMAT, "%s holds only one class, %s; a network needs at least two to tell apart.%s", s->name,
                   s->class_names[0], advice.at);
}

/* Classes of images to judge by or to test with count where labels are mere numbers; else those that are not learned
 * are known by their names. */
static skp_status fit_classes(const struct skp_model *m, skp__classes origin, const struct skp_source *s,
                              skp_split split) {
  if (split != SKP_SPLIT_TRAIN && !s->numbered) return SKP_OK;
  if (s->classes > m->recipe.classes) return fail_classes(m, origin, s);
  if (s->classes > 1 || split != SKP_SPLIT_TRAIN) return SKP_OK;
  return fail_one_class(s);
}

skp_status skp__fit_data(const struct skp_model *m, skp__classes origin, struct skp_source *const part[SKP_SPLITS]) {
  for (int split = 0; split < SKP_SPLITS; split++) {
    if (!part[split]) continue;
    SKP_TRY(skp__fit_channels(m, part[split]));
    SKP_TRY(fit_classes(m, origin, part[split], (skp_split)split));
  }
  return SKP_OK;
}
