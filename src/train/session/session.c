/* session.c: a model's values on a backend, and the plans that work on them. SPDX-License-Identifier: MIT */
#include "train/session/session.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the session ------------------------------------------------------------------------------------------------ */

static int64_t count(const struct skp_graph *g, skp_value v) {
  return v == SKP_NONE ? 0 : skp__shape_count(&g->tensors.at[v].shape);
}

static skp_status open_session(struct skp_session *s) {
  const struct skp_graph *g = s->model->graph;
  s->params_n = count(g, g->params);
  s->state_n = count(g, g->state);
  SKP_TRY(skp__store_create(&s->store, s->b));
  if (s->params_n) SKP_TRY(skp__store_buffer(s->store, &s->params, g->tensors.at[g->params].name, 4 * s->params_n));
  if (s->state_n) SKP_TRY(skp__store_buffer(s->store, &s->state, g->tensors.at[g->state].name, 4 * s->state_n));
  return SKP_OK;
}

skp_status skp__session_create(struct skp_session **out, const struct skp_model *m, struct skp_backend *b) {
  *out = NULL;
  struct skp_session *s;
  SKP_TRY(skp__alloc(&s, 1, sizeof *s));
  s->model = m;
  s->b = b;
  s->moved = true;
  skp_status status = open_session(s);
  if (status == SKP_DEVICE_MEMORY) status = skp__session_fail_weights(s, status);
  if (status == SKP_OK)
    *out = s;
  else
    skp__session_destroy(s);
  return status;
}

void skp__session_forget_plans(struct skp_session *s) {
  for (size_t i = 0; i < s->plans.n; i++) skp__plan_destroy(s->plans.at[i].plan);
  SKP_FREE(&s->plans);
}

void skp__session_destroy(struct skp_session *s) {
  if (!s) return;
  skp__session_forget_plans(s);
  skp__store_destroy(s->store);
  free(s);
}

/* Factors stay what they are as long as the plan is there. */
static skp_status write_factors(struct skp_session *s, struct skp_plan *plan) {
  const struct skp_graph *g = skp__plan_graph(plan);
  int64_t n = count(g, g->factors);
  float *factors;
  if (!n) return SKP_OK;
  SKP_TRY(skp__alloc(&factors, (size_t)n, sizeof *factors));
  skp__graph_factors(g, factors);
  skp_status status = skp__backend_write_now(s->b, skp__plan_buffer(plan, g->factors), 0, factors, 4 * n);
  free(factors);
  return status;
}

/* So does what bytes of images are. */
static skp_status write_levels(struct skp_session *s, struct skp_plan *plan) {
  const struct skp_graph *g = skp__plan_graph(plan);
  const int64_t values = count(g, g->levels);
  float mean[4], std[4], (*levels)[SKP_BYTE_LEVELS];
  if (!values) return SKP_OK;
  SKP_TRY(skp__alloc(&levels, (size_t)(values / SKP_BYTE_LEVELS), sizeof *levels));
  const int n = skp__recipe_norm(&s->model->recipe, mean, std);
  skp__normalising(levels, (int)(values / SKP_BYTE_LEVELS), mean, std, n);
  skp_status status = skp__backend_write_now(s->b, skp__plan_buffer(plan, g->levels), 0, levels, 4 * values);
  free(levels);
  return status;
}

static skp_status create_plan(struct skp_session *s, struct skp_plan **out, const struct skp__variant *of) {
  struct skp_graph *g;
  SKP_TRY(skp__step_graph(&g, s->model, of));
  return skp__plan_create(out, g, s->b, s->store);
}

static bool same(const struct skp__variant *a, const struct skp__variant *b) {
  return a->step == b->step && a->N == b->N && a->bytes == b->bytes && a->averaged == b->averaged &&
         a->synced == b->synced;
}

skp_status skp__session_plan(struct skp_session *s, struct skp_plan **out, const struct skp__variant *of) {
  for (size_t i = 0; i < s->plans.n; i++) {
    if (!same(&s->plans.at[i].of, of)) continue;
    *out = s->plans.at[i].plan;
    return SKP_OK;
  }
  struct skp_plan *plan;
  skp_status status = create_plan(s, &plan, of);
  if (status == SKP_DEVICE_MEMORY || status == SKP_MEMORY) return skp__session_fail_memory(s, status, of);
  SKP_TRY(status);
  status = write_factors(s, plan);
  if (status == SKP_OK) status = write_levels(s, plan);
  if (status == SKP_OK) status = SKP_GROW(&s->plans);
  if (status != SKP_OK) {
    skp__plan_destroy(plan);
    return status;
  }
  *out = plan;
  s->plans.at[s->plans.n - 1] = (struct skp__session_plan){*of, plan};
  return SKP_OK;
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

skp_status skp__session_init(struct skp_session *s, uint64_t seed) {
  float *params, *state;
  SKP_TRY(skp__alloc(&params, (size_t)s->params_n, sizeof *params));
  skp_status status = skp__alloc(&state, (size_t)s->state_n, sizeof *state);
  if (status == SKP_OK) {
    skp__model_init(s->model->graph, params, state, seed);
    status = skp__session_push(s, params, state);
  }
  free(params);
  free(state);
  return status;
}

skp_status skp__session_push(struct skp_session *s, const float *params, const float *state) {
  s->averaged = false;
  s->moved = true;
  if (s->params_n) SKP_TRY(skp__backend_write_now(s->b, s->params, 0, params, 4 * s->params_n));
  return s->state_n ? skp__backend_write_now(s->b, s->state, 0, state, 4 * s->state_n) : SKP_OK;
}

static skp_status pull(struct skp_session *s, float **out, struct skp_buffer *buffer, int64_t n) {
  SKP_TRY(skp__alloc(out, (size_t)n, sizeof **out));
  return n ? skp__backend_read_now(s->b, buffer, 0, *out, 4 * n) : SKP_OK;
}

/* Nothing is broken, and the trial of the state is the state. */
skp_status skp__session_begin(struct skp_session *s) {
  static const float sound;
  struct skp_buffer *broken, *trial;
  float *state;
  if (!s->moved) return SKP_OK;
  SKP_TRY(skp__store_buffer(s->store, &broken, skp__ports[SKP_PORT_BROKEN].name, sizeof sound));
  SKP_TRY(skp__backend_write_now(s->b, broken, 0, &sound, sizeof sound));
  s->moved = false;
  if (!s->state_n) return SKP_OK;
  SKP_TRY(skp__store_buffer(s->store, &trial, skp__ports[SKP_PORT_STATE_TRIAL].name, 4 * s->state_n));
  skp_status status = pull(s, &state, s->state, s->state_n);
  if (status == SKP_OK) status = skp__backend_write_now(s->b, trial, 0, state, 4 * s->state_n);
  free(state);
  return status;
}

skp_port skp__session_port(const struct skp_session *s, skp_role role) {
  if (role == SKP_ROLE_PARAM) return s->averaged ? SKP_PORT_AVERAGE : SKP_PORT_PARAMS;
  return s->averaged ? SKP_PORT_AVERAGE_STATE : SKP_PORT_STATE;
}

/* NULL: the model has none. */
static skp_status in_use(struct skp_session *s, struct skp_buffer **out, skp_role role) {
  const int64_t n = role == SKP_ROLE_PARAM ? s->params_n : s->state_n;
  *out = NULL;
  return n ? skp__store_buffer(s->store, out, skp__ports[skp__session_port(s, role)].name, 4 * n) : SKP_OK;
}

skp_status skp__session_pull(struct skp_session *s, float **params, float **state) {
  struct skp_buffer *p, *t;
  *params = *state = NULL;
  SKP_TRY(in_use(s, &p, SKP_ROLE_PARAM));
  SKP_TRY(in_use(s, &t, SKP_ROLE_STATE));
  skp_status status = pull(s, params, p, s->params_n);
  if (status == SKP_OK) status = pull(s, state, t, s->state_n);
  if (status != SKP_OK) {
    free(*params);
    free(*state);
    *params = *state = NULL;
  }
  return status;
}

/* A weight's values as the device has them. */
struct place {
  struct skp_buffer *buffer;
  int64_t at, n;
  float *memory; /* [n], on the host; free() it */
};

static skp_status open_place(struct place *p, struct skp_session *s, const struct skp_tensor *t) {
  *p = (struct place){.at = 4 * t->offset, .n = skp__shape_count(&t->shape)};
  SKP_TRY(in_use(s, &p->buffer, t->role));
  return skp__alloc(&p->memory, (size_t)p->n, sizeof *p->memory);
}

skp_status skp__session_read(struct skp_session *s, const struct skp_tensor *t, float *file) {
  struct place p;
  SKP_TRY(open_place(&p, s, t));
  skp_status status = skp__backend_read_now(s->b, p.buffer, p.at, p.memory, 4 * p.n);
  if (status == SKP_OK) skp__param_to_file(file, p.memory, t);
  free(p.memory);
  return status;
}

skp_status skp__session_write(struct skp_session *s, const struct skp_tensor *t, const float *file) {
  struct place p;
  SKP_TRY(open_place(&p, s, t));
  skp__param_from_file(p.memory, file, t);
  s->moved = true;
  skp_status status = skp__backend_write_now(s->b, p.buffer, p.at, p.memory, 4 * p.n);
  free(p.memory);
  return status;
}

/* How far a running average moves to the weights after step t: all the way at first, so that it needs no start, and
 * later 1 - ema. */
static double ema_rate(const struct skp_recipe *recipe, int64_t t) {
  return 1 - fmin(recipe->ema, ((double)t - 1) / ((double)t + 8));
}

/* The ops hold beta1 and beta2 as floats: 1 - beta^t must be that of the same numbers, or every step is off by the
 * difference. */
static float rest(double beta, int64_t t) { return (float)(1 - pow((double)(float)beta, (double)t)); }

struct skp_hyper skp__session_hyper(const struct skp_recipe *recipe, double lr, int64_t t) {
  return (struct skp_hyper){.lr = (float)lr,
                            .rest_1 = rest(recipe->beta1, t),
                            .rest_2 = rest(recipe->beta2, t),
                            .ema_rate = (float)ema_rate(recipe, t)};
}

static struct skp_augment augment(const struct skp_recipe *r, bool training) {
  return training ? skp__recipe_augment(r) : (struct skp_augment){.views = (int)r->test_views};
}

bool skp__session_bytes(const struct skp_recipe *r, const struct skp_source *source, bool training) {
  const struct skp_augment a = augment(r, training);
  return !source->floats && skp__augment_keeps_bytes(&a);
}

void skp__session_loading(struct skp_loader_options *o, const struct skp_recipe *r, const struct skp_source *source,
                          bool training) {
  o->size = r->size;
  o->resize = (int)r->resize;
  o->channels = r->channels;
  o->n_norm = skp__recipe_norm(r, o->mean, o->std);
  o->stand_in = training;
  o->balanced = training && r->balanced;
  o->augment = augment(r, training);
  o->bytes = skp__session_bytes(r, source, training);
}

skp_status skp__session_settle(struct skp_session *s, skp_status status) {
  if (status == SKP_OK) return SKP_OK;
  char *kept = skp__error_keep();
  skp__backend_finish(s->b);
  return skp__error_restore(status, kept);
}
