/* describe.c: what a run is made of, and whether another is made of the same. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/host.h"
#include "base/text.h"
#include "base/utf8.h"
#include "io/json.h"
#include "train/checkpoint/metadata.h"
#include "train/checkpoint/state.h"
#include "train/session/shares.h"
#include <stdlib.h>
#include <string.h>

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

/* A sum of so many parts has its own last bits. */
bool skp__describe_ranks(cJSON *to, const struct skp_train_options *o) {
  const int ranks = skp__ranks_size(o->ranks);
  if (ranks == 1) return true;
  const bool equal = !o->shares || !strcmp(o->shares, skp__shares_equal);
  return skp__json_add_number(to, "ranks", ranks) && (equal || skp__json_add_text(to, "shares", o->shares));
}

/* All that must be the same when a run goes on. */
static skp_status describe(cJSON *run, const struct skp_model *m, const struct skp_data *data,
                           const struct skp_train_options *o) {
  char seed[32];
  snprintf(seed, sizeof seed, "%llu", (unsigned long long)o->seed);
  if (!skp__json_add(run, "recipe", skp__recipe_json(&m->recipe)) || !skp__json_add_text(run, "seed", seed) ||
      !skp__json_add(run, "shuffle", cJSON_CreateBool(o->shuffle)) || !skp__describe_ranks(run, o))
    return fail_description();
  SKP_TRY(add_source(run, "training images", data->train));
  SKP_TRY(add_source(run, "validation images", data->valid));
  return add_source(run, "test images", data->test);
}

/* The path to the data from the root of the file system, whatever bytes names of files have. */
static skp_status describe_place(cJSON *limits, const char *data) {
  char *path, *coded = NULL;
  if (!*data || skp__source_built_in(data)) return SKP_OK;
  SKP_TRY(skp__source_absolute(&path, data));
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
  return skp__fail(
      SKP_USAGE,
      "The run in %s was another:%s\nA resumed run goes on as it began; only its limits (epochs, steps, "
      "time), its saving, its device and the place of its data may be others. To train its weights on in another way "
      "begin a new run with %s %s/last.safetensors.",
      o->out, text.at, skp__option("skp_session_load"), o->out);
}
