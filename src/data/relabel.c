/* relabel.c: a source's labels by the names of their classes: what a network calls them, whatever their order in the data.
 * SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "data/data.h"
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

struct relabelled {
  struct skp_source s; /* first */
  struct skp_source *whole;
  int32_t *label; /* [whole->classes]: what each of its classes is here; -1: unknown */
};

static skp_status image(const struct skp_source *s, int64_t i, struct skp_image *out, int32_t *label) {
  const struct relabelled *r = (const struct relabelled *)s;
  SKP_TRY(r->whole->image(r->whole, i, out, label));
  if (*label >= 0) *label = r->label[*label];
  return SKP_OK;
}

static const char *name_of(const struct skp_source *s, int64_t i) {
  const struct relabelled *r = (const struct relabelled *)s;
  return r->whole->name_of(r->whole, i);
}

static void destroy(struct skp_source *s) {
  struct relabelled *r = (struct relabelled *)s;
  skp__source_destroy(r->whole);
  free(r->label);
  free(r);
}

/* ---- names -------------------------------------------------------------------------------------------------------- */

/* Whether a name is a whole number; without zeros in front. */
static const char *digits_of(const char *name) {
  if (!*name || name[strspn(name, "0123456789")]) return NULL;
  while (*name == '0' && name[1]) name++;
  return name;
}

/* Equal as text whatever its Unicode form (é may be one character or two), or as numbers. */
static bool same_name(const char *a, const char *b) {
  const char *one = digits_of(a), *other = digits_of(b);
  if (one && other) return strcmp(one, other) == 0;
  if (strcmp(a, b) == 0) return true;
  utf8proc_uint8_t *composed_a = utf8proc_NFC((const utf8proc_uint8_t *)a),
                   *composed_b = utf8proc_NFC((const utf8proc_uint8_t *)b);
  bool same = composed_a && composed_b && strcmp((const char *)composed_a, (const char *)composed_b) == 0;
  free(composed_a);
  free(composed_b);
  return same;
}

static int32_t find(const char *name, char *const *names, int n) {
  for (int i = 0; i < n; i++)
    if (same_name(name, names[i])) return i;
  return -1;
}

/* "ant, bee, cat, …" */
static void list(struct skp__text *to, char *const *names, int n) {
  enum { SHOWN = 8 };
  for (int i = 0; i < n && i < SHOWN; i++) skp__text_add(to, "%s%s", i ? ", " : "", names[i]);
  if (n > SHOWN) skp__text_add(to, ", … (%d in all)", n);
}

static skp_status fail_strange(const struct skp_source *s, char *const *names, int n) {
  struct skp__text here = {.n = 0}, learned = {.n = 0};
  list(&here, s->class_names, s->classes);
  list(&learned, names, n);
  return skp__fail(
      SKP_SHAPE,
      "The classes of %s cannot be told from their names: %s (%s), whereas the network learned %s. If their "
      "order is the same all the same, say --labels number.",
      s->name, s->numbered ? "its labels are mere numbers" : "it has", here.at, learned.at);
}

/* "3 of its classes are not known to the network: dog (12 images), …" */
static skp_status describe_unknown(struct skp__text *to, const struct skp_source *s, const int32_t *label) {
  enum { SHOWN = 8 };
  int64_t *of, images = 0;
  int unknown = 0, shown = 0;
  for (int c = 0; c < s->classes; c++) unknown += label[c] < 0;
  if (!unknown) return SKP_OK;
  SKP_TRY(skp__alloc(&of, (size_t)s->classes, sizeof *of));
  skp_status status = skp__source_count(s, of);
  for (int c = 0; c < s->classes; c++) images += label[c] < 0 ? of[c] : 0;
  skp__text_add(to, "%lld of the %lld images of %s %s of %s that the network does not know, and %s not count: ",
                (long long)images, (long long)s->n, s->name, images == 1 ? "is" : "are",
                unknown == 1 ? "a class" : "classes", images == 1 ? "does" : "do");
  for (int c = 0; c < s->classes; c++)
    if (label[c] < 0 && shown++ < SHOWN)
      skp__text_add(to, "%s%s (%lld)", shown > 1 ? ", " : "", s->class_names[c], (long long)of[c]);
  if (unknown > SHOWN) skp__text_add(to, ", … (%d classes)", unknown);
  free(of);
  return status;
}

/* ---- the view ----------------------------------------------------------------------------------------------------- */

/* Takes over `label` and *s, which becomes the view. */
static skp_status wrap(struct skp_source **s, int32_t *label, char *const *names, int n) {
  struct skp_source *whole = *s;
  struct relabelled *r;
  SKP_TRY(skp__alloc(&r, 1, sizeof *r));
  r->whole = whole;
  r->label = label;
  r->s = *whole;
  r->s.name = NULL;
  r->s.class_names = NULL;
  r->s.image = image;
  r->s.name_of = whole->name_of ? name_of : NULL;
  r->s.destroy = destroy;
  *s = &r->s;
  SKP_TRY(skp__strdup(&r->s.name, whole->name));
  SKP_TRY(skp__alloc(&r->s.class_names, (size_t)n, sizeof *r->s.class_names));
  r->s.classes = n;
  for (int i = 0; i < n; i++) SKP_TRY(skp__strdup(&r->s.class_names[i], names[i]));
  return SKP_OK;
}

static bool all_numbers(char *const *names, int n) {
  bool all = true;
  for (int i = 0; i < n; i++) all = all && digits_of(names[i]);
  return all;
}

skp_status skp__source_relabel(struct skp_source **s, char *const *names, int n, struct skp__text *unknown) {
  const struct skp_source *whole = *s;
  bool same = true, any = false;
  int32_t *label;
  if (whole->numbered && !all_numbers(names, n)) return fail_strange(whole, names, n);
  SKP_TRY(skp__alloc(&label, (size_t)whole->classes, sizeof *label));
  for (int c = 0; c < whole->classes; c++) {
    label[c] = find(whole->class_names[c], names, n);
    same = same && label[c] == c;
    any = any || label[c] >= 0;
  }
  skp_status status = any || !whole->classes ? describe_unknown(unknown, whole, label) : fail_strange(whole, names, n);
  if (status == SKP_OK && !same) return wrap(s, label, names, n);
  free(label);
  return status;
}
