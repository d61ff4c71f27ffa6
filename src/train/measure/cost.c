/* cost.c: see cost.h. SPDX-License-Identifier: MIT */
#include "train/measure/cost.h"
#include "train/session/micro_batch.h"

/* Of which network, and where. */
struct question {
  const struct skp_model *m;
  struct skp_backend *b;
  int64_t memory, most; /* bytes there are; those of one buffer */
};

static skp_status measure_step(struct skp_plan_needs *out, const struct question *q, int64_t images, skp_step step) {
  const struct skp_augment augment = skp__recipe_augment(&q->m->recipe);
  const bool bytes = step == SKP_STEP_EVAL || skp__augment_keeps_bytes(&augment);
  const struct skp__variant of = {step, images, .bytes = bytes && step != SKP_STEP_UPDATE};
  struct skp_graph *g;
  SKP_TRY(skp__step_graph(&g, q->m, &of));
  return skp__plan_measure(out, g, q->b);
}

/* What the plans of one step need together: what the store holds is theirs in common. */
static void join(struct skp_plan_needs *n, const struct skp_plan_needs *other, double times) {
  n->flops += times * other->flops;
  n->total = 0;
  if (other->largest > n->largest) n->largest = other->largest;
  for (int role = 0; role < SKP_ROLES; role++) {
    bool own = role == SKP_ROLE_ACTIVATION || role == SKP_ROLE_INPUT || role == SKP_ROLE_RESULT;
    if (own || other->of_role[role] > n->of_role[role])
      n->of_role[role] = (own ? n->of_role[role] : 0) + other->of_role[role];
    n->total += n->of_role[role];
  }
}

/* A step in micro-batches: train/micro_batch.h. */
static skp_status measure_micro(struct skp_plan_needs *out, const struct question *q, const struct skp__micro *micro) {
  struct skp_plan_needs other;
  int64_t size = skp__micro_size(micro), rest = micro->batch % size;
  *out = (struct skp_plan_needs){.total = 0};
  SKP_TRY(measure_step(&other, q, size, SKP_STEP_MICRO));
  join(out, &other, (double)(micro->batch / size));
  if (rest) SKP_TRY(measure_step(&other, q, rest, SKP_STEP_MICRO));
  if (rest) join(out, &other, 1);
  SKP_TRY(measure_step(&other, q, 1, SKP_STEP_UPDATE));
  join(out, &other, 1);
  return SKP_OK;
}

static skp_status measure_mode(struct skp_plan_needs *out, const struct question *q, int64_t batch, int mode) {
  struct skp__micro micro;
  if (mode == SKP__COST_EVALUATION) return measure_step(out, q, batch, SKP_STEP_EVAL);
  SKP_TRY(skp__micro_plan(&micro, q->m, INT64_MAX, NULL, NULL)); /* all batches are full */
  micro.images = micro.batch = batch;                            /* the one in question, not the recipe's */
  return micro.most == 1 ? measure_step(out, q, batch, SKP_STEP_TRAIN) : measure_micro(out, q, &micro);
}

/* Whether it says that a batch is too large. */
static bool about_size(skp_status status) {
  return status == SKP_SHAPE || status == SKP_DEVICE_MEMORY || status == SKP_UNSUPPORTED;
}

/* A run that trains holds the plan for evaluation too; the weights are there once. */
static int64_t all_bytes(const struct skp__cost c[SKP__COSTS], int mode) {
  const struct skp_plan_needs *eval = &c[SKP__COST_EVALUATION].needs;
  if (mode == SKP__COST_EVALUATION) return eval->total;
  return c[mode].needs.total + eval->total - eval->of_role[SKP_ROLE_PARAM] - eval->of_role[SKP_ROLE_STATE];
}

static skp_status measure(struct skp__cost out[SKP__COSTS], const struct question *q, int64_t batch) {
  for (int mode = 0; mode < SKP__COSTS; mode++) {
    struct skp__cost *c = &out[mode];
    *c = (struct skp__cost){.status = measure_mode(&c->needs, q, batch, mode), .needs = c->needs};
    if (!about_size(c->status)) SKP_TRY(c->status);
    c->all = all_bytes(out, mode);
    c->fits = c->status == SKP_OK && out[SKP__COST_EVALUATION].status == SKP_OK && c->all <= q->memory &&
              c->needs.largest <= q->most;
  }
  return SKP_OK;
}

/* The largest batch that fits where `batch` does not; 0: none does. */
static skp_status find_largest(int64_t *out, const struct question *q, int64_t batch, int mode) {
  struct skp__cost c[SKP__COSTS] = {{.fits = false}};
  *out = 0;
  for (int64_t too_large = batch; too_large - *out > 1;) {
    int64_t middle = *out + (too_large - *out) / 2;
    SKP_TRY(measure(c, q, middle));
    if (c[mode].fits)
      *out = middle;
    else
      too_large = middle;
  }
  return SKP_OK;
}

skp_status skp__cost_measure(struct skp__cost out[SKP__COSTS], const struct skp_model *m, struct skp_backend *b,
                             int64_t batch) {
  struct question q = {.m = m, .b = b, .memory = INT64_MAX, .most = INT64_MAX};
  struct skp_backend_info device;
  if (b) {
    b->ops->info(b, &device);
    q.memory = device.memory;
    q.most = device.max_allocation;
  }
  SKP_TRY(measure(out, &q, batch));
  for (int mode = 0; mode < SKP__COSTS; mode++)
    if (!out[mode].fits && b) SKP_TRY(find_largest(&out[mode].largest_batch, &q, batch, mode));
  return SKP_OK;
}
