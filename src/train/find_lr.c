/* find_lr.c: the learning-rate finder. SPDX-License-Identifier: MIT
 *
 *   lr(t) = first · (last / first)^(t / (steps - 1))
 *   smooth(t) = m(t) / (1 - B^(t+1)),  m(t) = B · m(t-1) + (1 - B) · loss(t)
 *
 * Each step is waited for: the next one is not worth making once the loss has diverged. */
#include "train/find_lr.h"
#include "base/file.h"
#include "train/parts.h"
#include "train/session.h"
#include <math.h>
#include <stdlib.h>

static const double keep = 0.9;    /* B */
static const double far_above = 4; /* times the lowest smoothed loss: diverged */
enum { REACH = 3 };                /* steps on either side between which a slope is taken */

/* ---- judging ---------------------------------------------------------------------------------------------------- */

void skp__lr_curve_judge(struct skp_lr_curve *c) {
  double best = 0;
  c->lowest = 0;
  c->steepest = -1;
  c->suggestion = 0;
  for (int i = 0; i < c->n; i++)
    if (c->at[i].smooth < c->at[c->lowest].smooth) c->lowest = i;
  for (int i = REACH; i + REACH <= c->lowest; i++) { /* the rates are evenly spaced in their logarithms */
    double fall = c->at[i - REACH].smooth - c->at[i + REACH].smooth;
    if (fall <= best) continue;
    best = fall;
    c->steepest = i;
  }
  if (c->steepest >= 0) c->suggestion = fmin(c->at[c->steepest].lr, c->at[c->lowest].lr / 10);
}

/* ---- the ramp --------------------------------------------------------------------------------------------------- */

struct ramp {
  struct skp_session *s;
  struct skp_loader *loader;
  const struct skp_lr_options *o;
  struct skp_lr_curve *curve;
  double mean, lowest;
};

static double rate(const struct skp_lr_options *o, int64_t t) {
  return o->first * pow(o->last / o->first, (double)t / (double)(o->steps - 1));
}

/* One training step with the rate `lr`; waits for its loss. */
static skp_status train_step(struct ramp *r, struct skp_batch *batch, int64_t t, double lr, float *loss) {
  struct skp_backend *b = r->s->b;
  struct skp_plan *plan;
  float hyper[4];
  int32_t draw[2];
  SKP_TRY(skp__session_plan(r->s, &plan, batch->n, SKP_STEP_TRAIN));
  const struct skp_graph *g = skp__plan_graph(plan);
  skp__session_hyper(hyper, &r->s->model->recipe, lr, t + 1);
  SKP_TRY(skp__session_feed(r->s, plan, batch, 0));
  SKP_TRY(skp__session_draw(r->s, plan, draw, r->o->seed, t));
  SKP_TRY(skp__backend_write_now(b, skp__plan_buffer(plan, g->hyper), 0, hyper, sizeof hyper));
  SKP_TRY(skp__plan_run(plan));
  return skp__backend_read_now(b, skp__plan_buffer(plan, g->loss), 0, loss, sizeof *loss);
}

/* Adds a loss to the curve; sets `diverged` instead where there is nothing to add. */
static void add_point(struct ramp *r, int64_t t, double lr, double loss) {
  struct skp_lr_curve *c = r->curve;
  r->mean = keep * r->mean + (1 - keep) * loss;
  double smooth = r->mean / (1 - pow(keep, (double)t + 1));
  c->diverged = !isfinite(loss) || (t > 0 && smooth > far_above * r->lowest);
  if (!isfinite(loss)) return;
  if (t == 0 || smooth < r->lowest) r->lowest = smooth;
  c->at[c->n++] = (struct skp_lr_point){lr, loss, smooth};
}

static skp_status climb(struct ramp *r) {
  for (int64_t t = 0; t < r->o->steps && !r->curve->diverged; t++) {
    struct skp_batch *batch;
    double lr = rate(r->o, t);
    float loss = 0;
    if (r->o->stop && *r->o->stop) return skp__fail(SKP_INTERRUPTED, "Stopped at the learning rate %g.", lr);
    SKP_TRY(skp__loader_next(r->loader, &batch, NULL));
    SKP_TRY(train_step(r, batch, t, lr, &loss));
    skp__loader_give_back(r->loader, batch);
    add_point(r, t, lr, (double)loss);
    skp__progress_work("trying learning rates", r->curve->diverged ? r->o->steps : t + 1, r->o->steps);
  }
  return SKP_OK;
}

static skp_status climb_and_return(struct ramp *r, const struct skp_source *train) {
  const struct skp_recipe *recipe = &r->s->model->recipe;
  struct skp_loader_options options = {.batch = recipe->batch, .shuffle = true, .wrap = true, .seed = r->o->seed};
  float *params, *state;
  skp__session_loading(&options, recipe, true);
  options.threads = r->o->threads;
  options.depth = 3;
  SKP_TRY(skp__session_pull(r->s, &params, &state));
  skp_status status = skp__loader_create(&r->loader, train, &options);
  if (status == SKP_OK) status = skp__session_settle(r->s, climb(r));
  skp__loader_destroy(r->loader);
  if (status == SKP_OK) status = skp__session_push(r->s, params, state);
  free(params);
  free(state);
  return status;
}

skp_status skp__find_lr(struct skp_lr_curve *out, struct skp_session *s, const struct skp_source *train,
                        const struct skp_lr_options *o) {
  struct skp__parts parts;
  struct ramp r = {.s = s, .o = o, .curve = out};
  *out = (struct skp_lr_curve){.n = 0};
  SKP_TRY(skp__parts_plan(&parts, s->model, INT64_MAX)); /* all batches are full */
  SKP_TRY(skp__alloc(&out->at, (size_t)o->steps, sizeof *out->at));
  SKP_TRY(climb_and_return(&r, train));
  skp__lr_curve_judge(out);
  return SKP_OK;
}

void skp__lr_curve_free(struct skp_lr_curve *c) {
  free(c->at);
  *c = (struct skp_lr_curve){.n = 0};
}

/* ---- the file --------------------------------------------------------------------------------------------------- */

static void put_curve(FILE *to, void *user) {
  const struct skp_lr_curve *c = user;
  fprintf(to, "step,lr,loss,smoothed_loss\n");
  for (int64_t i = 0; i < c->n; i++)
    fprintf(to, "%lld,%.6g,%.9g,%.9g\n", (long long)i + 1, c->at[i].lr, c->at[i].loss, c->at[i].smooth);
}

skp_status skp__lr_curve_write(const struct skp_lr_curve *c, const char *path) {
  struct skp_lr_curve curve = *c;
  return skp__file_print_atomic(path, put_curve, &curve);
}
