/* data.c: labelled images, from files or from memory. SPDX-License-Identifier: MIT */
#include "api/api.h"
#include <stdlib.h>

static skp_status open_parts(skp_data *d, const char *name) {
  SKP_TRY(skp__strdup(&d->name, name));
  for (int split = 0; split < SKP_SPLITS; split++) SKP_TRY(skp__source_open(&d->part[split], name, split));
  return SKP_OK;
}

static skp_status settle(skp_data **out, skp_data *d, skp_status status) {
  *out = status == SKP_OK ? d : NULL;
  if (status != SKP_OK) skp_data_close(d);
  return status;
}

skp_status skp_data_open(skp_data **out, const char *name) {
  skp_data *d;
  *out = NULL;
  SKP_TRY(skp__alloc(&d, 1, sizeof *d));
  return settle(out, d, open_parts(d, name));
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
  return settle(out, d, skp__api_pixels(&d->part[SKP_SPLIT_TRAIN], pixels, labels, classes, names));
}

skp_status skp_data_wrap_test(skp_data *data, const skp_pixels *pixels, const int32_t *labels) {
  const struct skp_source *train = data->part[SKP_SPLIT_TRAIN];
  const char *const *names = train->numbered ? NULL : (const char *const *)train->class_names;
  struct skp_source *test;
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
static const struct {
  skp_split split;
  const char *name;
} parts[] = {[SKP_TRAINING_IMAGES] = {SKP_SPLIT_TRAIN, "training"},
             [SKP_VALIDATION_IMAGES] = {SKP_SPLIT_VALID, "validation"},
             [SKP_TEST_IMAGES] = {SKP_SPLIT_TEST, "test"}};

static const struct skp_source *find(const skp_data *data, skp_part part) {
  return (unsigned)part < sizeof parts / sizeof *parts ? data->part[parts[part].split] : NULL;
}

int64_t skp_data_images(const skp_data *data, skp_part part) {
  const struct skp_source *s = find(data, part);
  return s ? s->n : 0;
}

skp_status skp__api_part(const struct skp_source **out, const skp_data *data, skp_part part) {
  if ((unsigned)part >= sizeof parts / sizeof *parts) return skp__fail(SKP_USAGE, "Data have no part %d.", (int)part);
  *out = find(data, part);
  if (*out) return SKP_OK;
  return skp__fail(SKP_FORMAT, "%s has no %s images.", data->part[SKP_SPLIT_TRAIN]->name, parts[part].name);
}

static const struct skp_source *learned(const skp_data *data) {
  return skp__source_learned(data->part[SKP_SPLIT_TRAIN], data->part[SKP_SPLIT_TEST]);
}

int skp_data_classes(const skp_data *data) { return learned(data)->classes; }

const char *skp_data_class_name(const skp_data *data, int i) {
  return i >= 0 && i < skp_data_classes(data) ? learned(data)->class_names[i] : NULL;
}
