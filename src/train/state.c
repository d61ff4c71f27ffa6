/* state.c: a training run at rest: state.safetensors. SPDX-License-Identifier: MIT */
#include "train/state.h"
#include "base/file.h"
#include "base/host.h"
#include "base/text.h"
#include "base/utf8.h"
#include "io/checksum.h"
#include "io/json.h"
#include "io/log.h"
#include "train/metadata.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char file_name[] = "state.safetensors";

/* ---- position --------------------------------------------------------------------------------------------------- */

struct skp__position skp__position_start(void) {
  return (struct skp__position){.best = -INFINITY, .plateau = skp__plateau_start()};
}

/* An infinite number is left out; a position read without it has the one of the start. */
static bool add_number(cJSON *to, const char *name, double x) { return !isfinite(x) || skp__json_number(to, name, x); }

/* NULL: out of memory. */
static cJSON *position_json(const struct skp__position *at) {
  cJSON *object = cJSON_CreateObject();
  bool ok = object;
#define X(kind, field) ok = ok && add_number(object, #field, (double)at->field);
  SKP_POSITION_LIST(X)
#undef X
  if (ok) return object;
  cJSON_Delete(object);
  return NULL;
}

static double number(const cJSON *from, const char *name, double fallback) {
  const cJSON *entry = cJSON_GetObjectItemCaseSensitive(from, name);
  return cJSON_IsNumber(entry) ? entry->valuedouble : fallback;
}

static bool read_INT(int64_t *out, const cJSON *from, const char *name) {
  double x = number(from, name, -1);
  if (x < 0 || x > 9007199254740992.0 || x != floor(x)) return false;
  *out = (int64_t)x;
  return true;
}

static bool read_REAL(double *out, const cJSON *from, const char *name) {
  *out = number(from, name, *out);
  return !isnan(*out);
}

skp_status skp__resume_position(struct skp__position *at, const struct skp_resume *r) {
  bool ok = true;
  *at = skp__position_start();
#define X(kind, field) ok = ok && read_##kind(&at->field, r->position, #field);
  SKP_POSITION_LIST(X)
#undef X
  return ok ? SKP_OK : skp__fail(SKP_FORMAT, "%s does not say where the run stands.", r->path);
}

bool skp__position_early(const struct skp__position *at, const struct skp_recipe *r) {
  return r->patience && at->best_epoch && at->epoch - at->best_epoch >= r->patience;
}

bool skp__position_complete(const struct skp__position *at, const struct skp_recipe *r, int64_t max_steps) {
  return (r->epochs && at->epoch >= r->epochs) || (max_steps >= 0 && at->step >= max_steps) ||
         skp__position_early(at, r);
}

double skp__position_lr(double cuts) { return exp2(-cuts); }

bool skp__position_fits(const struct skp__position *at, int64_t steps, int64_t batch, int64_t images) {
  const int64_t done = at->epoch_steps * batch;
  return at->epoch_steps <= steps && at->step == at->epoch * steps + at->epoch_steps && at->best_epoch <= at->epoch &&
         at->images == (done < images ? done : images);
}

skp_status skp__resume_finished(const struct skp_resume *r, const struct skp_recipe *recipe, int64_t max_steps,
                                int64_t *steps) {
  struct skp__position at;
  SKP_TRY(skp__resume_position(&at, r));
  *steps = at.finished && skp__position_complete(&at, recipe, max_steps) ? at.step : -1;
  return SKP_OK;
}

/* ---- what a run is made of -------------------------------------------------------------------------------------- */

/* A number by which a set of images is known again: from a few images in full and their labels. */
static skp_status content(uint64_t *out, const struct skp_source *s) {
  enum { LOOKED_AT = 16 };
  struct skp_image image = {.pixels = NULL};
  int32_t label = 0;
  skp_status status = SKP_OK;
  uint64_t sum = 14695981039346656037u; /* FNV-1a */
  for (int64_t k = 0; k < LOOKED_AT && s->n && status == SKP_OK; k++) {
    status = s->image(s, k * (s->n - 1) / (LOOKED_AT - 1), &image, &label);
    int64_t bytes = status == SKP_OK ? (int64_t)image.H * image.W * image.C : 0;
    const uint8_t *byte = image.values ? (const uint8_t *)image.values : image.pixels;
    if (image.values) bytes *= (int64_t)sizeof *image.values;
    for (int64_t i = 0; i < bytes; i++) sum = (sum ^ byte[i]) * 1099511628211u;
    sum = (sum ^ (uint32_t)label) * 1099511628211u;
  }
  skp__image_free(&image);
  *out = sum;
  return status;
}

static bool add_summary(cJSON *to, const char *name, const struct skp_source *s, uint64_t sum) {
  char text[32];
  cJSON *entry = cJSON_CreateObject();
  snprintf(text, sizeof text, "%016llx", (unsigned long long)sum);
  const bool ok =
      skp__json_add_number(entry, "images", (double)s->n) &&
      skp__json_add(entry, "classes", cJSON_CreateStringArray((const char *const *)s->class_names, s->classes)) &&
      skp__json_add_text(entry, "content", text);
  return skp__json_add(to, name, entry) && ok;
}

static skp_status fail_description(void) { return skp__fail_memory("the description of a run", 0); }

static skp_status add_source(cJSON *to, const char *name, const struct skp_source *s) {
  uint64_t sum;
  if (!s) return SKP_OK;
  SKP_TRY(content(&sum, s));
  return add_summary(to, name, s, sum) ? SKP_OK : fail_description();
}

/* All that must be the same when a run goes on. */
static skp_status describe(cJSON *run, const struct skp_model *m, const struct skp_data *data,
                           const struct skp_train_options *o) {
  char seed[32];
  snprintf(seed, sizeof seed, "%llu", (unsigned long long)o->seed);
  if (!skp__json_add(run, "recipe", skp__recipe_json(&m->recipe)) || !skp__json_add_text(run, "seed", seed) ||
      !skp__json_add(run, "shuffle", cJSON_CreateBool(o->shuffle)))
    return fail_description();
  SKP_TRY(add_source(run, "training images", data->train));
  SKP_TRY(add_source(run, "validation images", data->valid));
  return add_source(run, "test images", data->test);
}

/* The path to the data from the root of the file system, whatever bytes names of files have. */
static skp_status describe_place(cJSON *limits, const char *data) {
  char *path, *coded = NULL;
  if (!*data || skp__source_built_in(data)) return SKP_OK;
  SKP_TRY(skp__path_absolute(&path, data));
  skp_status status = skp__percent_encoded(&coded, path);
  if (status == SKP_OK && !skp__json_add_text(limits, "data", coded)) status = fail_description();
  free(coded);
  free(path);
  return status;
}

/* What may differ when a run goes on. */
static skp_status describe_limits(cJSON *run, const struct skp_model *m, const struct skp_train_options *o) {
  cJSON *limits = cJSON_CreateObject();
  if (!skp__json_add(run, "limits", limits)) return fail_description();
  if (!skp__json_add_number(limits, "max_steps", (double)o->max_steps) ||
      !skp__json_add_number(limits, "max_damaged", (double)o->max_damaged) ||
      !skp__json_add_number(limits, "save_epochs", (double)o->save.epochs) ||
      !skp__json_add_number(limits, "save_steps", (double)o->save.steps) ||
      !skp__json_add_number(limits, "save_seconds", o->save.seconds) ||
      !skp__json_add_number(limits, "keep", (double)o->save.keep))
    return fail_description();
  return describe_place(limits, m->recipe.data);
}

skp_status skp__state_describe(char **out, const struct skp_model *m, const struct skp_data *data,
                               const struct skp_train_options *o) {
  cJSON *run = cJSON_CreateObject();
  *out = NULL;
  skp_status status = describe(run, m, data, o);
  if (status == SKP_OK) status = describe_limits(run, m, o);
  if (status == SKP_OK) status = skp__json_text(out, run, false);
  cJSON_Delete(run);
  return status;
}

/* ---- saving ----------------------------------------------------------------------------------------------------- */

/* Each step makes gradients and sums of micro-batches anew. */
static bool kept(const char *name) {
  for (int port = 0; port < SKP_PORTS; port++)
    if (skp__ports[port].role == SKP_ROLE_GRAD && strcmp(skp__ports[port].name, name) == 0) return false;
  return true;
}

static skp_status pull(struct skp__values *v, struct skp_session *s) {
  struct skp_buffer *buffer;
  const char *name;
  int64_t bytes;
  size_t n = 0;
  while (skp__store_nth(s->store, n, &name, &bytes)) n++;
  SKP_TRY(skp__alloc(&v->at, n, sizeof *v->at));
  for (size_t i = 0; (buffer = skp__store_nth(s->store, i, &name, &bytes)); i++) {
    if (!kept(name)) continue;
    char *data;
    SKP_TRY(skp__alloc(&data, (size_t)bytes, 1));
    struct skp_st_tensor *row = &v->at[v->n++];
    *row = (struct skp_st_tensor){.dtype = "F32", .rank = 1, .dim = {bytes / 4}, .bytes = bytes, .data = data};
    SKP_TRY(skp__strdup(&row->name, name));
    SKP_TRY(skp__backend_read_now(s->b, buffer, 0, data, bytes));
  }
  return SKP_OK;
}

skp_status skp__values_pull(struct skp__values *out, struct skp_session *s) {
  *out = (struct skp__values){.n = 0};
  skp_status status = pull(out, s);
  if (status != SKP_OK) skp__values_free(out);
  return status;
}

skp_status skp__values_push(const struct skp__values *v, struct skp_session *s) {
  s->moved = true;
  for (size_t i = 0; i < v->n; i++) {
    struct skp_buffer *buffer;
    SKP_TRY(skp__store_buffer(s->store, &buffer, v->at[i].name, v->at[i].bytes));
    SKP_TRY(skp__backend_write_now(s->b, buffer, 0, v->at[i].data, v->at[i].bytes));
  }
  return SKP_OK;
}

/* In an infinite number, and in what is none, all bits of the exponent are set. */
static int64_t count_lost(const struct skp_st_tensor *t, int64_t *first) {
  const uint32_t exponent = 0x7f800000;
  const uint32_t *bits = t->data;
  const int64_t n = t->bytes / 4;
  int64_t lost = 0;
  for (int64_t i = 0; i < n; i++) lost += (bits[i] & exponent) == exponent;
  for (*first = 0; lost && (bits[*first] & exponent) != exponent;) ++*first;
  return lost;
}

/* The weight to which value `at` of a flat buffer belongs; all have the layout of the parameters or of the state. */
static const char *weight_at(const struct skp_graph *g, const char *buffer, int64_t at) {
  const skp_role role = strstr(buffer, "state") ? SKP_ROLE_STATE : SKP_ROLE_PARAM;
  for (size_t i = 0; i < g->tensors.n; i++) {
    const struct skp_tensor *t = &g->tensors.at[i];
    const int64_t offset = at - t->offset;
    if (skp__is_weight(t) && t->role == role && offset >= 0 && offset < skp__shape_count(&t->shape)) return t->name;
  }
  return "no weight";
}

skp_status skp__values_check(const struct skp__values *v, const struct skp_model *m) {
  for (size_t i = 0; i < v->n; i++) {
    int64_t first, lost = count_lost(&v->at[i], &first);
    if (lost)
      return skp__fail(SKP_NUMERIC, "%lld value%s of %s became infinite or not numbers, the first of %s",
                       (long long)lost, lost == 1 ? "" : "s", v->at[i].name, weight_at(m->graph, v->at[i].name, first));
  }
  return SKP_OK;
}

void skp__values_free(struct skp__values *v) {
  for (size_t i = 0; i < v->n; i++) {
    free(v->at[i].name);
    free((void *)(uintptr_t)v->at[i].data);
  }
  free(v->at);
  *v = (struct skp__values){.n = 0};
}

skp_status skp__state_metadata(struct skp__metadata *meta, struct skp_session *s,
                               const struct skp_checkpoint_extra *extra, const char *run,
                               const struct skp__position *at) {
  struct skp_backend_info info;
  s->b->ops->info(s->b, &info);
  SKP_TRY(skp__metadata_make(meta, s->model, extra));
  SKP_TRY(skp__metadata_text(meta, "device", info.name));
  SKP_TRY(skp__metadata_text(meta, "run", run));
  return skp__metadata_json(meta, "position", position_json(at));
}

skp_status skp__state_write(const char *path, const struct skp__values *v, struct skp__metadata *meta) {
  char *sums;
  SKP_TRY(skp__checksums_make(&sums, v->at, v->n, meta->at, meta->n));
  skp_status status = skp__metadata_text(meta, SKP__CHECKSUMS_KEY, sums);
  free(sums);
  return status == SKP_OK ? skp__st_write(path, v->at, v->n, meta->at, meta->n) : status;
}

int64_t skp__state_bytes(const struct skp_model *m) {
  struct skp_graph *g;
  int64_t values = 0;
  if (skp__step_graph(&g, m, 1, SKP_STEP_TRAIN) != SKP_OK) return 0;
  for (size_t i = 0; i < g->tensors.n; i++) {
    const struct skp_tensor *t = &g->tensors.at[i];
    bool stored = t->role == SKP_ROLE_PARAM || t->role == SKP_ROLE_STATE || t->role == SKP_ROLE_MOMENT;
    if (stored && t->base == SKP_NONE) values += skp__shape_count(&t->shape);
  }
  skp__graph_destroy(g);
  return 4 * values + (int64_t)strlen(m->source) + 8192;
}

/* ---- opening ---------------------------------------------------------------------------------------------------- */

static skp_status parse(cJSON **out, const struct skp_resume *r, const char *key) {
  const char *text = skp__st_meta(&r->file, key);
  SKP_TRY(skp__json_parse(out, text));
  return *out ? SKP_OK : skp__fail(SKP_FORMAT, "%s is not the state of a run: its metadata holds no %s.", r->path, key);
}

static skp_status read_options(struct skp_resume *r) {
  const cJSON *limits = cJSON_GetObjectItemCaseSensitive(r->run, "limits");
  const char *seed = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(r->run, "seed"));
  r->seed = seed ? strtoull(seed, NULL, 10) : 0;
  r->shuffle = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(r->run, "shuffle"));
  r->max_steps = (int64_t)number(limits, "max_steps", -1);
  r->epochs = r->model->recipe.epochs;
  r->save = (struct skp_save_options){.epochs = (int64_t)number(limits, "save_epochs", 0),
                                      .steps = (int64_t)number(limits, "save_steps", 0),
                                      .seconds = number(limits, "save_seconds", 0),
                                      .keep = (int64_t)number(limits, "keep", 0)};
  r->max_damaged = (int64_t)number(limits, "max_damaged", SKP_DAMAGE_USUAL);
  const char *data = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(limits, "data"));
  return data ? skp__percent_decoded(&r->data, data) : SKP_OK;
}

/* A recipe's JSON as it reads back from a file. */
static cJSON *reread(const struct skp_recipe *r) {
  cJSON *made = skp__recipe_json(r);
  char *text;
  cJSON *read = NULL;
  if (skp__json_text(&text, made, false) == SKP_OK) (void)skp__json_parse(&read, text);
  free(text);
  cJSON_Delete(made);
  return read;
}

/* An earlier build knew fewer recipe entries: a missing one has its default, which is what that build did. */
static skp_status fill_recipe(cJSON *run) {
  struct skp_recipe fallback;
  skp__recipe_default(&fallback);
  cJSON *recipe = cJSON_GetObjectItemCaseSensitive(run, "recipe"), *all = reread(&fallback);
  bool ok = all;
  for (cJSON *entry = all ? all->child : NULL, *next; ok && entry; entry = next) {
    next = entry->next;
    if (!recipe || cJSON_GetObjectItemCaseSensitive(recipe, entry->string)) continue;
    cJSON_DetachItemViaPointer(all, entry);
    ok = cJSON_AddItemToObject(recipe, entry->string, entry);
  }
  cJSON_Delete(all);
  return ok ? SKP_OK : fail_description();
}

static skp_status read_state(struct skp_resume *r) {
  SKP_TRY(skp__st_read(&r->file, r->path));
  SKP_TRY(skp__checksums_check(&r->file, r->path));
  SKP_TRY(skp__metadata_model(&r->model, NULL, &r->file, r->path));
  SKP_TRY(parse(&r->run, r, "run"));
  SKP_TRY(fill_recipe(r->run));
  SKP_TRY(parse(&r->position, r, "position"));
  SKP_TRY(parse(&r->settings, r, "settings"));
  SKP_TRY(skp__settings_read(&r->set, &r->sets, r->settings, r->path));
  return read_options(r);
}

/* Whether a log tells of the very steps or epochs that were done. After a loss of power it may lack its end, but it
 * does not know of later ones; a run whose logs were moved away begins new ones. */
static skp_status check_log(const char *dir, const char *name, const char *before, int64_t bytes, int64_t done) {
  char *path;
  int64_t logged = 0;
  bool whole = false;
  SKP_TRY(skp__path_join(&path, dir, name));
  skp_status status = skp__log_last(&logged, &whole, path, before, bytes);
  if (status == SKP_OK && (whole ? logged != done : logged > done))
    status = skp__fail(SKP_FORMAT,
                       "The state of the run in %s does not fit its logs: it stands after %lld where %s says %lld. Are "
                       "they of the same run? With the log moved away the run goes on as its state says.",
                       dir, (long long)done, name, (long long)logged);
  free(path);
  return status;
}

static skp_status check_logs(const struct skp_resume *r, const char *dir) {
  struct skp__position at;
  SKP_TRY(skp__resume_position(&at, r));
  SKP_TRY(check_log(dir, "log.jsonl", "{\"step\":", at.log_bytes, at.step));
  return check_log(dir, "results.csv", "", at.table_bytes, at.epoch);
}

skp_status skp__resume_open(struct skp_resume **out, const char *dir) {
  struct skp_resume *r;
  *out = NULL;
  SKP_TRY(skp__alloc(&r, 1, sizeof *r));
  skp_status status = skp__path_join(&r->path, dir, file_name);
  if (status == SKP_OK && !skp__file_exists(r->path))
    status = skp__fail(SKP_IO, "There is no run to resume in %s: it holds no %s.", dir, file_name);
  if (status == SKP_OK) status = read_state(r);
  if (status == SKP_OK) status = check_logs(r, dir);
  if (status == SKP_OK)
    *out = r;
  else
    skp__resume_close(r);
  return status;
}

const char *skp__resume_device(const struct skp_resume *r) {
  const char *name = skp__st_meta(&r->file, "device");
  return name ? name : "";
}

void skp__resume_close(struct skp_resume *r) {
  if (!r) return;
  skp__st_free(&r->file);
  skp__model_destroy(r->model);
  cJSON_Delete(r->run);
  cJSON_Delete(r->position);
  cJSON_Delete(r->settings);
  free(r->set);
  free(r->data);
  free(r->path);
  free(r);
}

/* ---- is it the same run? ---------------------------------------------------------------------------------------- */

/* Recipe entries that may be others, and what is compared elsewhere. */
static bool free_to_differ(const char *name) {
  static const char *const names[] = {"data", "epochs", "patience", "limits", "on_nan", NULL};
  for (int i = 0; names[i]; i++)
    if (strcmp(name, names[i]) == 0) return true;
  return false;
}

static void add_value(struct skp__text *to, const cJSON *value, const char *where) {
  char *text = value ? cJSON_PrintUnformatted(value) : NULL;
  const char *shown = cJSON_IsString(value) ? value->valuestring : text ? text : "nothing";
  skp__text_add(to, "%.60s%s %s", shown, strlen(shown) > 60 ? "…" : "", where);
  cJSON_free(text);
}

static void compare(struct skp__text *to, const cJSON *was, const cJSON *is, const char *within) {
  const cJSON *entry;
  cJSON_ArrayForEach(entry, is) {
    const cJSON *old = cJSON_GetObjectItemCaseSensitive(was, entry->string);
    if (free_to_differ(entry->string) || cJSON_Compare(old, entry, true)) continue;
    if (cJSON_IsObject(old) && cJSON_IsObject(entry)) {
      compare(to, old, entry, strcmp(entry->string, "recipe") == 0 ? "" : entry->string);
      continue;
    }
    skp__text_add(to, "\n  %s%s%s: ", within, *within ? ", " : "", entry->string);
    add_value(to, old, "in the run, ");
    add_value(to, entry, "now");
  }
  cJSON_ArrayForEach(entry,
                     was) if (!free_to_differ(entry->string) && !cJSON_GetObjectItemCaseSensitive(is, entry->string)) {
    skp__text_add(to, "\n  %s: ", entry->string);
    add_value(to, entry, "in the run, nothing now");
  }
}

skp_status skp__resume_check(const struct skp_resume *r, const struct skp_model *m, const struct skp_data *data,
                             const struct skp_train_options *o) {
  struct skp__text text = {.n = 0};
  char *described;
  SKP_TRY(skp__state_describe(&described, m, data, o));
  cJSON *now = NULL;
  (void)skp__json_parse(&now, described); /* as the run's own was read */
  if (now) compare(&text, r->run, now, "");
  cJSON_Delete(now);
  free(described);
  if (!now) return fail_description();
  if (!text.n) return SKP_OK;
  return skp__fail(SKP_USAGE,
                   "The run in %s was another:%s\nA resumed run goes on as it began; only its limits (epochs, steps, "
                   "time), its saving and its device may be others. To train its weights on in another way begin a new "
                   "run with %s %s/last.safetensors.",
                   o->out, text.at, skp__option("skp_session_load"), o->out);
}

/* ---- going on --------------------------------------------------------------------------------------------------- */

skp_status skp__state_restore(const struct skp_resume *r, struct skp_session *s) {
  s->moved = true;
  struct skp_buffer *buffer;
  const char *name;
  int64_t bytes;
  for (size_t i = 0; (buffer = skp__store_nth(s->store, i, &name, &bytes)); i++) {
    if (!kept(name)) continue;
    const struct skp_st_tensor *t = skp__st_find(&r->file, name);
    if (!t || t->bytes != bytes || strcmp(t->dtype, "F32") != 0)
      return skp__fail(SKP_FORMAT, "%s holds no %s of %lld bytes, which this network needs.", r->path, name,
                       (long long)bytes);
    SKP_TRY(skp__backend_write_now(s->b, buffer, 0, t->data, bytes));
  }
  return SKP_OK;
}
