/* position.c: where a run stands, and how its state says so. SPDX-License-Identifier: MIT */
#include "train/checkpoint/position.h"
#include "io/json.h"
#include "train/checkpoint/metadata.h"
#include <math.h>

struct skp__position skp__position_start(void) {
  return (struct skp__position){.best = -INFINITY, .plateau = skp__plateau_start()};
}

/* An infinite number is left out; a position read without it has the one of the start. */
static bool add_number(cJSON *to, const char *name, double x) { return !isfinite(x) || skp__json_number(to, name, x); }

cJSON *skp__position_json(const struct skp__position *at) {
  cJSON *object = cJSON_CreateObject();
  bool ok = object;
#define X(kind, field) ok = ok && add_number(object, #field, (double)at->field);
  SKP_POSITION_LIST(X)
#undef X
  if (ok) return object;
  cJSON_Delete(object);
  return NULL;
}

static bool read_INT(int64_t *out, const cJSON *from, const char *name) {
  double x = skp__json_number_of(from, name, -1);
  if (x < 0 || x > 9007199254740992.0 || x != floor(x)) return false;
  *out = (int64_t)x;
  return true;
}

static bool read_REAL(double *out, const cJSON *from, const char *name) {
  *out = skp__json_number_of(from, name, *out);
  return !isnan(*out);
}

skp_status skp__resume_position(struct skp__position *at, const struct skp_resume *r) {
  bool ok = true;
  *at = skp__position_start();
#define X(kind, field) ok = ok && read_##kind(&at->field, r->position, #field);
  SKP_POSITION_LIST(X)
#undef X
  return ok ? SKP_OK : skp__fail(SKP_FORMAT, "%s does not say where the run stands.", r->path);
}

bool skp__position_early(const struct skp__position *at, const struct skp_recipe *r) {
  return r->patience && at->best_epoch && at->epoch - at->best_epoch >= r->patience;
}

bool skp__position_complete(const struct skp__position *at, const struct skp_recipe *r, int64_t max_steps) {
  return (r->epochs && at->epoch >= r->epochs) || (max_steps >= 0 && at->step >= max_steps) ||
         skp__position_early(at, r);
}

double skp__position_lr(double cuts) { return exp2(-cuts); }

bool skp__position_fits(const struct skp__position *at, int64_t steps, int64_t batch, int64_t images) {
  const int64_t done = at->epoch_steps * batch;
  return at->epoch_steps <= steps && at->step == at->epoch * steps + at->epoch_steps && at->best_epoch <= at->epoch &&
         at->images == (done < images ? done : images);
}

skp_status skp__resume_finished(const struct skp_resume *r, const struct skp_recipe *recipe, int64_t max_steps,
                                int64_t *steps) {
  struct skp__position at;
  SKP_TRY(skp__resume_position(&at, r));
  *steps = at.finished && skp__position_complete(&at, recipe, max_steps) ? at.step : -1;
  return SKP_OK;
}
