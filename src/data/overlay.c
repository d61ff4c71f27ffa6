/* overlay.c: see overlay.h. SPDX-License-Identifier: MIT */
#include "data/overlay.h"
#include "base/array.h"
#include <stdlib.h>

static const struct skp__overlay *overlay_of(const struct skp_source *s) { return (const struct skp__overlay *)s; }

static int64_t number_in_whole(const struct skp__overlay *o, int64_t i) { return o->pick ? o->pick[i] : i; }

static skp_status image(const struct skp_source *s, int64_t i, struct skp_image *out, int32_t *label) {
  const struct skp__overlay *o = overlay_of(s);
  SKP_TRY(o->whole->image(o->whole, number_in_whole(o, i), out, label));
  if (o->place && *label >= 0) *label = o->place[*label];
  return SKP_OK;
}

static skp_status spoilt(const struct skp_source *s, int64_t i, skp_status why) {
  const struct skp__overlay *o = overlay_of(s);
  return o->whole->spoilt(o->whole, number_in_whole(o, i), why);
}

static const char *name_of(const struct skp_source *s, int64_t i) {
  const struct skp__overlay *o = overlay_of(s);
  return o->whole->name_of(o->whole, number_in_whole(o, i));
}

static const char *set_of(const struct skp_source *s, int64_t i) {
  const struct skp__overlay *o = overlay_of(s);
  return o->whole->set_of(o->whole, number_in_whole(o, i));
}

static void destroy(struct skp_source *s) {
  struct skp__overlay *o = (struct skp__overlay *)s;
  free(s->unknown.names);
  free(o->pick);
  free(o->place);
  free(o);
}

skp_status skp__overlay_create(struct skp__overlay **out, const struct skp_source *whole) {
  struct skp__overlay *o;
  *out = NULL;
  SKP_TRY(skp__alloc(&o, 1, sizeof *o));
  o->whole = whole;
  o->s = (struct skp_source){.kind = whole->kind,
                             .n = whole->n,
                             .H = whole->H,
                             .W = whole->W,
                             .C = whole->C,
                             .numbered = whole->numbered,
                             .floats = whole->floats,
                             .image = image,
                             .name_of = whole->name_of ? name_of : NULL,
                             .set_of = whole->set_of ? set_of : NULL,
                             .spoilt = whole->spoilt ? spoilt : NULL,
                             .damage = whole->damage,
                             .destroy = destroy};
  skp_status status = skp__strdup(&o->s.name, whole->name);
  if (status == SKP_OK)
    *out = o;
  else
    skp__source_destroy(&o->s);
  return status;
}
