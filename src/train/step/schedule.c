/* schedule.c: learning-rate schedules, as PyTorch's classes of these names; linear is a
 * straight line. SPDX-License-Identifier: MIT
 *
 * A warm-up, if any, climbs linearly over its steps; the schedule begins after it, with what is left of the run. */
#include "train/step/schedule.h"
#include "base/host.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

struct progress {
  double t, total; /* steps since the warm-up; all of them */
  double epoch;    /* whole epochs since the warm-up */
  double plateau;  /* what it has come down to */
};

static double constant(const struct skp_recipe *r, const struct progress *p) {
  (void)p;
  return r->lr;
}

static double step(const struct skp_recipe *r, const struct progress *p) {
  return r->lr * pow(r->gamma, floor(p->epoch / (double)r->lr_step));
}

static double multi_step(const struct skp_recipe *r, const struct progress *p) {
  int taken = 0;
  for (int i = 0; i < r->milestones.n; i++) taken += (double)r->milestones.at[i] <= p->epoch;
  return r->lr * pow(r->gamma, taken);
}

static double plateau(const struct skp_recipe *r, const struct progress *p) { return fmin(r->lr, p->plateau); }

static double exponential(const struct skp_recipe *r, const struct progress *p) {
  return r->lr * pow(r->gamma, p->epoch);
}

/* From a to b along half a cosine; x from 0 to 1. */
static double anneal(double a, double b, double x) { return b + (a - b) * (1 + cos(acos(-1) * x)) / 2; }

static double cosine(const struct skp_recipe *r, const struct progress *p) {
  return anneal(r->lr, r->lr_min, p->t / p->total);
}

static double linear(const struct skp_recipe *r, const struct progress *p) {
  return r->lr + (r->lr_min - r->lr) * p->t / p->total;
}

/* Up to lr in the first 30 % of the steps, then down to nearly nothing: the defaults of
 * OneCycleLR, momentum left alone. */
static double one_cycle(const struct skp_recipe *r, const struct progress *p) {
  double top = 0.3 * p->total - 1, last = p->total - 1, low = r->lr / 25;
  if (p->t <= top && top > 0) return anneal(low, r->lr, p->t / top);
  top = fmax(top, 0);
  return last > top ? anneal(r->lr, low / 1e4, fmin(1, (p->t - top) / (last - top))) : r->lr;
}

static const struct kind {
  const char *name;
  double (*lr)(const struct skp_recipe *, const struct progress *);
  bool spans;          /* it is stretched over the whole run */
  const char *uses[5]; /* fields of the recipe that belong to schedules */
} kinds[] = {{"constant", constant, false, {NULL}},
             {"step", step, false, {"lr_step", "gamma"}},
             {"multi_step", multi_step, false, {"milestones", "gamma"}},
             {"exponential", exponential, false, {"gamma"}},
             {"linear", linear, true, {"lr_min"}},
             {"cosine", cosine, true, {"lr_min"}},
             {"one_cycle", one_cycle, true, {NULL}},
             {"plateau", plateau, false, {"gamma", "lr_min", "plateau_patience", "plateau_threshold"}}};
enum { KINDS = sizeof kinds / sizeof *kinds };

static const struct kind *find(const char *name) {
  for (int i = 0; i < KINDS; i++)
    if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
  return NULL;
}

static const char *kind_name(int i) { return kinds[i].name; }

static bool kind_uses(int i, const char *field) {
  for (int u = 0; kinds[i].uses[u]; u++)
    if (strcmp(kinds[i].uses[u], field) == 0) return true;
  return false;
}

const struct skp_recipe_choice skp__schedules = {"schedule", KINDS, kind_name, kind_uses};

void skp__schedule_reset(struct skp_recipe *r) { skp__recipe_reset(r, &skp__schedules); }

skp_status skp__schedule_check(const struct skp_recipe *r) {
  const struct kind *k = find(r->schedule);
  if (!k) return skp__recipe_fail_choice(&skp__schedules, r->schedule);
  const int i = (int)(k - kinds);
  SKP_TRY(skp__recipe_check_unused(r, &skp__schedules, i));
  if (k->lr == step && r->lr_step == 0)
    return skp__fail(SKP_USAGE, "The schedule step needs the epochs between two steps: %s N.", skp__option("lr_step"));
  if (k->lr == multi_step && r->milestones.n == 0)
    return skp__fail(SKP_USAGE, "The schedule multi_step needs the epochs of its steps: %s 30,60,80.",
                     skp__option("milestones"));
  if (kind_uses(i, "lr_min") && r->lr_min > r->lr)
    return skp__fail(SKP_USAGE, "lr_min %g is above the learning rate %g; %s goes down to it.", r->lr_min, r->lr,
                     k->name);
  if (skp__schedule_spans_run(r) && r->epochs == 0)
    return skp__fail(SKP_USAGE, "The schedule %s needs to know when the run ends: give it %s N, or choose another %s.",
                     k->name, skp__option("epochs"), skp__option("schedule"));
  if (r->warmup > 0 && r->epochs > 0 && r->warmup >= (double)r->epochs)
    return skp__fail(SKP_USAGE, "A warm-up of %g epochs does not end before the run does, after %lld.", r->warmup,
                     (long long)r->epochs);
  return SKP_OK;
}

bool skp__schedule_spans_run(const struct skp_recipe *r) {
  const struct kind *k = find(r->schedule);
  return k && k->spans;
}

double skp__schedule_lr(const struct skp_recipe *r, const struct skp__plateau *memory, int64_t at, int64_t steps) {
  double warm = ceil(r->warmup * (double)steps), t = (double)at - warm;
  if (t < 0) return r->lr * ((double)at + 1) / warm;
  struct progress p = {.t = t, .total = (double)(r->epochs * steps) - warm, .epoch = floor(t / (double)steps)};
  p.plateau = memory ? memory->lr : INFINITY;
  return find(r->schedule)->lr(r, &p);
}

/* ---- plateau ---------------------------------------------------------------------------------------------------- */

struct skp__plateau skp__plateau_start(void) {
  return (struct skp__plateau){.lr = INFINITY, .best = -INFINITY};
}

/* ReduceLROnPlateau with a relative threshold, without cooldown. Epochs of the warm-up do not count. */
void skp__plateau_observe(struct skp__plateau *p, const struct skp_recipe *r, int64_t epoch, double score) {
  const double least_change = 1e-8;
  if (find(r->schedule)->lr != plateau || (double)epoch <= r->warmup) return;
  double bar = p->best * (p->best < 0 ? 1 - r->plateau_threshold : 1 + r->plateau_threshold);
  bool better = isinf(p->best) || score > bar;
  if (better) p->best = score;
  p->bad = better ? 0 : p->bad + 1;
  if (p->bad <= r->plateau_patience) return;
  double lr = fmin(r->lr, p->lr), next = fmax(lr * r->gamma, r->lr_min);
  if (lr - next > least_change) p->lr = next;
  p->bad = 0;
}
