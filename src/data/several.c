/* several.c: several sets as one. SPDX-License-Identifier: MIT
 *
 * "A + B" are the images of A, then those of B. Classes of one name are one class, as in relabel.c; those that only a
 * later set has follow behind the others. A part that some of them lack is what the others have of it. */
#include "base/array.h"
#include "data/damage.h"
#include "data/source.h"
#include <stdlib.h>
#include <string.h>

/* ---- the source -------------------------------------------------------------------------------------------------- */

struct part {
  struct skp_source *s;
  int64_t first;  /* its sample 0 among those of all */
  int32_t *label; /* [classes] what each of its labels becomes */
};

struct several {
  struct skp_source s; /* first */
  SKP_ARRAY(struct part) parts;
  skp__names names, keys; /* of the classes; what they are found by */
};

static const struct part *part_of(const struct skp_source *s, int64_t i) {
  const struct several *all = (const struct several *)s;
  size_t k = all->parts.n - 1;
  while (all->parts.at[k].first > i) k--;
  return &all->parts.at[k];
}

static skp_status image(const struct skp_source *s, int64_t i, struct skp_image *out, int32_t *label) {
  const struct part *p = part_of(s, i);
  SKP_TRY(p->s->image(p->s, i - p->first, out, label));
  if (*label >= 0) *label = p->label[*label];
  return out && out->H && out->C != s->C ? skp__image_set_channels(out, s->C) : SKP_OK;
}

static const char *name_of(const struct skp_source *s, int64_t i) {
  const struct part *p = part_of(s, i);
  return p->s->name_of(p->s, i - p->first);
}

static const char *set_of(const struct skp_source *s, int64_t i) { return part_of(s, i)->s->name; }

static skp_status spoilt(const struct skp_source *s, int64_t i, skp_status why) {
  const struct part *p = part_of(s, i);
  return p->s->spoilt ? p->s->spoilt(p->s, i - p->first, why) : why;
}

static void destroy(struct skp_source *s) {
  struct several *all = (struct several *)s;
  for (size_t k = 0; k < all->parts.n; k++) {
    skp__source_destroy(all->parts.at[k].s);
    free(all->parts.at[k].label);
  }
  SKP_FREE(&all->parts);
  skp__names_free(&all->keys);
  skp__damage_destroy(s->damage);
  free(all);
}

/* ---- their classes ----------------------------------------------------------------------------------------------- */

/* Labels that are mere numbers beside names say nothing of which class is which. */
static skp_status check_names(const struct several *all) {
  const struct skp_source *bare = NULL, *named = NULL;
  for (size_t k = 0; k < all->parts.n; k++) {
    const struct skp_source *s = all->parts.at[k].s;
    if (s->numbered) bare = s;
    if (!s->numbered && s->classes && !skp__names_are_numbers(s->class_names, s->classes)) named = s;
  }
  if (!bare || !named) return SKP_OK;
  return skp__fail(SKP_FORMAT,
                   "The labels of %s are mere numbers, and the classes of %s have names, so nothing says which are the "
                   "same. Write one of them as folders or as a list of pictures with the classes of the other.",
                   bare->name, named->name);
}

static skp_status add_new_class(struct several *all, const char *key, const char *name) {
  SKP_TRY(skp__names_add(&all->keys, key));
  skp_status status = skp__names_add(&all->names, name);
  all->s.class_names = all->names.at; /* skp__source_destroy frees them */
  all->s.classes = (int)all->names.n;
  return status;
}

static skp_status add_class(int32_t *label, struct several *all, const char *name) {
  char *key;
  SKP_TRY(skp__class_key(&key, name));
  *label = skp__class_find(all->keys.at, (int)all->keys.n, key);
  skp_status status = *label < 0 ? add_new_class(all, key, name) : SKP_OK;
  if (*label < 0) *label = (int32_t)all->keys.n - 1;
  free(key);
  SKP_TRY(status);
  return SKP_OK;
}

static skp_status add_classes(struct several *all, struct part *p) {
  SKP_TRY(skp__alloc(&p->label, (size_t)p->s->classes, sizeof *p->label));
  for (int c = 0; c < p->s->classes; c++) SKP_TRY(add_class(&p->label[c], all, p->s->class_names[c]));
  return SKP_OK;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static skp_status add_part(struct several *all, struct skp_source *s) {
  SKP_TRY(SKP_GROW(&all->parts));
  struct part *p = &all->parts.at[all->parts.n - 1];
  *p = (struct part){.s = s, .first = all->s.n};
  all->s.n += s->n;
  return add_classes(all, p);
}

static void add_facts(struct skp_source *to, const struct skp_source *s, bool first) {
  const bool same = first || (to->H == s->H && to->W == s->W);
  to->H = same ? s->H : 0;
  to->W = same ? s->W : 0;
  to->C = s->C > to->C ? s->C : to->C;
  to->kind = first || (to->kind && s->kind && strcmp(to->kind, s->kind) == 0) ? s->kind : NULL;
  to->numbered = (first || to->numbered) && s->numbered;
  to->gathered = (first || to->gathered) && s->gathered;
  to->name_of = (first || to->name_of) && s->name_of ? name_of : NULL;
}

static skp_status add_remarks(struct skp_source *to, const struct skp_source *s) {
  char *before = to->remarks;
  if (!s->remarks) return SKP_OK;
  to->remarks = NULL;
  skp_status status = skp__format(&to->remarks, "%s%s", before ? before : "", s->remarks);
  free(before);
  return status;
}

/* What is damaged in a part is damage of all of them. */
static skp_status join_damage(struct several *all) {
  bool any = false;
  for (size_t k = 0; k < all->parts.n; k++) any = any || all->parts.at[k].s->damage;
  if (!any) return SKP_OK;
  SKP_TRY(skp__damage_create(&all->s.damage, all->s.name, all->s.n));
  for (size_t k = 0; k < all->parts.n; k++)
    SKP_TRY(skp__damage_join(all->parts.at[k].s->damage, all->s.damage, all->parts.at[k].first));
  return SKP_OK;
}

static skp_status fill(struct several *all) {
  SKP_TRY(check_names(all));
  for (size_t k = 0; k < all->parts.n; k++) {
    add_facts(&all->s, all->parts.at[k].s, k == 0);
    SKP_TRY(add_remarks(&all->s, all->parts.at[k].s));
  }
  return join_damage(all);
}

/* Each is taken over in its turn; those behind a failure are given up here. */
static skp_status add_parts(struct several *all, struct skp_source *const *parts, size_t n) {
  skp_status status = SKP_OK;
  for (size_t i = 0; i < n; i++) {
    const size_t had = all->parts.n;
    if (status == SKP_OK) status = add_part(all, parts[i]);
    if (all->parts.n == had) skp__source_destroy(parts[i]);
  }
  return status;
}

skp_status skp__source_several(struct skp_source **out, const char *name, struct skp_source *const *parts, size_t n) {
  struct several *all;
  *out = NULL;
  skp_status status = skp__alloc(&all, 1, sizeof *all);
  if (status != SKP_OK) {
    for (size_t i = 0; i < n; i++) skp__source_destroy(parts[i]);
    return status;
  }
  all->s = (struct skp_source){.image = image, .set_of = set_of, .spoilt = spoilt, .destroy = destroy};
  status = add_parts(all, parts, n);
  if (status == SKP_OK) status = skp__strdup(&all->s.name, name);
  if (status == SKP_OK) status = fill(all);
  if (status == SKP_OK)
    *out = &all->s;
  else
    skp__source_destroy(&all->s);
  return status;
}
