/* resume.c: a run taken up from its folder. SPDX-License-Identifier: MIT */
#include "base/bounds.h"
#include "base/file.h"
#include "base/host.h"
#include "base/utf8.h"
#include "data/damage.h"
#include "io/checksum.h"
#include "io/json.h"
#include "io/log.h"
#include "train/checkpoint/state.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static skp_status parse(cJSON **out, const struct skp_resume *r, const char *key) {
  const char *text = skp__st_meta(&r->file, key);
  SKP_TRY(skp__json_parse(out, text));
  if (cJSON_IsObject(*out)) return SKP_OK;
  return skp__fail(SKP_FORMAT, "%s is not the state of a run: its metadata holds no object %s.", r->path, key);
}

/* Whole numbers from `least` on, which is what an earlier build that did not say them did. */
static bool read_limits(struct skp_resume *r, const cJSON *limits) {
  const struct {
    const char *name;
    int64_t *to, least;
  } rows[] = {{"max_steps", &r->max_steps, -1},
              {"save_epochs", &r->save.epochs, 0},
              {"save_steps", &r->save.steps, 0},
              {"keep", &r->save.keep, 0},
              {"max_damaged", &r->max_damaged, SKP_DAMAGE_USUAL}};
  bool ok = true;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const double said = skp__json_number_of(limits, rows[i].name, (double)rows[i].least);
    ok = skp__whole(rows[i].to, said, rows[i].least, INT64_MAX) && ok;
  }
  r->save.seconds = skp__json_number_of(limits, "save_seconds", 0);
  return ok && isfinite(r->save.seconds) && r->save.seconds >= 0;
}

static bool read_seed(struct skp_resume *r) {
  const char *seed = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(r->run, "seed"));
  return !seed || skp__digits(&r->seed, seed, UINT64_MAX);
}

static skp_status read_options(struct skp_resume *r) {
  const cJSON *limits = cJSON_GetObjectItemCaseSensitive(r->run, "limits");
  r->shuffle = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(r->run, "shuffle"));
  r->shares = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(r->run, "shares"));
  r->epochs = r->model->recipe.epochs;
  if (!read_seed(r) || !read_limits(r, limits))
    return skp__fail(SKP_FORMAT, "%s says a seed or limits that no run has.", r->path);
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
  return ok ? SKP_OK : skp__fail_memory("the description of a run", 0);
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

/* What a state says of a log. */
struct told {
  const char *name, *before; /* its file; what stands before the numbers of its lines */
  int64_t bytes, done;
  struct skp_log_sums sums;
};

/* Whether a log tells of the very steps or epochs that were done. After a loss of power it may lack its end, which need
 * not be the line of a step, but it does not know of later ones; a run whose logs were moved away begins new ones, and
 * those may have no line yet. */
static bool fits(const struct told *t, const struct skp_log_seen *log, char *why, size_t size) {
  const bool whole = log->whole && log->number, known = whole ? log->number == t->done : log->number <= t->done;
  if (!known)
    snprintf(why, size, "it stands after %lld where %s says %lld", (long long)t->done, t->name, (long long)log->number);
  const bool begun = log->number || (log->whole && t->done);
  const bool alike = !begun || skp__log_alike(&t->sums, &log->sums);
  if (known && !alike) snprintf(why, size, "the lines of %s are not those that the run wrote", t->name);
  return known && alike;
}

static skp_status check_log(const char *dir, const struct told *t) {
  char *path, why[160];
  struct skp_log_seen log;
  SKP_TRY(skp__path_join(&path, dir, t->name));
  skp_status status = skp__log_see(&log, path, t->before, t->bytes);
  if (status == SKP_OK && !fits(t, &log, why, sizeof why))
    status = skp__fail(SKP_FORMAT,
                       "The state of the run in %s does not fit its logs: %s. Are they of the same run, and as it left "
                       "them? With the log moved away the run goes on as its state says.",
                       dir, why);
  free(path);
  return status;
}

static skp_status check_logs(const struct skp_resume *r, const char *dir) {
  struct skp__position at;
  SKP_TRY(skp__resume_position(&at, r));
  SKP_TRY(check_log(dir, &(struct told){"log.jsonl", "{\"step\":", at.log_bytes, at.step, at.log}));
  return check_log(dir, &(struct told){"results.csv", "", at.table_bytes, at.epoch, at.table});
}

skp_status skp__resume_open(struct skp_resume **out, const char *dir) {
  static const char file[] = "state.safetensors";
  struct skp_resume *r;
  *out = NULL;
  SKP_TRY(skp__alloc(&r, 1, sizeof *r));
  skp_status status = skp__path_join(&r->path, dir, file);
  if (status == SKP_OK && !skp__file_exists(r->path))
    status = skp__fail(SKP_IO, "There is no run to resume in %s: it holds no %s.", dir, file);
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
