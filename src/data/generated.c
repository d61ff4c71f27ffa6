/* generated.c: see generated.h. SPDX-License-Identifier: MIT */
#include "data/generated.h"
#include "base/array.h"
#include <stdlib.h>
#include <string.h>

enum progress { NOT_DRAWN, BEING_DRAWN, DRAWN }; /* whoever moves it on from NOT_DRAWN draws what is kept */

static size_t bytes_of(const struct skp__generated_kind *k) { return (size_t)k->side * (size_t)k->side * (size_t)k->C; }

static void draw(const struct skp__generated *set, int64_t i, uint8_t *pixels, uint8_t *label) {
  struct skp__random r = skp__random_start(set->kind->seed + set->split, (uint64_t)i);
  set->kind->draw(set, &r, pixels, label);
}

/* A thread that meets a sample being drawn draws it for itself. */
static skp_status draw_own(const struct skp__generated *set, int64_t i, struct skp_image *out, int32_t *label) {
  struct skp_image scratch = {.pixels = NULL};
  struct skp_image *to = out ? out : &scratch;
  uint8_t own;
  SKP_TRY(skp__image_room(to, set->kind->side, set->kind->side, set->kind->C));
  draw(set, i, to->pixels, &own);
  *label = own;
  skp__image_free(&scratch);
  return SKP_OK;
}

static skp_status image(const struct skp_source *source, int64_t i, struct skp_image *out, int32_t *label) {
  const struct skp__generated *set = (const struct skp__generated *)source;
  const size_t bytes = bytes_of(set->kind);
  uint8_t *kept = set->pixels + (size_t)i * bytes, progress = NOT_DRAWN;
  if (atomic_compare_exchange_strong(&set->progress[i], &progress, BEING_DRAWN)) {
    draw(set, i, kept, &set->labels[i]);
    atomic_store(&set->progress[i], DRAWN);
  } else if (progress == BEING_DRAWN) {
    return draw_own(set, i, out, label);
  }
  *label = set->labels[i];
  if (!out) return SKP_OK;
  SKP_TRY(skp__image_room(out, set->kind->side, set->kind->side, set->kind->C));
  memcpy(out->pixels, kept, bytes);
  return SKP_OK;
}

static void destroy(struct skp_source *source) {
  struct skp__generated *set = (struct skp__generated *)source;
  free(set->progress);
  free(set->labels);
  free(set->pixels);
  free(set);
}

static skp_status name_classes(struct skp_source *s, const char *const *names) {
  if (!names) return skp__source_name_by_number(s);
  SKP_TRY(skp__alloc(&s->class_names, (size_t)s->classes, sizeof *s->class_names));
  for (int c = 0; c < s->classes; c++) SKP_TRY(skp__strdup(&s->class_names[c], names[c]));
  return SKP_OK;
}

static skp_status fill(struct skp__generated *set) {
  const size_t n = (size_t)set->base.n;
  SKP_TRY(skp__strdup(&set->base.name, set->kind->name));
  SKP_TRY(name_classes(&set->base, set->kind->class_names));
  SKP_TRY(skp__alloc(&set->progress, n, sizeof *set->progress));
  SKP_TRY(skp__alloc(&set->labels, n, 1));
  return skp__alloc(&set->pixels, n, bytes_of(set->kind));
}

skp_status skp__generated_create(struct skp__generated **out, size_t size, const struct skp__generated_kind *kind,
                                 skp_split split) {
  struct skp__generated *set;
  *out = NULL;
  SKP_TRY(skp__alloc(&set, 1, size));
  set->kind = kind;
  set->split = split;
  set->base = (struct skp_source){.n = split == SKP_SPLIT_TRAIN ? kind->train : kind->test,
                                  .H = kind->side,
                                  .W = kind->side,
                                  .C = kind->C,
                                  .classes = kind->classes,
                                  .image = image,
                                  .destroy = destroy};
  skp_status status = fill(set);
  if (status == SKP_OK)
    *out = set;
  else
    skp__source_destroy(&set->base);
  return status;
}
