/* prepare.c: see prepare.h. SPDX-License-Identifier: MIT */
#include "train/prepare/prepare.h"
#include "base/array.h"
#include "base/host.h"
#include "plan/plan.h"
#include "train/prepare/trial.h"
#include "train/session/micro_batch.h"
#include "train/step/schedule.h"
#include <stdlib.h>
#include <string.h>

/* ---- the recipe -------------------------------------------------------------------------------------------------- */

static skp_status check_end(const struct skp_recipe *r, const struct skp_train_options *o) {
  if (r->epochs > 0 || r->patience > 0 || o->max_steps >= 0 || o->max_seconds > 0) return SKP_OK;
  return skp__fail(SKP_USAGE, "A run of %s 0 never ends by itself; give it %s N, %s TIME or %s N.",
                   skp__option("epochs"), skp__option("max_steps"), skp__option("max_seconds"),
                   skp__option("patience"));
}

/* The layer or scope that a parameter belongs to. */
static size_t owner(const char *name) {
  const char *dot = strrchr(name, '.');
  return dot ? (size_t)(dot - name) : strlen(name);
}

/* Names the layers once each. */
static void remark_idle(struct skp__text *text, const struct skp_graph *g) {
  struct skp__text names = {.n = 0};
  const char *last = "";
  for (size_t i = 0; i < g->tensors.n; i++) {
    const struct skp_tensor *t = &g->tensors.at[i];
    const size_t n = owner(t->name);
    if (!t->idle || (n == owner(last) && !strncmp(t->name, last, n))) continue;
    skp__text_add(&names, "%s%.*s", names.n ? ", " : "", (int)n, t->name);
    last = t->name;
  }
  if (names.n) skp__text_add(text, "no prediction depends on %s: their parameters stay as they are\n", names.at);
}

static bool any_narrow(const struct skp_graph *g) {
  bool any = false;
  for (size_t i = 0; i < g->tensors.n; i++) any = any || g->tensors.at[i].shape.dtype == SKP_BF16;
  return any;
}

/* Whether the precision that was asked for comes to anything. */
static skp_status remark_precision(struct skp__text *text, struct skp_graph *g) {
  if (!g->mixed) return SKP_OK;
  SKP_TRY(skp__precision(g));
  if (!any_narrow(g))
    skp__text_add(text, "%s mixed changes nothing here: no convolution has the channels for which bfloat16 pays\n",
                  skp__option("precision"));
  return SKP_OK;
}

/* A step's graph shows whether the recipe fits the network, and what it leaves as it is. */
static skp_status check_step(struct skp__prepared *p, const struct skp_model *m) {
  struct skp_graph *g;
  SKP_TRY(skp__step_graph(&g, m, &(struct skp__variant){SKP_STEP_TRAIN, .N = 1}));
  for (size_t i = 0; i < g->tensors.n; i++) {
    const struct skp_tensor *t = &g->tensors.at[i];
    if (skp__is_parameter(t) && t->lr == 0) p->frozen += skp__shape_count(&t->shape);
  }
  remark_idle(&p->remarks, g);
  skp_status status = remark_precision(&p->remarks, g);
  skp__graph_destroy(g);
  return status;
}

skp_status skp__prepare_recipe(struct skp__prepared *p, const struct skp_model *m, const struct skp_train_options *o) {
  SKP_TRY(skp__recipe_check(&m->recipe));
  SKP_TRY(skp__schedule_check(&m->recipe));
  SKP_TRY(check_end(&m->recipe, o));
  return o->max_steps != 0 ? check_step(p, m) : SKP_OK;
}

/* ---- the data ---------------------------------------------------------------------------------------------------- */

/* A file that fixes the number of classes may have more than the data; who says so with a setting knows. */
static void remark_spare_classes(struct skp__text *text, const struct skp_model *m, int learned) {
  if (m->takes_classes || m->recipe.classes <= learned) return;
  skp__text_add(text, "the network has %d classes: to those beyond the data's %d no image belongs\n", m->recipe.classes,
                learned);
}

/* Whether the classes that have images have very different numbers of them, and what helps. */
static void remark_uneven(struct skp__text *text, const struct skp_source *s, const int64_t *of) {
  enum { VERY_UNEVEN = 10 }; /* so many times as many images of one class as of another */
  int least = -1, most = -1;
  for (int c = 0; c < s->classes; c++) {
    if (of[c] && (least < 0 || of[c] < of[least])) least = c;
    if (of[c] && (most < 0 || of[c] > of[most])) most = c;
  }
  if (least >= 0 && of[most] >= VERY_UNEVEN * of[least])
    skp__text_add(text, "very uneven: %lld of %s, %lld of %s; %s shows each class equally often\n",
                  (long long)of[least], s->class_names[least], (long long)of[most], s->class_names[most],
                  skp__option("balanced"));
}

/* Files of labels alone may leave out some numbers. */
static skp_status count_classes(struct skp__prepared *p, const struct skp_model *m) {
  const struct skp_source *train = p->sets.data.train;
  int64_t *of;
  SKP_TRY(skp__alloc(&of, (size_t)train->classes, sizeof *of));
  skp_status status = skp__source_count(train, of);
  p->without = p->sets.learned->classes;
  for (int c = 0; c < train->classes; c++) p->without -= of[c] > 0;
  if (status == SKP_OK && !m->recipe.balanced) remark_uneven(&p->remarks, train, of);
  free(of);
  return status;
}

static skp_status remark(struct skp__prepared *p, const struct skp_model *m) {
  const struct skp_data *d = &p->sets.data;
  if (d->valid) skp__unknown_describe(&p->remarks, d->valid);
  if (d->test) skp__unknown_describe(&p->remarks, d->test);
  remark_spare_classes(&p->remarks, m, p->sets.learned->classes);
  return count_classes(p, m);
}

skp_status skp__prepare_data(struct skp__prepared *p, struct skp_model *m, skp__classes origin,
                             struct skp_source *const part[SKP_SPLITS], const struct skp_train_options *o) {
  struct skp__micro micro;
  SKP_TRY(skp__fit_data(m, origin, part));
  SKP_TRY(skp__sets_make(&p->sets, &m->recipe, part, o));
  if (o->max_steps != 0) {
    SKP_TRY(skp__micro_plan(&micro, m, p->sets.data.train->n, o->ranks, o->shares));
    p->pieces = skp__micro_pieces(&micro, skp__micro_full(&micro));
  }
  return remark(p, m);
}

void skp__prepared_free(struct skp__prepared *p) { skp__sets_free(&p->sets); }
