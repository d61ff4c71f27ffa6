/* find_lr.c: the learning-rate finder. SPDX-License-Identifier: MIT
 *
 *   lr(t)     = first · (last / first)^(t / (steps - 1))
 *   loss(t)   = mean over some ramps, which begin with the same weights and see other images
 *   smooth(t) = mean of loss over t and REACH steps on either side
 *
 * At the first quarter of the rates nothing is learned: there the loss is what it begins with, and how far it strays is
 * noise. From there it falls, to a lowest point before it first climbs again (what comes later is no better: a network
 * whose weights are gone may well have a lower loss than a fresh one). A fall is one if it is well above the noise, and
 * what is suggested is a third of the rate of the lowest point: that is the largest at which it still got better.
 *
 * Each step is waited for: the next one is not worth making once the loss has diverged. */
#include "train/measure/find_lr.h"
#include "base/file.h"
#include "base/progress.h"
#include "train/session/values.h"
#include "train/step/step.h"
#include <math.h>
#include <stdlib.h>

static const double keep = 0.9;            /* of the running mean by which a ramp is watched */
static const double far_above = 4;         /* times its lowest: diverged */
static const double least_fall = 6;        /* times the noise of a smoothed loss */
static const double least_fraction = 0.01; /* of the loss at the start */
enum { REACH = 4, RAMPS = 3, BELOW = 3 };

/* ---- judging ---------------------------------------------------------------------------------------------------- */

static double mean(const struct skp_lr_curve *c, int64_t from, int64_t to) {
  double sum = 0;
  for (int64_t i = from; i < to; i++) sum += c->at[i].loss;
  return sum / (double)(to - from);
}

static void smooth(struct skp_lr_curve *c) {
  for (int64_t i = 0; i < c->n; i++)
    c->at[i].smooth = mean(c, i < REACH ? 0 : i - REACH, i + REACH < c->n ? i + REACH + 1 : c->n);
}

/* The standard deviation of the loss from one step to the next, among the first n. */
static double noise(const struct skp_lr_curve *c, int64_t n) {
  double sum = 0;
  for (int64_t i = 1; i < n; i++) sum += pow(c->at[i].loss - c->at[i - 1].loss, 2);
  return n > 1 ? sqrt(sum / (2 * (double)(n - 1))) : 0;
}

/* The lowest point before the loss climbs by half of what it fell, and by more than noise. */
static int lowest(const struct skp_lr_curve *c, double start, double most_noise) {
  int low = 0;
  for (int i = 0; i < c->n; i++) {
    const double fall = start - c->at[low].smooth, climb = c->at[i].smooth - c->at[low].smooth;
    if (climb < 0) low = i;
    if (climb > fmax(fall / 2, most_noise)) break;
  }
  return low;
}

void skp__lr_curve_judge(struct skp_lr_curve *c) {
  c->lowest = 0;
  c->suggestion = 0;
  if (!c->n) return;
  smooth(c);
  const int64_t flat = c->n < 4 ? c->n : c->n / 4;
  const double start = mean(c, 0, flat), most_noise = least_fall * noise(c, flat) / sqrt(2 * REACH + 1);
  c->lowest = lowest(c, start, most_noise);
  const double fall = start - c->at[c->lowest].smooth;
  if (fall > most_noise && fall > least_fraction * fabs(start))
    c->suggestion = fmax(c->at[0].lr, c->at[c->lowest].lr / BELOW);
}

/* ---- the ramps -------------------------------------------------------------------------------------------------- */

struct ramp {
  struct skp__stepper stepper;
  struct skp_loader *loader;
  const struct skp_lr_options *o;
  struct skp_lr_curve *curve; /* at[].loss: the sum over the ramps so far */
  int64_t ramps;              /* those that are done */
  double mean, lowest;        /* of this one */
};

static double rate(const struct skp_lr_options *o, int64_t t) {
  return o->first * pow(o->last / o->first, (double)t / (double)(o->steps - 1));
}

static skp_status take(void *user, struct skp__step *step) {
  struct ramp *r = user;
  step->lr = rate(r->o, r->stepper.queued);
  return skp__loader_next(r->loader, &step->batch, NULL);
}

/* Whether a ramp has come to its end with step t. */
static bool diverged(struct ramp *r, int64_t t, const struct skp__step *step) {
  const double loss = (double)step->loss;
  r->mean = keep * r->mean + (1 - keep) * loss;
  const double now = r->mean / (1 - pow(keep, (double)t + 1));
  if (!step->sound || (t > 0 && now > far_above * r->lowest)) return true;
  if (t == 0 || now < r->lowest) r->lowest = now;
  return false;
}

static void add_point(struct ramp *r, int64_t t, const struct skp__step *step) {
  struct skp_lr_point *p = &r->curve->at[t];
  p->lr = step->lr;
  p->loss += (double)step->loss;
}

/* One ramp, as far as those before it came: where one diverges the curve ends. */
static skp_status climb(struct ramp *r) {
  const int64_t most = r->curve->n, all = RAMPS * r->o->steps;
  r->stepper.queued = r->stepper.done = 0;
  r->mean = 0;
  for (int64_t t = 0; t < most; t++) {
    struct skp__step *step;
    if (r->o->stop && *r->o->stop) return skp__fail(SKP_INTERRUPTED, "Stopped at the learning rate %g.", rate(r->o, t));
    SKP_TRY(t || r->ramps ? skp__stepper_queue(&r->stepper) : skp__stepper_first(&r->stepper));
    SKP_TRY(skp__stepper_retire(&r->stepper, &step));
    skp__loader_give_back(r->loader, step->batch);
    skp__progress_work("trying learning rates", r->ramps * r->o->steps + t, all);
    const bool end = diverged(r, t, step);
    if (isfinite(step->loss)) add_point(r, t, step);
    if (!end) continue;
    r->curve->diverged = true;
    r->curve->n = isfinite(step->loss) ? t + 1 : t;
    break;
  }
  r->ramps++;
  return SKP_OK;
}

static skp_status climb_all(struct ramp *r, const struct skp__values *before) {
  r->curve->n = r->o->steps;
  while (r->ramps < RAMPS) {
    SKP_TRY(climb(r));
    SKP_TRY(skp__values_push(before, r->stepper.s));
  }
  for (int64_t i = 0; i < r->curve->n; i++) r->curve->at[i].loss /= RAMPS;
  skp__progress_work("trying learning rates", 1, 1);
  return SKP_OK;
}

static skp_status start(struct ramp *r, struct skp_session *s, const struct skp_source *train) {
  const struct skp_recipe *recipe = &s->model->recipe;
  struct skp_loader_options options = {.batch = recipe->batch, .shuffle = true, .wrap = true, .seed = r->o->seed};
  SKP_TRY(skp__stepper_train(&r->stepper, s, INT64_MAX)); /* all batches are full */
  r->stepper.bytes = skp__session_bytes(recipe, train, true);
  r->stepper.seed = r->o->seed;
  r->stepper.say = r->o->say;
  r->stepper.user = r;
  r->stepper.take = take;
  SKP_TRY(skp__stepper_open(&r->stepper));
  skp__session_loading(&options, recipe, train, true);
  options.threads = r->o->threads;
  options.depth = 3;
  return skp__loader_create(&r->loader, train, &options);
}

static skp_status run(struct ramp *r, struct skp_session *s, const struct skp_source *train) {
  struct skp__values before = {.n = 0};
  SKP_TRY(start(r, s, train));
  SKP_TRY(skp__values_pull(&before, s));
  skp_status status = skp__session_settle(s, climb_all(r, &before));
  skp__values_free(&before);
  return status;
}

skp_status skp__find_lr(struct skp_lr_curve *out, struct skp_session *s, const struct skp_source *train,
                        const struct skp_lr_options *o) {
  struct ramp r = {.o = o, .curve = out};
  *out = (struct skp_lr_curve){.n = 0};
  SKP_TRY(skp__alloc(&out->at, (size_t)o->steps, sizeof *out->at));
  skp_status status = run(&r, s, train);
  skp__loader_destroy(r.loader);
  skp__stepper_close(&r.stepper);
  if (status == SKP_OK) skp__lr_curve_judge(out);
  return status;
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
