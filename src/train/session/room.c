/* room.c: what a step takes where it does not fit the device, and what would help. SPDX-License-Identifier: MIT */
#include "base/host.h"
#include "base/text.h"
#include "train/session/session.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

static const char too_large[] = "The network is too large for this device: take a narrower one, or another device.";

/* Bytes of a step's memory by what they are for. */
struct room {
  double weights, gradients, moments, averages, activations, images, all;
};

/* What could be said instead, and the bytes that it saves. */
struct help {
  char words[64];
  double saves;
};
enum { HELPS = 4 };

/* The workspaces of the methods count where they can be found out. */
static skp_status measure(struct skp_plan_needs *out, const struct skp_session *s, const struct skp__variant *of) {
  struct skp_graph *g;
  SKP_TRY(skp__step_graph(&g, s->model, of));
  if (skp__plan_measure(out, g, s->b) == SKP_OK) return SKP_OK;
  SKP_TRY(skp__step_graph(&g, s->model, of));
  return skp__plan_measure(out, g, NULL);
}

/* Averages take what the values take that they stand for. */
static skp_status take(struct room *r, const struct skp_session *s, struct skp__variant of) {
  struct skp_plan_needs needs, update = {.total = 0};
  of.averaged = false;
  SKP_TRY(measure(&needs, s, &of));
  if (of.step == SKP_STEP_MICRO) SKP_TRY(measure(&update, s, &(struct skp__variant){SKP_STEP_UPDATE, .N = 1}));
  const double kept = (double)(needs.of_role[SKP_ROLE_MOMENT] + update.of_role[SKP_ROLE_MOMENT]);
  r->weights = (double)(needs.of_role[SKP_ROLE_PARAM] + needs.of_role[SKP_ROLE_STATE]);
  r->gradients = (double)needs.of_role[SKP_ROLE_GRAD];
  r->averages = of.step != SKP_STEP_EVAL && s->model->recipe.ema > 0 ? r->weights : 0;
  r->moments = kept - r->averages;
  r->activations = (double)needs.of_role[SKP_ROLE_ACTIVATION];
  r->images = (double)(needs.of_role[SKP_ROLE_INPUT] + needs.of_role[SKP_ROLE_RESULT]);
  r->all = r->weights + r->gradients + kept + r->activations + r->images;
  return SKP_OK;
}

static void list_parts(struct skp__text *text, const struct room *r) {
  const struct {
    const char *name;
    double bytes;
  } parts[] = {{"weights", r->weights},   {"gradients", r->gradients},     {"the optimizer's momentum", r->moments},
               {"averages", r->averages}, {"activations", r->activations}, {"images and predictions", r->images}};
  const char *comma = "";
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    if (skp__mib(parts[i].bytes) < 0.05 && parts[i].bytes < 0.01 * r->all) continue;
    skp__text_add(text, "%s%s %.1f", comma, parts[i].name, skp__mib(parts[i].bytes));
    comma = ", ";
  }
  skp__text_add(text, ".");
}

__attribute__((format(printf, 4, 5))) static void offer(struct help help[HELPS], int *n, double saves,
                                                        const char *words, ...) {
  if (saves <= 0) return;
  va_list list;
  va_start(list, words);
  vsnprintf(help[*n].words, sizeof help->words, words, list);
  va_end(list);
  help[(*n)++].saves = saves;
}

/* How often the side of the images is to be halved, 3 times at most. */
static int halvings(const struct room *r, double lacking) {
  int k = 1;
  while (k < 3 && (r->activations + r->images) * (1 - pow(0.25, k)) < lacking) k++;
  return k;
}

/* Steps have been cut as small as they can be; what micro-batches could save is the sum of their gradients. */
static int collect(struct help help[HELPS], const struct room *r, const struct skp_recipe *recipe,
                   const struct skp__variant *of, double lacking) {
  const double by_image = r->activations + r->images;
  const int k = halvings(r, lacking);
  char whole[40] = "";
  int n = 0;
  if (recipe->accumulate > 1) snprintf(whole, sizeof whole, " %s 1", skp__option("accumulate"));
  if (of->step == SKP_STEP_MICRO)
    offer(help, &n, r->gradients / 2, "%s %lld%s", skp__option("batch"), (long long)of->N, whole);
  if (of->step == SKP_STEP_EVAL) return n;
  offer(help, &n, r->moments, "%s sgd %s 0", skp__option("optimizer"), skp__option("momentum"));
  offer(help, &n, r->averages, "%s 0", skp__option("ema"));
  if (recipe->size >> k)
    offer(help, &n, by_image * (1 - pow(0.25, k)), "%s %d", skp__option("size"), recipe->size >> k);
  return n;
}

/* Names what is enough alone; if nothing is, all that saves a tenth or more; if all together is not, that. */
static void advise(struct skp__text *text, const struct help *help, int n, double all, double lacking) {
  double saved = 0;
  bool enough = false;
  const char *comma = "";
  for (int i = 0; i < n; i++) saved += help[i].saves;
  if (saved < lacking) {
    skp__text_add(text, "\n%s", too_large);
    return;
  }
  for (int i = 0; i < n; i++) enough = enough || help[i].saves >= lacking;
  for (int i = 0; i < n; i++) {
    if (help[i].saves < (enough ? lacking : all / 10)) continue;
    skp__text_add(text, "%s%s (%.1f less)", *comma ? comma : "\nWhat helps: ", help[i].words, skp__mib(help[i].saves));
    comma = enough ? ", or " : " and ";
  }
  if (*comma) skp__text_add(text, ".");
}

static void describe(struct skp__text *text, const struct room *r, const struct skp__variant *of) {
  skp__text_add(text, "\n%s %lld image%s takes %.1f MiB: ", of->step == SKP_STEP_EVAL ? "To judge" : "To train on",
                (long long)of->N, of->N == 1 ? "" : "s", skp__mib(r->all));
  list_parts(text, r);
}

/* The largest training step that has a plan already; NULL: none. */
static const struct skp__session_plan *training(const struct skp_session *s) {
  const struct skp__session_plan *largest = NULL;
  for (size_t i = 0; i < s->plans.n; i++) {
    const struct skp__session_plan *p = &s->plans.at[i];
    const bool trains = p->of.step == SKP_STEP_TRAIN || p->of.step == SKP_STEP_MICRO;
    if (trains && (!largest || p->of.N > largest->of.N)) largest = p;
  }
  return largest;
}

/* What judging takes beside the weights comes on top of what training does. */
static void join(struct room *r, const struct room *judging) {
  r->activations += judging->activations;
  r->images += judging->images;
  r->all += judging->activations + judging->images;
}

static skp_status explain(struct skp__text *text, const struct skp_session *s, const struct skp__variant *of) {
  const struct skp__session_plan *beside =
      of->step == SKP_STEP_EVAL || of->step == SKP_STEP_UPDATE ? training(s) : NULL;
  struct skp_backend_info device;
  struct room r, judging = {.all = 0};
  struct help help[HELPS];
  if (of->step == SKP_STEP_EVAL) SKP_TRY(take(&judging, s, *of));
  if (of->step == SKP_STEP_EVAL) describe(text, &judging, of);
  if (beside) of = &beside->of;
  SKP_TRY(take(&r, s, *of));
  if (of->step != SKP_STEP_EVAL) describe(text, &r, of);
  if (of->step != SKP_STEP_EVAL) join(&r, &judging);
  s->b->ops->info(s->b, &device);
  /* All of it seems to fit where a single value is too large, or what methods want
   * beside: less by a tenth is the least to try. */
  const double lacking = fmax(r.all - (double)device.memory, 0.1 * r.all);
  const int n = collect(help, &r, &s->model->recipe, of, lacking);
  advise(text, help, n, r.all, lacking);
  return SKP_OK;
}

skp_status skp__session_fail_memory(const struct skp_session *s, skp_status status, const struct skp__variant *of) {
  struct skp__text text = {.n = 0};
  skp__text_add(&text, "%s", skp_error_message());
  (void)explain(&text, s, of); /* as far as it comes */
  return skp__fail(status, "%s", text.at);
}

skp_status skp__session_fail_weights(const struct skp_session *s, skp_status status) {
  static const struct skp__variant steps[] = {{SKP_STEP_EVAL, .N = 1}, {SKP_STEP_TRAIN, .N = 1}};
  struct skp__text text = {.n = 0};
  struct room r;
  skp__text_add(&text, "%s", skp_error_message());
  for (int i = 0; i < 2; i++)
    if (take(&r, s, steps[i]) == SKP_OK) describe(&text, &r, &steps[i]);
  return skp__fail(status, "%s\n%s", text.at, too_large);
}
