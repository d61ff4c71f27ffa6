/* metadata.c: model source, settings, recipe and class names to and from a checkpoint's metadata.
 * SPDX-License-Identifier: MIT */
#include "train/checkpoint/metadata.h"
#include "base/host.h"
#include "base/utf8.h"
#include "io/json.h"
#include "skipper/version.h"
#include <stdlib.h>
#include <string.h>

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* cJSON's own printing may be off by the last bit. */
bool skp__json_number(cJSON *object, const char *name, double x) {
  char text[32];
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, x);
    if (strtod(text, NULL) == x) break;
  }
  return skp__json_add(object, name, cJSON_CreateRaw(text));
}

static bool add_field(cJSON *object, const struct skp_recipe *r, const struct skp_recipe_field *f) {
  char text[SKP_RECIPE_TEXT_MOST], list[SKP_RECIPE_TEXT_MOST + 2];
  skp__recipe_get(text, sizeof text, r, f);
  const bool number = strchr("-.0123456789", *text); /* not "auto" */
  if (f->kind == SKP_RECIPE_REAL && number) return skp__json_number(object, f->name, strtod(text, NULL));
  if (f->kind == SKP_RECIPE_REAL || f->kind == SKP_RECIPE_TEXT) return skp__json_add_text(object, f->name, text);
  snprintf(list, sizeof list, f->kind == SKP_RECIPE_NUMBERS ? "[%s]" : "%s", text);
  return skp__json_add(object, f->name, cJSON_CreateRaw(list));
}

/* NULL in place of an object that lacks an entry. */
static cJSON *whole(cJSON *object, bool ok) {
  if (ok) return object;
  cJSON_Delete(object);
  return NULL;
}

cJSON *skp__recipe_json(const struct skp_recipe *r) {
  cJSON *object = cJSON_CreateObject();
  bool ok = object;
  for (const struct skp_recipe_field *f = skp__recipe_fields; ok && f->name; f++) ok = add_field(object, r, f);
  ok = ok && skp__json_add_number(object, "size", r->size) && skp__json_add_number(object, "channels", r->channels) &&
       skp__json_add_number(object, "classes", r->classes);
  return whole(object, ok);
}

cJSON *skp__settings_json(const struct skp_setting *set, size_t sets) {
  cJSON *object = cJSON_CreateObject();
  bool ok = object;
  for (size_t i = 0; ok && i < sets; i++) ok = skp__json_add_text(object, set[i].name, set[i].value);
  return whole(object, ok);
}

skp_status skp__metadata_text(struct skp__metadata *m, const char *key, const char *value) {
  struct skp_st_meta *row = &m->at[m->n];
  SKP_TRY(skp__strdup(&row->key, key));
  m->n++;
  return skp__strdup(&row->value, value);
}

skp_status skp__metadata_json(struct skp__metadata *m, const char *key, cJSON *json) {
  char *text;
  skp_status status = skp__json_text(&text, json, false);
  cJSON_Delete(json);
  if (status == SKP_OK) status = skp__metadata_text(m, key, text);
  free(text);
  return status;
}

skp_status skp__metadata_make(struct skp__metadata *out, const struct skp_model *m,
                              const struct skp_checkpoint_extra *extra) {
  SKP_TRY(skp__metadata_text(out, "format", "pt")); /* names and layouts are PyTorch's */
  SKP_TRY(skp__metadata_text(out, "skipper", SKP_VERSION));
  SKP_TRY(skp__metadata_text(out, "model_name", m->name));
  SKP_TRY(skp__metadata_text(out, "model_source", m->source));
  SKP_TRY(skp__metadata_json(out, "settings", skp__settings_json(extra->set, extra->sets)));
  SKP_TRY(skp__metadata_json(out, "recipe", skp__recipe_json(&m->recipe)));
  if (extra->kind) SKP_TRY(skp__metadata_text(out, "data_kind", extra->kind));
  return skp__metadata_json(out, "classes",
                            extra->class_names
                                ? cJSON_CreateStringArray((const char *const *)extra->class_names, extra->classes)
                                : cJSON_CreateArray());
}

void skp__metadata_free(struct skp__metadata *m) {
  for (size_t i = 0; i < m->n; i++) {
    free(m->at[i].key);
    free(m->at[i].value);
  }
  m->n = 0;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static skp_status parse(cJSON **out, const struct skp_st_file *f, const char *key, const char *path) {
  const char *text = skp__st_meta(f, key);
  SKP_TRY(skp__json_parse(out, text));
  if (*out) return SKP_OK;
  return skp__fail(SKP_FORMAT,
                   "%s is not a checkpoint of Skipper: its metadata holds no %s. A training takes in "
                   "weights of another program by %s %s; %s writes them as they are.",
                   path, text ? "valid JSON for the model" : "model", skp__option("skp_session_load"), path,
                   skp__option("no_steps"));
}

/* A recipe entry as the text that skp__recipe_set takes. */
static const char *entry_text(char *text, size_t size, const cJSON *entry) {
  if (cJSON_IsString(entry)) return entry->valuestring;
  if (cJSON_IsBool(entry)) return cJSON_IsTrue(entry) ? "true" : "false";
  snprintf(text, size, "%.17g", entry->valuedouble);
  if (!cJSON_IsArray(entry)) return text;
  const cJSON *number;
  *text = 0;
  cJSON_ArrayForEach(number, entry) {
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%.17g", used ? "," : "", number->valuedouble);
  }
  return text;
}

static skp_status read_recipe(struct skp_recipe *r, const cJSON *json, const char *path) {
  char text[SKP_RECIPE_TEXT_MOST]; /* a list that it cuts has too many numbers anyway */
  for (const struct skp_recipe_field *f = skp__recipe_fields; f->name; f++) {
    const cJSON *entry = cJSON_GetObjectItemCaseSensitive(json, f->name);
    if (!entry) continue;
    if (skp__recipe_set(r, f->name, entry_text(text, sizeof text, entry)) != SKP_OK)
      return skp__fail_in(SKP_FORMAT, "the recipe in %s", path);
  }
  return SKP_OK;
}

/* What the recipe tells of the network once more. */
static skp_status check_network(const struct skp_recipe *r, const cJSON *json, const char *path) {
  const struct {
    const char *name;
    int is;
  } rows[] = {{"size", r->size}, {"channels", r->channels}, {"classes", r->classes}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const cJSON *said = cJSON_GetObjectItemCaseSensitive(json, rows[i].name);
    if (said && (!cJSON_IsNumber(said) || said->valuedouble != rows[i].is))
      return skp__fail(SKP_FORMAT, "the recipe in %s: %s is not the network's, which is %d: the file is damaged.", path,
                       rows[i].name, rows[i].is);
  }
  return SKP_OK;
}

static skp_status check_recipe(const struct skp_recipe *r, const cJSON *json, const char *path) {
  SKP_TRY(check_network(r, json, path));
  return skp__recipe_check(r) == SKP_OK ? SKP_OK : skp__fail_in(SKP_FORMAT, "the recipe in %s", path);
}

skp_status skp__settings_read(struct skp_setting **out, size_t *n, const cJSON *json, const char *path) {
  *n = 0;
  SKP_TRY(skp__alloc(out, (size_t)cJSON_GetArraySize(json), sizeof **out));
  const cJSON *entry;
  cJSON_ArrayForEach(entry, json) {
    if (!entry->string || !cJSON_IsString(entry))
      return skp__fail(SKP_FORMAT, "The settings in %s are not texts.", path);
    (*out)[(*n)++] = (struct skp_setting){entry->string, entry->valuestring};
  }
  return SKP_OK;
}

/* Fewer names than classes are right: to the others no image of the training belonged. */
static skp_status check_names(int classes, const cJSON *json, const char *path) {
  const int names = cJSON_GetArraySize(json);
  if (names <= classes) return SKP_OK;
  return skp__fail(SKP_FORMAT, "%s names %d classes, but its network has %d: the file is damaged.", path, names,
                   classes);
}

/* The names that the file has, of the first of so many classes. */
static skp_status read_names(struct skp_labels *out, int classes, const cJSON *json) {
  const cJSON *name;
  SKP_TRY(skp__alloc(&out->names, (size_t)cJSON_GetArraySize(json), sizeof *out->names));
  out->classes = classes;
  cJSON_ArrayForEach(name, json) {
    if (!cJSON_IsString(name) || out->known == classes) break;
    SKP_TRY(skp__utf8_shown(&out->names[out->known], name->valuestring)); /* as folders' names are */
    out->known++;
  }
  return SKP_OK;
}

static skp_status read_labels(struct skp_labels *out, int classes, const cJSON *json, const struct skp_st_file *f) {
  const char *kind = skp__st_meta(f, "data_kind");
  *out = (struct skp_labels){.names = NULL};
  skp_status status = read_names(out, classes, json);
  if (status == SKP_OK && kind) status = skp__strdup(&out->kind, kind);
  if (status != SKP_OK) skp__labels_free(out);
  return status;
}

/* The JSON texts of one checkpoint. */
struct parsed {
  cJSON *settings, *recipe, *classes;
};

static skp_status rebuild(struct skp_model **out, const struct parsed *json, const struct skp_st_file *f,
                          const char *path) {
  const char *source = skp__st_meta(f, "model_source"), *name = skp__st_meta(f, "model_name");
  const cJSON *size = cJSON_GetObjectItemCaseSensitive(json->recipe, "size");
  struct skp_setting *set = NULL;
  size_t sets = 0;
  int side = cJSON_IsNumber(size) && size->valueint > 0 ? size->valueint : 0;
  skp_status status = skp__settings_read(&set, &sets, json->settings, path);
  if (status == SKP_OK) status = skp__model_parse(out, name ? name : "model", source, set, sets, side, NULL);
  if (status == SKP_USAGE) status = SKP_FORMAT; /* whoever named the file said none of this */
  if (status != SKP_OK) status = skp__fail_in(status, "the model in %s", path);
  free(set);
  return status;
}

static skp_status read_parts(struct parsed *json, const struct skp_st_file *f, const char *path) {
  if (!skp__st_meta(f, "model_source")) return parse(&json->settings, f, "model_source", path);
  SKP_TRY(parse(&json->settings, f, "settings", path));
  SKP_TRY(parse(&json->recipe, f, "recipe", path));
  return parse(&json->classes, f, "classes", path);
}

static skp_status read_model(struct skp_model **out, struct skp_labels *labels, const struct skp_st_file *f,
                             const char *path) {
  struct parsed json = {NULL, NULL, NULL};
  skp_status status = read_parts(&json, f, path);
  if (status == SKP_OK) status = rebuild(out, &json, f, path);
  if (status == SKP_OK) status = read_recipe(&(*out)->recipe, json.recipe, path);
  if (status == SKP_OK) status = check_recipe(&(*out)->recipe, json.recipe, path);
  if (status == SKP_OK) status = check_names((*out)->recipe.classes, json.classes, path);
  if (status == SKP_OK && labels) status = read_labels(labels, (*out)->recipe.classes, json.classes, f);
  cJSON_Delete(json.settings);
  cJSON_Delete(json.recipe);
  cJSON_Delete(json.classes);
  return status;
}

skp_status skp__metadata_pixels(const struct skp_inherit *to, enum skp__pixels *said, const struct skp_st_file *f,
                                const char *path) {
  cJSON *json;
  struct skp_recipe its, *r = to->recipe;
  *said = SKP__PIXELS_UNSAID;
  SKP_TRY(skp__json_parse(&json, skp__st_meta(f, "recipe")));
  if (!json) return SKP_OK;
  skp__recipe_default(&its);
  skp_status status = read_recipe(&its, json, path);
  const bool says = cJSON_HasObjectItem(json, "mean") || cJSON_HasObjectItem(json, "std");
  cJSON_Delete(json);
  if (status == SKP_OK && !says) return SKP_OK; /* ONNX files may not */
  bool fits = (its.mean.n == 1 || its.mean.n == r->channels) && (its.std.n == 1 || its.std.n == r->channels);
  *said = fits ? SKP__PIXELS_FIT : SKP__PIXELS_DIFFER;
  if (status != SKP_OK || !fits) return status;
  if (to->mean) r->mean = its.mean;
  if (to->std) r->std = its.std;
  return SKP_OK;
}

skp_status skp__metadata_model(struct skp_model **out, struct skp_labels *labels, const struct skp_st_file *f,
                               const char *path) {
  *out = NULL;
  skp_status status = read_model(out, labels, f, path);
  if (status != SKP_OK) {
    skp__model_destroy(*out);
    *out = NULL;
  }
  return status;
}
