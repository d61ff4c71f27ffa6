/* relabel.c: a view of a set whose labels are the places of its classes among those of a network.
 * SPDX-License-Identifier: MIT
 *
 * A set numbers its classes as they come, a folder by the order of the names in it, so that the same class has another
 * number where one is missing. What stays is the name: it decides. Two names are the same if they are so in Unicode's
 * composed form (NFC), or if both are whole numbers of one value ("03" and "3"), as long as the network knows none that
 * is spelled so and only one that counts so.
 *
 * Sets of bare labels (IDX, CIFAR without its file of names) have numbers for names, and those match a network whose
 * classes are called by numbers. Beside other names they stand for the same classes only
 * if the network learned from this very kind of files. */
#include "base/array.h"
#include "data/overlay.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* ---- names ------------------------------------------------------------------------------------------------------- */

skp_status skp__class_key(char **out, const char *name) {
  *out = (char *)utf8proc_NFC((const utf8proc_uint8_t *)name);
  return *out ? SKP_OK : skp__strdup(out, name); /* no UTF-8: as it is */
}

/* The digits that count of a whole number; NULL: it is none. */
static const char *number_of(const char *key) {
  if (!*key || key[strspn(key, "0123456789")]) return NULL;
  size_t zeros = strspn(key, "0");
  return key + (key[zeros] ? zeros : zeros - 1);
}

struct keys {
  char **at;
  int n;
};

static skp_status make_keys(struct keys *k, char *const *names, int n) {
  *k = (struct keys){.n = n};
  SKP_TRY(skp__alloc(&k->at, (size_t)n, sizeof *k->at));
  for (int i = 0; i < n; i++) SKP_TRY(skp__class_key(&k->at[i], names[i]));
  return SKP_OK;
}

static void free_keys(struct keys *k) {
  for (int i = 0; k->at && i < k->n; i++) free(k->at[i]);
  free(k->at);
}

int skp__class_find(char *const *known, int n, const char *key) {
  const char *number = number_of(key);
  int found = -1, equal = 0;
  for (int i = 0; i < n; i++)
    if (strcmp(known[i], key) == 0) return i;
  for (int i = 0; number && i < n; i++) {
    const char *its = number_of(known[i]);
    if (!its || strcmp(its, number) != 0) continue;
    found = i;
    equal++;
  }
  return equal == 1 ? found : -1;
}

void skp__labels_free(struct skp_labels *l) {
  for (int i = 0; l->names && i < l->known; i++) free(l->names[i]);
  free(l->names);
  free(l->kind);
  *l = (struct skp_labels){.names = NULL};
}

/* ---- which class is which ---------------------------------------------------------------------------------------- */

static bool all_numbered(const struct skp_labels *network) {
  char number[16];
  bool all = true;
  for (int i = 0; i < network->known && all; i++) {
    snprintf(number, sizeof number, "%d", i);
    all = strcmp(network->names[i], number) == 0;
  }
  return all;
}

bool skp__labels_by_number(const struct skp_labels *network, const struct skp_source *s) {
  if (!network->known) return true;
  return network->kind && s->kind && strcmp(network->kind, s->kind) == 0 && network->known == s->classes &&
         all_numbered(network) != s->numbered;
}

bool skp__names_are_numbers(char *const *names, int n) {
  bool all = true;
  for (int i = 0; i < n; i++) all = all && number_of(names[i]);
  return all;
}

/* Whether names can decide: bare labels and names may have a number in common by chance. */
static bool names_tell(const struct skp_labels *network, const struct skp_source *s) {
  return !s->numbered || skp__names_are_numbers(network->names, network->known);
}

static skp_status match_names(struct skp__overlay *v, const struct skp_labels *network) {
  const bool tell = names_tell(network, v->whole);
  struct keys known, own = {NULL, 0};
  skp_status status = make_keys(&known, network->names, network->known);
  if (status == SKP_OK) status = make_keys(&own, v->whole->class_names, v->whole->classes);
  for (int c = 0; c < v->whole->classes && status == SKP_OK; c++)
    v->place[c] = tell ? skp__class_find(known.at, known.n, own.at[c]) : -1;
  free_keys(&known);
  free_keys(&own);
  return status;
}

static skp_status name_classes(struct skp_source *s, int classes, char *const *names, int n, char *const *more) {
  SKP_TRY(skp__alloc(&s->class_names, (size_t)classes, sizeof *s->class_names));
  s->classes = classes;
  for (int c = 0; c < classes; c++) SKP_TRY(skp__strdup(&s->class_names[c], c < n ? names[c] : more[c]));
  return SKP_OK;
}

static skp_status match(struct skp__overlay *v, const struct skp_labels *network, bool by_number) {
  const struct skp_source *whole = v->whole;
  SKP_TRY(skp__alloc(&v->place, (size_t)whole->classes, sizeof *v->place));
  if (!by_number) {
    SKP_TRY(match_names(v, network));
    return name_classes(&v->s, network->known, network->names, network->known, NULL);
  }
  int classes = whole->classes < network->classes ? whole->classes : network->classes;
  for (int c = 0; c < whole->classes; c++) v->place[c] = c < network->classes ? c : -1;
  return name_classes(&v->s, classes, network->names, network->known, whole->class_names);
}

/* The classes without a place that have images. */
static skp_status find_unknown(struct skp__overlay *v) {
  const struct skp_source *whole = v->whole;
  struct skp_unknown *u = &v->s.unknown;
  int64_t *of;
  bool all = true;
  for (int c = 0; c < whole->classes; c++) all = all && v->place[c] >= 0;
  if (all) return SKP_OK; /* generated sets draw an image to know its label */
  SKP_TRY(skp__alloc(&of, (size_t)whole->classes, sizeof *of));
  skp_status status = skp__source_count(whole, of);
  if (status == SKP_OK) status = skp__alloc(&u->names, (size_t)whole->classes, sizeof *u->names);
  for (int c = 0; c < whole->classes && status == SKP_OK; c++) {
    if (v->place[c] >= 0 || !of[c]) continue;
    u->names[u->classes++] = whole->class_names[c];
    u->images += of[c];
  }
  free(of);
  return status;
}

/* ---- the view ---------------------------------------------------------------------------------------------------- */

static skp_status create(struct skp__overlay **out, const struct skp_source *whole, const struct skp_labels *network,
                         bool by_number) {
  SKP_TRY(skp__overlay_create(out, whole));
  (*out)->s.place = whole->place;
  skp_status status = match(*out, network, by_number || skp__labels_by_number(network, whole));
  if (status == SKP_OK) status = find_unknown(*out);
  if (status == SKP_OK) return SKP_OK;
  skp__source_destroy(&(*out)->s);
  *out = NULL;
  return status;
}

skp_status skp__source_relabel_view(struct skp_source **out, const struct skp_source *whole,
                                    const struct skp_labels *network, bool by_number) {
  struct skp__overlay *v;
  skp_status status = create(&v, whole, network, by_number);
  *out = v ? &v->s : NULL;
  return status;
}
