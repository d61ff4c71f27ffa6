/* position.c: where a run stands, and how its state says so. SPDX-License-Identifier: MIT */
#include "train/checkpoint/position.h"
#include "base/bounds.h"
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
  return skp__whole(out, skp__json_number_of(from, name, -1), 0, SKP_JSON_EXACT);
}

static bool read_COUNT(int64_t *out, const cJSON *from, const char *name) {
  return skp__whole(out, skp__json_number_of(from, name, 0), 0, SKP_JSON_EXACT);
}

static bool is_unsaid(const cJSON *from, const char *name) { return !cJSON_GetObjectItemCaseSensitive(from, name); }

static bool read_REAL(double *out, const cJSON *from, const char *name) {
  if (is_unsaid(from, name)) return true;
  *out = skp__json_number_of(from, name, NAN);
  return isfinite(*out);
}

static bool read_AMOUNT(double *out, const cJSON *from, const char *name) {
  return read_REAL(out, from, name) && *out >= 0;
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

double skp__position_lr(int64_t cuts) { return exp2(-(double)cuts); }

/* What a run may have counted on its way there. */
static bool counts_fit(const struct skp__position *at) {
  return at->in_a_row <= at->skipped && at->skipped <= at->step && at->lost <= at->images &&
         at->cuts <= at->rollbacks && at->rollbacks <= SKP_ROLLBACKS;
}

bool skp__position_fits(const struct skp__position *at, int64_t steps, int64_t batch, int64_t images) {
  if (at->epoch_steps > steps || at->epoch > at->step / steps) return false; /* from here on no product overflows */
  const int64_t done = at->epoch_steps * batch;
  return at->step == at->epoch * steps + at->epoch_steps && at->best_epoch <= at->epoch &&
         at->images == (done < images ? done : images) && counts_fit(at);
}

skp_status skp__resume_finished(const struct skp_resume *r, const struct skp_recipe *recipe, int64_t max_steps,
                                int64_t *steps) {
  struct skp__position at;
  SKP_TRY(skp__resume_position(&at, r));
  *steps = at.finished && skp__position_complete(&at, recipe, max_steps) ? at.step : -1;
  return SKP_OK;
}
