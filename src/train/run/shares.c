/* shares.c: how ranks of different speed share a step's images. SPDX-License-Identifier: MIT
 *
 *   each rank's device ─> alike: all have as many
 *                      └> not alike, or it is asked for ─> the same few steps in all ranks, timed ─> numbers
 *
 * From then on they are as if the numbers had been said: nothing that a run computes depends on the clock otherwise. */
#include "base/array.h"
#include "base/clock.h"
#include "base/host.h"
#include "train/run/loop.h"
#include <stdlib.h>
#include <string.h>

enum { WARM = 1, TIMED = 4 /* steps */ };

/* ---- speed ------------------------------------------------------------------------------------------------------- */

/* A step without its update, on images that are all zero; it changes nothing that lasts. Of fewer images than an equal
 * share where the memory is too small. */
static skp_status make_plan(struct skp_session *s, const struct skp_data *data, struct skp_plan **out, int64_t *n) {
  struct skp__micro micro;
  SKP_TRY(skp__micro_plan(&micro, s->model, data->train->n, s->ranks, NULL));
  skp_status status;
  struct skp__variant of = {.step = SKP_STEP_MICRO, .N = skp__micro_size(&micro)};
  of.bytes = skp__session_bytes(&s->model->recipe, data->train, true);
  while ((status = skp__session_plan(s, out, &of)) == SKP_DEVICE_MEMORY && of.N > 2) of.N /= 2;
  *n = of.N;
  return status;
}

static skp_status run(struct skp_session *s, struct skp_plan *plan, double *seconds) {
  const double begin = skp__clock();
  skp_status status = skp__plan_run(plan);
  if (status == SKP_OK) status = skp__backend_finish(s->b);
  *seconds = skp__clock() - begin;
  return status;
}

/* Images a second. The ranks begin each step together, so that those that share a machine are measured as they will
 * run. */
static skp_status measure(struct skp_session *s, const struct skp_data *data, double *speed) {
  struct skp_plan *plan;
  int64_t n = 0;
  double all = 0, one = 0;
  skp_status status = make_plan(s, data, &plan, &n);
  for (int i = 0; i < WARM + TIMED; i++) {
    SKP_TRY(skp__ranks_meet(s->ranks, status, NULL));
    status = run(s, plan, &one);
    all += i < WARM ? 0 : one;
  }
  SKP_TRY(skp__ranks_meet(s->ranks, status, NULL));
  *speed = (double)(TIMED * n) / all;
  s->moved = true;
  skp__session_forget_plans(s);
  return SKP_OK;
}

/* ---- shares ------------------------------------------------------------------------------------------------------ */

static void say(FILE *to, const char *shares, const double *speed, int ranks) {
  if (!to) return;
  fprintf(to, "shares   %.200s images of a step, by ", shares);
  for (int q = 0; q < ranks; q++) fprintf(to, "%s%.3g", q ? ", " : "", speed[q]);
  fprintf(to, " images/s of the ranks; %s %.200s gives the same bits again\n", skp__option("shares"), shares);
}

static skp_status choose(char **out, struct skp_session *s, const struct skp_data *data, FILE *to) {
  const int ranks = skp__ranks_size(s->ranks);
  struct skp__micro micro;
  double own, *speed;
  SKP_TRY(measure(s, data, &own));
  SKP_TRY(skp__micro_plan(&micro, s->model, data->train->n, s->ranks, NULL));
  SKP_TRY(skp__alloc(&speed, (size_t)ranks, sizeof *speed));
  skp_status status = skp__ranks_gather(s->ranks, speed, &own, sizeof own);
  if (status == SKP_OK) status = skp__shares_by_speed(out, speed, ranks, skp__micro_full(&micro));
  if (status == SKP_OK) say(to, *out, speed, ranks);
  free(speed);
  return status;
}

/* Measured shares differ from run to run, and so do the bits: like devices are not measured unless that is asked for. A
 * run that goes on has those that it began with. */
skp_status skp__shares_settle(char **out, struct skp_session *s, const struct skp_data *data,
                              const struct skp_train_options *o, bool alike) {
  *out = NULL;
  if (skp__shares_fixed(o->shares)) return skp__strdup(out, o->shares);
  if (!s->ranks || o->resume || o->max_steps == 0) return SKP_OK;
  if (o->shares ? strcmp(o->shares, skp__shares_measured) != 0 : alike) return SKP_OK;
  return choose(out, s, data, o->say);
}
