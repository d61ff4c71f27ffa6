/* find_lr.c: the learning-rate finder. SPDX-License-Identifier: MIT
 *
 *   lr(t) = first · (last / first)^(t / (steps - 1))
 *   smooth(t) = m(t) / (1 - B^(t+1)),  m(t) = B · m(t-1) + (1 - B) · loss(t)
 *
 * Each step is waited for: the next one is not worth making once the loss has diverged. */
#include "train/find_lr.h"
#include "base/file.h"
#include "train/step.h"
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
  struct skp__stepper stepper;
  struct skp_loader *loader;
  const struct skp_lr_options *o;
  struct skp_lr_curve *curve;
  double mean, lowest;
};

static double rate(const struct skp_lr_options *o, int64_t t) {
  return o->first * pow(o->last / o->first, (double)t / (double)(o->steps - 1));
}

static skp_status take(void *user, struct skp__step *step) {
  struct ramp *r = user;
  step->lr = rate(r->o, r->stepper.queued);
  return skp__loader_next(r->loader, &step->batch, NULL);
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
    struct skp__step *step;
    if (r->o->stop && *r->o->stop) return skp__fail(SKP_INTERRUPTED, "Stopped at the learning rate %g.", rate(r->o, t));
    SKP_TRY(t ? skp__stepper_queue(&r->stepper) : skp__stepper_first(&r->stepper));
    SKP_TRY(skp__stepper_retire(&r->stepper, &step));
    skp__loader_give_back(r->loader, step->batch);
    add_point(r, t, step->lr, (double)step->loss);
    skp__progress_work("trying learning rates", r->curve->diverged ? r->o->steps : t + 1, r->o->steps);
  }
  return SKP_OK;
}

static skp_status start(struct ramp *r, struct skp_session *s, const struct skp_source *train) {
  const struct skp_recipe *recipe = &s->model->recipe;
  struct skp_loader_options options = {.batch = recipe->batch, .shuffle = true, .wrap = true, .seed = r->o->seed};
  SKP_TRY(skp__stepper_train(&r->stepper, s, INT64_MAX)); /* all batches are full */
  r->stepper.seed = r->o->seed;
  r->stepper.say = r->o->say;
  r->stepper.user = r;
  r->stepper.take = take;
  SKP_TRY(skp__stepper_open(&r->stepper));
  skp__session_loading(&options, recipe, true);
  options.threads = r->o->threads;
  options.depth = 3;
  return skp__loader_create(&r->loader, train, &options);
}

static skp_status climb_and_return(struct ramp *r, struct skp_session *s, const struct skp_source *train) {
  float *params, *state;
  SKP_TRY(skp__session_pull(s, &params, &state));
  skp_status status = start(r, s, train);
  if (status == SKP_OK) status = skp__session_settle(s, climb(r));
  skp__loader_destroy(r->loader);
  skp__stepper_close(&r->stepper);
  if (status == SKP_OK) status = skp__session_push(s, params, state);
  free(params);
  free(state);
  return status;
}

skp_status skp__find_lr(struct skp_lr_curve *out, struct skp_session *s, const struct skp_source *train,
                        const struct skp_lr_options *o) {
  struct ramp r = {.o = o, .curve = out};
  *out = (struct skp_lr_curve){.n = 0};
  SKP_TRY(skp__alloc(&out->at, (size_t)o->steps, sizeof *out->at));
  SKP_TRY(climb_and_return(&r, s, train));
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
