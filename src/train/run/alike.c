/* alike.c: whether all ranks are to do the same. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "io/json.h"
#include "model/recipe.h"
#include "skipper/version.h"
#include "train/run/loop.h"
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* What is compared, by a number for each piece of it. */
struct pieces {
  int n;
  struct piece {
    char name[40];
    uint64_t sum;
  } at[32];
};

static void add(struct pieces *p, const char *name, const void *bytes, size_t n) {
  enum { MOST = sizeof p->at / sizeof *p->at };
  if (p->n == MOST) return;
  struct piece *piece = &p->at[p->n++];
  snprintf(piece->name, sizeof piece->name, "%s", name);
  piece->sum = XXH3_64bits(bytes, n);
}

static bool same(const struct piece *a, const struct piece *b) {
  return strcmp(a->name, b->name) == 0 && a->sum == b->sum;
}

static skp_status compare(const struct pieces *all, int ranks) {
  for (int q = 1; q < ranks; q++)
    for (int i = 0; i < all->n || i < all[q].n; i++)
      if (!same(&all->at[i], &all[q].at[i]))
        return skp__fail(
            SKP_USAGE,
            "The ranks are not alike: rank %d has another %s than rank 0. All need the same program, model, "
            "settings and data.",
            q, *all->at[i].name ? all->at[i].name : all[q].at[i].name);
  return SKP_OK;
}

static skp_status compare_all(const struct pieces *mine, struct skp_ranks *ranks) {
  const int size = skp__ranks_size(ranks);
  struct pieces *all;
  SKP_TRY(skp__alloc(&all, (size_t)size, sizeof *all));
  skp_status status = skp__ranks_gather(ranks, all, mine, sizeof *mine);
  if (status == SKP_OK) status = compare(all, size);
  free(all);
  return status;
}

/* Each entry of what the run is made of is a piece. Where the data lie may differ. */
static skp_status add_entries(struct pieces *p, cJSON *run) {
  cJSON_DeleteItemFromObjectCaseSensitive(cJSON_GetObjectItemCaseSensitive(run, "recipe"), "data");
  cJSON_DeleteItemFromObjectCaseSensitive(cJSON_GetObjectItemCaseSensitive(run, "limits"), "data");
  for (cJSON *entry = run->child; entry; entry = entry->next) {
    char *text = cJSON_PrintUnformatted(entry);
    if (!text) return skp__fail_memory("the description of a run", 0);
    add(p, entry->string, text, strlen(text));
    cJSON_free(text);
  }
  return SKP_OK;
}

/* What decides how a device rounds: the driver compiles, the units are the parts of a sum. */
struct device {
  char name[160], driver[256];
  int32_t units;
};

static void say_led(FILE *to) {
  if (to)
    fprintf(to, "weights  of all ranks are those of the first one's updates: their devices may round differently\n");
}

skp_status skp__alike_devices(bool *names, struct skp__loop *l) {
  const int size = skp__ranks_size(l->s->ranks);
  struct skp_backend_info info;
  struct device mine = {.units = 0}, *all;
  *names = true;
  l->s->b->ops->info(l->s->b, &info);
  snprintf(mine.name, sizeof mine.name, "%s", info.name);
  snprintf(mine.driver, sizeof mine.driver, "%s", info.driver);
  mine.units = info.units;
  SKP_TRY(skp__alloc(&all, (size_t)size, sizeof *all));
  skp_status status = skp__ranks_gather(l->s->ranks, all, &mine, sizeof mine);
  for (int q = 1; q < size && status == SKP_OK; q++) {
    *names = *names && strcmp(all[q].name, all[0].name) == 0;
    l->s->led = l->s->led || memcmp(&all[q], &all[0], sizeof *all) != 0;
  }
  free(all);
  if (l->s->led) say_led(l->o->say);
  return status;
}

skp_status skp__alike_run(const struct skp__loop *l) {
  const struct skp_model *m = l->s->model;
  struct pieces mine = {.n = 0};
  cJSON *run;
  if (!l->s->ranks) return SKP_OK;
  SKP_TRY(skp__json_parse(&run, l->described));
  add(&mine, "version", SKP_VERSION, strlen(SKP_VERSION));
  if (m->source) add(&mine, "model", m->source, strlen(m->source));
  for (size_t i = 0; i < l->o->extra.sets; i++)
    add(&mine, l->o->extra.set[i].name, l->o->extra.set[i].value, strlen(l->o->extra.set[i].value));
  skp_status status = add_entries(&mine, run);
  cJSON_Delete(run);
  return status == SKP_OK ? compare_all(&mine, l->s->ranks) : status;
}

skp_status skp__alike_values(const struct skp__loop *l) {
  struct pieces mine = {.n = 0};
  struct skp__values values;
  if (!l->s->ranks) return SKP_OK;
  SKP_TRY(skp__values_pull(&values, l->s));
  for (size_t i = 0; i < values.n; i++) add(&mine, values.at[i].name, values.at[i].data, (size_t)values.at[i].bytes);
  skp__values_free(&values);
  return compare_all(&mine, l->s->ranks);
}
