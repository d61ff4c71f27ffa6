/* schedule.c: learning-rate schedules, as PyTorch's classes of these names. SPDX-License-Identifier: MIT
 *
 * A warm-up, if any, climbs linearly over its steps; the schedule begins after it, with what is left of the run. */
#include "train/schedule.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

struct progress {
  double t, total; /* steps since the warm-up; all of them */
  double epoch;    /* whole epochs since the warm-up */
};

static double constant(const struct skp_recipe *r, const struct progress *p) {
  (void)p;
  return r->lr;
}

static double step(const struct skp_recipe *r, const struct progress *p) {
  return r->lr * pow(r->gamma, floor(p->epoch / (double)r->lr_step));
}

static double exponential(const struct skp_recipe *r, const struct progress *p) {
  return r->lr * pow(r->gamma, p->epoch);
}

/* From a to b along half a cosine; x from 0 to 1. */
static double anneal(double a, double b, double x) { return b + (a - b) * (1 + cos(acos(-1) * x)) / 2; }

static double cosine(const struct skp_recipe *r, const struct progress *p) {
  return anneal(r->lr, r->lr_min, p->t / p->total);
}

/* Up to lr in the first 30 % of the steps, then down to nearly nothing: the defaults of OneCycleLR, momentum left alone. */
static double one_cycle(const struct skp_recipe *r, const struct progress *p) {
  double top = 0.3 * p->total - 1, last = p->total - 1, low = r->lr / 25;
  if (p->t <= top && top > 0) return anneal(low, r->lr, p->t / top);
  top = fmax(top, 0);
  return last > top ? anneal(r->lr, low / 1e4, fmin(1, (p->t - top) / (last - top))) : r->lr;
}

static const struct kind {
  const char *name;
  double (*lr)(const struct skp_recipe *, const struct progress *);
} kinds[] = {
    {"constant", constant}, {"step", step}, {"exponential", exponential}, {"cosine", cosine}, {"one_cycle", one_cycle}};
enum { KINDS = sizeof kinds / sizeof *kinds };

static const struct kind *find(const char *name) {
  for (int i = 0; i < KINDS; i++)
    if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
  return NULL;
}

static skp_status fail_unknown(const char *name) {
  char known[128] = "";
  for (int i = 0; i < KINDS; i++)
    snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? ", " : "", kinds[i].name);
  return skp__fail(SKP_USAGE, "There is no schedule \"%s\". There are %s.", name, known);
}

skp_status skp__schedule_check(const struct skp_recipe *r) {
  const struct kind *k = find(r->schedule);
  if (!k) return fail_unknown(r->schedule);
  if (k->lr == step && r->lr_step == 0)
    return skp__fail(SKP_USAGE, "The schedule step needs the epochs between two steps: --lr-step N.");
  if (k->lr == cosine && r->lr_min > r->lr)
    return skp__fail(SKP_USAGE, "lr_min %g is above the learning rate %g; cosine goes down to it.", r->lr_min, r->lr);
  if (r->warmup > 0 && r->epochs > 0 && r->warmup >= (double)r->epochs)
    return skp__fail(SKP_USAGE, "A warm-up of %g epochs does not end before the run does, after %lld.", r->warmup,
                     (long long)r->epochs);
  return SKP_OK;
}

double skp__schedule_lr(const struct skp_recipe *r, int64_t at, int64_t steps) {
  double warm = ceil(r->warmup * (double)steps), t = (double)at - warm;
  if (t < 0) return r->lr * ((double)at + 1) / warm;
  struct progress p = {.t = t, .total = (double)(r->epochs * steps) - warm, .epoch = floor(t / (double)steps)};
  return find(r->schedule)->lr(r, &p);
}
