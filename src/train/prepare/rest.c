/* rest.c: see rest.h. SPDX-License-Identifier: MIT */
#include "train/prepare/rest.h"
#include "base/file.h"
#include "base/host.h"
#include <stdlib.h>
#include <string.h>

static skp_status check_source(const struct skp_resume *r, const char *dir, const char *file) {
  struct skp_model *head;
  if (!file) return SKP_OK;
  SKP_TRY(skp__model_load_head(&head, file));
  bool same = strcmp(head->source, r->model->source) == 0;
  skp__model_destroy(head);
  if (same) return SKP_OK;
  return skp__fail(SKP_USAGE,
                   "%s is not the model that the run in %s began with. Leave the file out to go on with that one, or "
                   "begin a new run without %s.",
                   file, dir, skp__option("resume"));
}

static const char *find_setting(const struct skp_resume *r, const char *name) {
  for (size_t i = 0; i < r->sets; i++)
    if (strcmp(r->set[i].name, name) == 0) return r->set[i].value;
  return NULL;
}

static skp_status check_settings(const struct skp_resume *r, const char *dir, const struct skp__said *said) {
  for (size_t i = 0; i < said->sets; i++) {
    const struct skp_setting *s = &said->set[i];
    const char *was = find_setting(r, s->name);
    if (was && strcmp(was, s->value) == 0) continue;
    return skp__fail(SKP_USAGE, "The run in %s was another: %s %s was %s there, not %s.", dir, skp__option("settings"),
                     s->name, was ? was : "not given", s->value);
  }
  return SKP_OK;
}

/* A path that was said from another folder leads there still. Where nothing is any more, the same path may lead
 * somewhere from here. */
static skp_status find_data(const struct skp_resume *r, const char *said) {
  struct skp_recipe *recipe = &r->model->recipe;
  char *here;
  if (said) return skp__recipe_set(recipe, "data", said);
  if (!r->data || (!skp__source_there(r->data) && skp__source_there(recipe->data))) return SKP_OK;
  if (!skp__source_there(r->data))
    return skp__fail(SKP_IO, "The images of the run are no longer in %s. Say where they are now: %s DIR.", r->data,
                     skp__option("data"));
  SKP_TRY(skp__source_absolute(&here, recipe->data));
  const bool same = strcmp(here, r->data) == 0;
  free(here);
  return same ? SKP_OK : skp__recipe_set(recipe, "data", r->data);
}

skp_status skp__rest_check(struct skp_resume *r, const char *dir, const struct skp__said *said) {
  SKP_TRY(check_source(r, dir, said->model));
  SKP_TRY(check_settings(r, dir, said));
  return find_data(r, said->data);
}
