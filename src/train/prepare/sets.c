/* sets.c: see sets.h. SPDX-License-Identifier: MIT */
#include "train/prepare/sets.h"

enum { DEALT_TRAIN, DEALT_VALID, MATCHED }; /* places of views */

/* Gives the images of a part, number i of those that judge, the labels of the classes that are learned. Where they are
 * of none of them they are no test. */
static skp_status match(struct skp__sets *s, int i, const struct skp_source **out, const struct skp_source *part) {
  const struct skp_source *l = s->learned;
  const struct skp_labels names = {.names = l->class_names, .known = l->classes, .classes = l->classes};
  struct skp_source *view;
  if (!part) return SKP_OK;
  SKP_TRY(skp__source_relabel_view(&view, part, &names, false));
  s->own[MATCHED + i] = view;
  const bool test = view->unknown.images < view->n && part->classes;
  *(test ? out : &s->unsorted[i]) = view;
  return SKP_OK;
}

/* Whether nothing was said of a fraction to hold out, and somebody's own pictures have no other part that can judge.
 * Data files come as they are meant to be used, and who wants the images in stored order wants all of them. */
static bool hold_out_unasked(const struct skp__sets *s, const struct skp_train_options *o) {
  return s->data.train->gathered && !s->data.test && o->shuffle && o->max_steps != 0 && !o->resume;
}

static skp_status deal(struct skp__sets *s, double fraction, uint64_t seed) {
  const struct skp_source *whole = s->data.train;
  SKP_TRY(skp__source_split(&s->own[DEALT_TRAIN], &s->own[DEALT_VALID], whole, fraction, seed));
  s->whole = whole;
  s->data.train = s->own[DEALT_TRAIN];
  s->data.valid = s->own[DEALT_VALID];
  return SKP_OK;
}

/* The recipe says from now on what is done. */
static skp_status hold_out(struct skp__sets *s, struct skp_recipe *r, const struct skp_train_options *o) {
  const double usual = 0.1;
  double *fraction = &r->valid_split;
  const bool unasked = *fraction == SKP_RECIPE_AUTO;
  if (s->data.valid && *fraction > 0 && o->say)
    skp_print(o->say, "%s has images of its own to judge by: none are held out.\n", s->data.train->name);
  if (unasked) *fraction = !s->data.valid && hold_out_unasked(s, o) ? usual : 0;
  if (s->data.valid || *fraction == 0) return SKP_OK;
  skp_status status = deal(s, *fraction, o->seed);
  s->unasked = unasked && status == SKP_OK;
  if (status != SKP_USAGE || !unasked) return status;
  *fraction = 0;
  s->too_few = true;
  return SKP_OK;
}

skp_status skp__sets_make(struct skp__sets *out, struct skp_recipe *r, struct skp_source *const part[SKP_SPLITS],
                          const struct skp_train_options *o) {
  const struct skp_source *train = part[SKP_SPLIT_TRAIN], *test = part[SKP_SPLIT_TEST];
  *out = (struct skp__sets){.data = {.train = train}, .learned = skp__source_learned(train, test)};
  SKP_TRY(match(out, 0, &out->data.valid, part[SKP_SPLIT_VALID]));
  SKP_TRY(match(out, 1, &out->data.test, test));
  return hold_out(out, r, o);
}

void skp__sets_free(struct skp__sets *s) {
  for (size_t i = 0; i < sizeof s->own / sizeof *s->own; i++) {
    skp__source_destroy(s->own[i]);
    s->own[i] = NULL;
  }
}
