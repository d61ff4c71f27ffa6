/* tools.c: names, recipes, learning rates, self-tests. SPDX-License-Identifier: MIT */
#include "api/api.h"
#include "base/bounds.h"
#include "base/file.h"
#include "base/host.h"
#include "base/pattern.h"
#include "base/scratch.h"
#include "io/json.h"
#include "io/onnx.h"
#include "train/step/schedule.h"
#include "verify/verify.h"
#include <stdlib.h>
#include <string.h>

void skp_leave(void) { skp__scratch_remove(); }

skp_status skp_print_json(FILE *to, const char *json) {
  char *text;
  SKP_TRY(skp__json_safe(&text, json));
  fprintf(to, "%s\n", text);
  free(text);
  return SKP_OK;
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

int skp_text_ends(const char *text, const char *end) { return skp__text_ends(text, end); }

int skp_text_digits(uint64_t *out, const char *text, uint64_t most) { return skp__digits(out, text, most); }

/* ---- names ------------------------------------------------------------------------------------------------------- */

skp_named skp_find_name(const char *name) {
  if (skp__onnx_file_found(name)) return SKP_NAMES_ONNX;
  if (skp__checkpoint_found(name)) return SKP_NAMES_TRAINED;
  if (skp__folder_exists(name) || skp__source_built_in(name)) return SKP_NAMES_DATA;
  if (skp__file_exists(name)) return skp__text_ends(name, ".lua") ? SKP_NAMES_NETWORK : SKP_NAMES_NOTHING;
  return skp__model_known(name) ? SKP_NAMES_NETWORK : SKP_NAMES_NOTHING;
}

skp_status skp_weights_check(const char *path) {
  struct skp_st_file file;
  if (skp__checkpoint_found(path)) return SKP_OK;
  skp_status status = skp__checkpoint_read(&file, path); /* which says what it is instead */
  skp__st_free(&file);
  return status;
}

int skp_weights_latest(const char *path) { return skp__checkpoint_latest(path); }

skp_status skp_model_peek(const char *name, skp_model_head *out) {
  const struct skp_known_model *known = skp__model_known(name);
  struct skp_model *head;
  *out = (skp_model_head){.takes_classes = skp__onnx_file_found(name)};
  if (out->takes_classes) return SKP_OK; /* each does, and none names data: no need to read all of it */
  SKP_TRY(skp__model_load_head(&head, known ? known->file : name));
  memcpy(out->data, head->recipe.data, sizeof out->data);
  out->takes_classes = head->takes_classes;
  skp__model_destroy(head);
  return SKP_OK;
}

/* ---- recipes ----------------------------------------------------------------------------------------------------- */

int skp_entry_describe(size_t i, skp_entry *out) {
  static const char *const kinds[] = {"text", "int", "real", "bool", "numbers"};
  size_t n = 0;
  while (skp__recipe_fields[n].name) n++;
  *out = (skp_entry){0};
  if (i >= n) return 0;
  const struct skp_recipe_field *f = &skp__recipe_fields[i];
  *out = (skp_entry){f->name, kinds[f->kind], f->fallback, f->help};
  return 1;
}

const char *skp_entry_choice(const char *entry, size_t i) {
  if (!strcmp(entry, "data")) return skp__source_known(i);
  const struct skp_recipe_choice *c = strcmp(entry, skp__schedules.what) ? skp__recipe_choice(entry) : &skp__schedules;
  for (int k = 0; c && k < c->n; k++)
    if (c->name(k) && !i--) return c->name(k);
  return NULL;
}

skp_status skp_model_check(const skp_model *model) { return skp__recipe_check(&model->m->recipe); }

void skp_model_leave_images(skp_model *model) { skp__recipe_no_augmentation(&model->m->recipe); }

/* ---- learning rates ---------------------------------------------------------------------------------------------- */

static skp_status find_lr(skp_session *session, const struct skp_source *train, const skp_lr_options *o) {
  const struct skp_lr_options own = {.seed = o->seed,
                                     .first = o->first > 0 ? o->first : 1e-7,
                                     .last = o->last > 0 ? o->last : 10,
                                     .steps = o->steps > 0 ? o->steps : 100,
                                     .threads = skp__api_workers(o->workers),
                                     .say = o->report};
  SKP_TRY(skp__recipe_check(&session->model->m->recipe));
  if (o->curve) SKP_TRY(skp__option_written("curve", skp__file_try(o->curve)));
  skp__lr_curve_free(&session->curve);
  session->trained = true;
  return skp__find_lr(&session->curve, session->s, train, &own);
}

skp_status skp_find_lr(skp_session *session, const skp_data *data, const skp_lr_options *options, skp_lr_search *out) {
  static const skp_lr_options usual;
  const struct skp_source *train;
  *out = (skp_lr_search){.n = 0};
  SKP_TRY(skp__api_part(&train, data, SKP_TRAINING_IMAGES));
  SKP_TRY(skp_data_check(data, session->model));
  const skp_lr_options *o = options ? options : &usual;
  SKP_TRY(find_lr(session, train, o));
  const struct skp_lr_curve *c = &session->curve;
  *out = (skp_lr_search){
      .at = c->at, .n = c->n, .diverged = c->diverged, .lowest = c->lowest, .suggestion = c->suggestion};
  return o->curve ? skp__option_written("curve", skp__lr_curve_write(c, o->curve)) : SKP_OK;
}

/* ---- self-test --------------------------------------------------------------------------------------------------- */

skp_status skp_selftest(skp_device *device, const skp_selftest_options *options, int *passed, int *failed) {
  const struct skp_verify_options o = {.cases = options->cases,
                                       .op = options->op,
                                       .seed = options->seed,
                                       .quick = options->quick,
                                       .json = options->json,
                                       .to = options->to};
  struct skp_verify_result result = {.passed = 0};
  skp_status status = skp__verify(&result, device, &o);
  *passed = result.passed;
  *failed = result.failed;
  return status;
}
