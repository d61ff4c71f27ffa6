/* trial.c: see trial.h. SPDX-License-Identifier: MIT */
#include "train/prepare/trial.h"
#include "base/host.h"

const skp_split skp__trials[SKP__TRIALS] = {SKP_SPLIT_TEST, SKP_SPLIT_VALID, SKP_SPLIT_TRAIN};

const char *skp__split_name(skp_split split) {
  static const char *const names[] = {
      [SKP_SPLIT_TRAIN] = "training", [SKP_SPLIT_TEST] = "test", [SKP_SPLIT_VALID] = "validation"};
  return names[split];
}

static skp_status open_best(struct skp_source **out, skp_split *split, struct skp__opening *opening, bool labelled,
                            FILE *say) {
  int i = 0;
  for (;; i++) {
    *split = skp__trials[i];
    SKP_TRY(skp__opening_part(out, opening, *split));
    if (i == SKP__TRIALS - 1 || (*out && ((*out)->classes || !labelled))) break;
    if (*out && say)
      fprintf(say, "No classes are known of the pictures in %s.\n", (*out)->place ? (*out)->place : (*out)->name);
    skp__source_destroy(*out);
    *out = NULL;
  }
  if (i && say) fprintf(say, "%s has no test images: its %s images are used.\n", (*out)->name, skp__split_name(*split));
  return SKP_OK;
}

skp_status skp__trial_open(struct skp_source **out, skp_split *split, const char *data, bool labelled, FILE *say) {
  struct skp__opening *opening;
  *out = NULL;
  SKP_TRY(skp__opening_begin(&opening, data));
  skp_status status = open_best(out, split, opening, labelled, say);
  skp__opening_end(opening);
  return status;
}

static void list_names(struct skp__text *text, char *const *names, int n) {
  enum { SHOWN = 10 };
  for (int i = 0; i < n && i < SHOWN; i++) skp__text_add(text, "%s%s", i ? ", " : "", names[i]);
  if (n > SHOWN) skp__text_add(text, " and %d more", n - SHOWN);
}

void skp__unknown_describe(struct skp__text *text, const struct skp_source *s) {
  const struct skp_unknown *u = &s->unknown;
  if (!u->images) return;
  skp__text_add(text, "%lld of the %lld images of %s %s of %d unknown class%s and %s not count: ", (long long)u->images,
                (long long)s->n, s->name, u->images == 1 ? "is" : "are", u->classes, u->classes == 1 ? "" : "es",
                u->images == 1 ? "does" : "do");
  list_names(text, u->names, u->classes);
  skp__text_add(text, "\n");
}

static skp_status fail_names(const struct skp_source *s, const struct skp_labels *network) {
  struct skp__text here = {.n = 0}, known = {.n = 0};
  list_names(&here, s->unknown.names, s->unknown.classes);
  list_names(&known, network->names, network->known);
  return skp__fail(SKP_SHAPE,
                   "The classes of %s cannot be told from their names: %s (%s), whereas the network learned %s. If "
                   "their order is the same all the same, say %s.",
                   s->name, s->numbered ? "its labels are mere numbers" : "it has", here.at, known.at,
                   skp__option("by_number"));
}

static skp_status tell(const struct skp_source *view, const struct skp_source *s, const struct skp_labels *network,
                       bool by_number, FILE *say) {
  struct skp__text text = {.n = 0};
  if (!by_number && skp__labels_by_number(network, s))
    skp__text_add(&text, "The network knows %s: labels go by number.\n",
                  network->known ? "its classes by their numbers in such files" : "no names of its classes");
  if (view->unknown.images == view->n) return fail_names(view, network);
  skp__unknown_describe(&text, view);
  if (say) fprintf(say, "%s", text.at);
  return SKP_OK;
}

skp_status skp__trial_labels(struct skp_source **out, const struct skp_source *s, const struct skp_labels *network,
                             bool by_number, FILE *say) {
  SKP_TRY(skp__source_relabel_view(out, s, network, by_number));
  skp_status status = tell(*out, s, network, by_number, say);
  if (status == SKP_OK) return SKP_OK;
  skp__source_destroy(*out);
  *out = NULL;
  return status;
}
