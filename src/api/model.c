/* model.c: networks from files, names, checkpoints and texts, and their recipes. SPDX-License-Identifier: MIT */
#include "api/api.h"
#include "base/host.h"
#include "io/json.h"
#include "io/onnx.h"
#include "train/checkpoint/metadata.h"
#include "train/step/schedule.h"
#include <stdlib.h>
#include <string.h>

/* ---- settings ---------------------------------------------------------------------------------------------------- */

/* Takes `text`, "NAME=VALUE", over. */
static skp_status take_setting(skp_model *model, char *text) {
  skp_status status = SKP_GROW(&model->texts);
  if (status != SKP_OK) {
    free(text);
    return status;
  }
  model->texts.at[model->texts.n - 1] = text;
  char *equals = strchr(text, '=');
  if (!equals || equals == text)
    return skp__fail(SKP_USAGE, "%s wants NAME=VALUE, not \"%s\".", skp__option("settings"), text);
  *equals = 0;
  SKP_TRY(SKP_GROW(&model->set));
  model->set.at[model->set.n - 1] = (struct skp_setting){text, equals + 1};
  return SKP_OK;
}

skp_status skp__api_setting(skp_model *model, const char *name, const char *value) {
  char *text;
  SKP_TRY(skp__format(&text, "%s=%s", name, value));
  return take_setting(model, text);
}

static skp_status add_said(skp_model *model, const char *const *settings) {
  for (; settings && *settings; settings++) {
    char *text;
    SKP_TRY(skp__strdup(&text, *settings));
    SKP_TRY(take_setting(model, text));
  }
  return SKP_OK;
}

static bool sets(const skp_model *model, const char *name) {
  bool any = false;
  for (size_t i = 0; i < model->set.n; i++) any = any || strcmp(model->set.at[i].name, name) == 0;
  return any;
}

/* The file of a network with a name of its own (resnet18), whose settings are added to what was said. */
static skp_status find_file(skp_model *model, const char **file) {
  const struct skp_known_model *known = skp__model_known(*file);
  if (!known) return SKP_OK;
  *file = known->file;
  for (const struct skp_setting *s = known->set; s->name; s++)
    if (!sets(model, s->name)) SKP_TRY(skp__api_setting(model, s->name, s->value));
  return SKP_OK;
}

skp_status skp__api_settings(skp_model *model, const char *const *said, const char **file) {
  SKP_TRY(add_said(model, said));
  return *file ? find_file(model, file) : SKP_OK;
}

/* ---- making one -------------------------------------------------------------------------------------------------- */

/* A model file: its text, or NULL where `name` is its path. */
struct file {
  const char *name, *text;
};

/* As many classes as the data have, for a file that takes their number and was not given it. A file that is wrong says
 * so when it is loaded. */
static skp_status learn_classes(skp_model *model, const struct file *f, const skp_data *learns) {
  struct skp_model *head;
  char number[16];
  if (!learns || sets(model, "classes")) return SKP_OK;
  skp_status status = f->text ? skp__model_parse_head(&head, f->name, f->text) : skp__model_load_head(&head, f->name);
  if (status != SKP_OK) return SKP_OK;
  snprintf(number, sizeof number, "%d", skp_data_classes(learns));
  if (head->takes_classes) status = skp__api_setting(model, "classes", number);
  skp__model_destroy(head);
  return status;
}

static skp_status make(skp_model *model, struct file f, const skp_model_options *o) {
  const char *none = NULL;
  SKP_TRY(skp__api_settings(model, o->settings, f.text ? &none : &f.name));
  SKP_TRY(learn_classes(model, &f, o->learns));
  const struct skp_setting *set = model->set.at;
  return f.text ? skp__model_parse(&model->m, f.name, f.text, set, model->set.n, o->size, o->print_to)
                : skp__model_load(&model->m, f.name, set, model->set.n, o->size, o->print_to);
}

/* ---- a trained one ----------------------------------------------------------------------------------------------- */

static skp_status read_settings(skp_model *model, const struct skp_st_file *file, const char *path) {
  struct skp_setting *set = NULL;
  size_t n = 0;
  cJSON *json;
  SKP_TRY(skp__json_parse(&json, skp__st_meta(file, "settings")));
  skp_status status = skp__settings_read(&set, &n, json, path);
  for (size_t i = 0; i < n && status == SKP_OK; i++) status = skp__api_setting(model, set[i].name, set[i].value);
  free(set);
  cJSON_Delete(json);
  return status;
}

static skp_status read_weights(skp_model *model, const char *path) {
  SKP_TRY(skp__strdup(&model->weights, path));
  SKP_TRY(skp__alloc(&model->read, 1, sizeof *model->read));
  return skp__checkpoint_read(model->read, path);
}

void skp__api_forget_read(skp_model *model) {
  if (model->read) skp__st_free(model->read);
  free(model->read);
  model->read = NULL;
  model->report = NULL;
}

static skp_status open_trained(skp_model *model, const char *path, const skp_model_options *o) {
  if (o->settings || o->size)
    return skp__fail(SKP_USAGE,
                     "%s is a trained network, whose settings and size are fixed: %s and %s go with model files.", path,
                     skp__option("settings"), skp__option("size"));
  SKP_TRY(read_weights(model, path));
  SKP_TRY(skp__metadata_model(&model->m, &model->labels, model->read, path));
  return read_settings(model, model->read, path);
}

/* ---- the handle -------------------------------------------------------------------------------------------------- */

static const skp_model_options usual;

static skp_status settle(skp_model **out, skp_model *model, skp_status status) {
  *out = status == SKP_OK ? model : NULL;
  if (status != SKP_OK) skp_model_free(model);
  return status;
}

/* The layers of an ONNX file, for other classes or another size than it was made for; its weights where they fit. */
static skp_status open_other(skp_model *model, const char *path, const skp_model_options *o) {
  SKP_TRY(read_weights(model, path));
  model->partly = true;
  model->report = o->print_to;
  return make(model, (struct file){path, skp__st_meta(model->read, "model_source")}, o);
}

static skp_status open_named(skp_model *model, const char *name, const skp_model_options *o) {
  if (!o->trained && !skp__checkpoint_found(name)) return make(model, (struct file){name, NULL}, o);
  const bool other = o->settings || o->size || o->learns;
  return other && skp__onnx_file_found(name) ? open_other(model, name, o) : open_trained(model, name, o);
}

skp_status skp_model_load(skp_model **out, const char *name, const skp_model_options *options) {
  const skp_model_options *o = options ? options : &usual;
  skp_model *model;
  *out = NULL;
  SKP_TRY(skp__host_check_numbers());
  SKP_TRY(skp__alloc(&model, 1, sizeof *model));
  return settle(out, model, open_named(model, name, o));
}

const char *skp_model_known(size_t i) { return skp__model_name(i); }

skp_status skp_model_build(skp_model **out, const char *name, const char *text, const skp_model_options *options) {
  skp_model *model;
  *out = NULL;
  SKP_TRY(skp__host_check_numbers());
  SKP_TRY(skp__alloc(&model, 1, sizeof *model));
  return settle(out, model, make(model, (struct file){name, text}, options ? options : &usual));
}

void skp_model_free(skp_model *model) {
  if (!model) return;
  for (size_t i = 0; i < model->texts.n; i++) free(model->texts.at[i]);
  SKP_FREE(&model->texts);
  SKP_FREE(&model->set);
  skp__labels_free(&model->labels);
  skp__model_destroy(model->m);
  skp__api_forget_read(model);
  free(model->weights);
  free(model);
}

struct skp_checkpoint_extra skp__api_extra(const skp_model *model) {
  return (struct skp_checkpoint_extra){.set = model->set.at,
                                       .sets = model->set.n,
                                       .class_names = model->labels.names,
                                       .classes = model->labels.known,
                                       .kind = model->labels.kind};
}

static skp_status copy_labels(struct skp_labels *l, const struct skp_source *s) {
  SKP_TRY(skp__alloc(&l->names, (size_t)s->classes, sizeof *l->names));
  for (; l->known < s->classes; l->known++) SKP_TRY(skp__strdup(&l->names[l->known], s->class_names[l->known]));
  return s->kind ? skp__strdup(&l->kind, s->kind) : SKP_OK;
}

skp_status skp__api_learn_names(skp_model *model, const struct skp_source *s) {
  struct skp_labels fresh = {.classes = model->m->recipe.classes};
  skp_status status = copy_labels(&fresh, s);
  skp__labels_free(status == SKP_OK ? &model->labels : &fresh);
  if (status == SKP_OK) model->labels = fresh;
  return status;
}

/* ---- asking, and changing the recipe ----------------------------------------------------------------------------- */

skp_status skp_model_set(skp_model *model, const char *entry, const char *value) {
  struct skp_recipe r = model->m->recipe;
  if (strcmp(entry, "schedule") == 0 && strcmp(r.schedule, value) != 0) skp__schedule_reset(&r);
  if (strcmp(entry, "optimizer") == 0 && strcmp(r.optimizer, value) != 0) skp__recipe_reset_optimizer(&r);
  SKP_TRY(skp__recipe_set(&r, entry, value));
  model->m->recipe = r;
  if (strcmp(entry, "mean") == 0) model->own_mean = true;
  if (strcmp(entry, "std") == 0 || (strcmp(entry, "mean") == 0 && skp__recipe_names_pixels(value)))
    model->own_std = true;
  return SKP_OK;
}

skp_status skp_model_get(const skp_model *model, const char *entry, char *text, size_t size) {
  const struct skp_recipe_field *f = skp__recipe_find(entry);
  if (!f) return skp__fail(SKP_USAGE, "A recipe has no entry \"%s\".", entry);
  skp__recipe_get(text, size, &model->m->recipe, f);
  return SKP_OK;
}

const char *skp_model_name(const skp_model *model) { return model->m->name; }
int skp_model_size(const skp_model *model) { return model->m->recipe.size; }
int skp_model_channels(const skp_model *model) { return model->m->recipe.channels; }
int skp_model_classes(const skp_model *model) { return model->m->recipe.classes; }
int skp_model_trained(const skp_model *model) { return model->weights != NULL; }

int64_t skp_model_parameters(const skp_model *model) {
  const struct skp_graph *g = model->m->graph;
  int64_t n = 0;
  for (size_t i = 0; i < g->tensors.n; i++)
    if (skp__is_parameter(&g->tensors.at[i])) n += skp__shape_count(&g->tensors.at[i].shape);
  return n;
}

const char *skp_model_class_name(const skp_model *model, int i) {
  return i >= 0 && i < model->labels.known ? model->labels.names[i] : NULL;
}
