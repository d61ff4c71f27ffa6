/* data.c: labelled images, from files or from memory. SPDX-License-Identifier: MIT */
#include "api/api.h"
#include "data/damage.h"
#include "train/prepare/trial.h"
#include <stdlib.h>

static const skp_data_options usual;

/* What was passed over is said; what is damaged is borne from now on. */
static skp_status accept(const skp_data *d, const struct skp_source *s, const skp_data_options *o) {
  if (s->remarks && o->report) fputs(s->remarks, o->report);
  return skp__damage_bear(s->damage, d->max_damaged);
}

static skp_status open_parts(skp_data *d, struct skp__opening *opening, const skp_data_options *o) {
  for (int split = 0; split < SKP_SPLITS; split++) {
    SKP_TRY(skp__opening_part(&d->part[split], opening, split));
    if (d->part[split]) SKP_TRY(accept(d, d->part[split], o));
  }
  return SKP_OK;
}

static skp_status open_all(skp_data *d, const skp_data_options *o) {
  struct skp__opening *opening;
  SKP_TRY(skp__opening_begin(&opening, d->name));
  skp_status status = open_parts(d, opening, o);
  skp__opening_end(opening);
  return status;
}

static skp_status open_best(skp_data *d, const skp_data_options *o) {
  struct skp_source *best;
  skp_split split;
  SKP_TRY(skp__trial_open(&best, &split, d->name, o->labelled, o->report));
  d->part[split] = best;
  return accept(d, best, o);
}

static skp_status settle(skp_data **out, skp_data *d, skp_status status) {
  *out = status == SKP_OK ? d : NULL;
  if (status != SKP_OK) skp_data_close(d);
  return status;
}

skp_status skp_data_open(skp_data **out, const char *name, const skp_data_options *options) {
  const skp_data_options *o = options ? options : &usual;
  skp_data *d;
  *out = NULL;
  SKP_TRY(skp__alloc(&d, 1, sizeof *d));
  d->max_damaged = o->strict ? 0 : o->max_damaged > 0 ? o->max_damaged : SKP_DAMAGE_USUAL;
  skp_status status = skp__strdup(&d->name, name);
  if (status == SKP_OK) status = o->to_test ? open_best(d, o) : open_all(d, o);
  return settle(out, d, status);
}

skp_status skp__api_pixels(struct skp_source **out, const skp_pixels *p, const int32_t *labels, int classes,
                           const char *const *names) {
  *out = NULL;
  if (p->kind != SKP_BYTES && p->kind != SKP_FLOATS)
    return skp__fail(SKP_USAGE, "Pixels are SKP_BYTES or SKP_FLOATS, not %d.", (int)p->kind);
  return skp__source_memory(out, &(struct skp_held_images){.bytes = p->kind == SKP_BYTES ? p->values : NULL,
                                                           .floats = p->kind == SKP_FLOATS ? p->values : NULL,
                                                           .n = p->n,
                                                           .H = p->height,
                                                           .W = p->width,
                                                           .C = p->channels,
                                                           .labels = labels,
                                                           .classes = classes,
                                                           .names = names});
}

skp_status skp_data_wrap(skp_data **out, const skp_pixels *pixels, const int32_t *labels, int classes,
                         const char *const *names) {
  skp_data *d;
  *out = NULL;
  if (!labels || classes < 1) return skp__fail(SKP_USAGE, "Data in memory need labels, of at least one class.");
  SKP_TRY(skp__alloc(&d, 1, sizeof *d));
  d->floats = pixels->kind == SKP_FLOATS;
  d->max_damaged = SKP_DAMAGE_USUAL;
  return settle(out, d, skp__api_pixels(&d->part[SKP_SPLIT_TRAIN], pixels, labels, classes, names));
}

skp_status skp_data_wrap_test(skp_data *data, const skp_pixels *pixels, const int32_t *labels) {
  const struct skp_source *train = data->part[SKP_SPLIT_TRAIN];
  struct skp_source *test;
  if (data->name)
    return skp__fail(SKP_USAGE, "%s was opened by its name: images in memory to test with go with others in memory.",
                     data->name);
  const char *const *names = train->numbered ? NULL : (const char *const *)train->class_names;
  if (!labels) return skp__fail(SKP_USAGE, "Images to test with need labels.");
  SKP_TRY(skp__api_pixels(&test, pixels, labels, train->classes, names));
  skp__source_destroy(data->part[SKP_SPLIT_TEST]);
  data->part[SKP_SPLIT_TEST] = test;
  return SKP_OK;
}

void skp_data_close(skp_data *data) {
  if (!data) return;
  for (int split = 0; split < SKP_SPLITS; split++) skp__source_destroy(data->part[split]);
  free(data->name);
  free(data);
}

/* What skp_part means. */
static const skp_split splits[] = {[SKP_TRAINING_IMAGES] = SKP_SPLIT_TRAIN,
                                   [SKP_VALIDATION_IMAGES] = SKP_SPLIT_VALID,
                                   [SKP_TEST_IMAGES] = SKP_SPLIT_TEST};

/* The best part to test with that there is; there is one. */
static const struct skp_source *best(const skp_data *data) {
  int i = 0;
  while (!data->part[skp__trials[i]]) i++;
  return data->part[skp__trials[i]];
}

static const struct skp_source *find(const skp_data *data, skp_part part) {
  if (part == SKP_BEST_IMAGES) return best(data);
  return (unsigned)part < SKP_SPLITS ? data->part[splits[part]] : NULL;
}

const char *skp_data_name(const skp_data *data) { return best(data)->name; }

int64_t skp_data_images(const skp_data *data, skp_part part) {
  const struct skp_source *s = find(data, part);
  return s ? s->n : 0;
}

skp_status skp__api_part(const struct skp_source **out, const skp_data *data, skp_part part) {
  if ((unsigned)part > SKP_BEST_IMAGES) return skp__fail(SKP_USAGE, "Data have no part %d.", (int)part);
  *out = find(data, part);
  if (*out) return SKP_OK;
  return skp__fail(SKP_FORMAT, "%s has no %s images.", skp_data_name(data), skp__split_name(splits[part]));
}

static const struct skp_source *learned(const skp_data *data) {
  const struct skp_source *train = data->part[SKP_SPLIT_TRAIN];
  return train ? skp__source_learned(train, data->part[SKP_SPLIT_TEST]) : best(data);
}

void skp_data_damage(skp_data *data, char *out, size_t size) {
  struct skp__text all = {.n = 0};
  for (int split = 0; split < SKP_SPLITS; split++) {
    const struct skp_source *s = data->part[split];
    struct skp__text list = {.n = 0};
    int64_t *told = &data->told[split];
    const int64_t n = s ? skp__damage_list(s->damage, *told, &list) : 0;
    if (n <= *told) continue;
    skp__text_add(&all, "%lld of the %lld images of %s %s %s and passed over:%s\n", (long long)n, (long long)s->n,
                  s->name, n == 1 ? "is" : "are", skp__damage_word(s->damage, *told), list.at);
    *told = n;
  }
  snprintf(out, size, "%s", all.at);
}

int skp_data_classes(const skp_data *data) { return learned(data)->classes; }

const char *skp_data_class_name(const skp_data *data, int i) {
  return i >= 0 && i < skp_data_classes(data) ? learned(data)->class_names[i] : NULL;
}
