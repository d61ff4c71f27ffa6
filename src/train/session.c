/* session.c: a model's values on a backend, and the plans that work on them. SPDX-License-Identifier: MIT */
#include "train/session.h"
#include "base/random.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char average_params[] = "average", average_state[] = "average_state"; /* names of graph/step.c */

/* ---- the graphs of a step --------------------------------------------------------------------------------------- */

/* The host reads the logits after the step: neither they nor what they are a view of may be overwritten in it. */
static void keep_logits(struct skp_graph *g) {
  g->tensors.at[g->logits].role = SKP_ROLE_RESULT;
  g->tensors.at[skp__graph_root(g, g->logits)].role = SKP_ROLE_RESULT;
}

static skp_status add_update(struct skp_graph *g, const struct skp_recipe *r) {
  struct skp_update update = {.clip_norm = (float)r->clip_norm, .average = r->ema > 0};
  SKP_TRY(skp__recipe_optimizer(&update.op, &update.attrs, r));
  return skp__graph_add_update(g, &update);
}

static skp_status complete(struct skp_graph *g, const struct skp_recipe *r, skp_step step) {
  if (step != SKP_STEP_EVAL) SKP_TRY(skp__recipe_select(g, r));
  if (step == SKP_STEP_UPDATE) return add_update(g, r);
  SKP_TRY(skp__fuse(g));
  if (step == SKP_STEP_EVAL) {
    keep_logits(g);
    return SKP_OK;
  }
  const struct skp_augment augment = skp__recipe_augment(r);
  SKP_TRY(skp__graph_add_loss(g, (float)r->label_smoothing, skp__augment_mixes(&augment)));
  SKP_TRY(skp__graph_differentiate(g));
  return step == SKP_STEP_PART ? skp__graph_add_sums(g) : add_update(g, r);
}

skp_status skp__step_graph(struct skp_graph **out, const struct skp_model *m, int64_t N, skp_step step) {
  SKP_TRY(step == SKP_STEP_UPDATE ? skp__graph_flat(out, m->graph)
                                  : skp__graph_instance(out, m->graph, N, step != SKP_STEP_EVAL));
  skp_status status = complete(*out, &m->recipe, step);
  if (status != SKP_OK) {
    skp__graph_destroy(*out);
    *out = NULL;
  }
  return status;
}

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

/* Lets an evaluation work on the averages that the update keeps. */
static skp_status use_averages(struct skp_graph *g) {
  const struct {
    skp_value value;
    const char *name;
  } flat[] = {{g->params, average_params}, {g->state, average_state}};
  for (int i = 0; i < 2; i++) {
    char *name;
    if (flat[i].value == SKP_NONE) continue;
    SKP_TRY(skp__strdup(&name, flat[i].name));
    free(g->tensors.at[flat[i].value].name);
    g->tensors.at[flat[i].value].name = name;
  }
  return SKP_OK;
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

static skp_status create_plan(struct skp_session *s, struct skp_plan **out, const struct skp__session_plan *p) {
  struct skp_graph *g;
  SKP_TRY(skp__step_graph(&g, s->model, p->N, p->step));
  skp_status status = p->averaged ? use_averages(g) : SKP_OK;
  if (status == SKP_OK) return skp__plan_create(out, g, s->b, s->store);
  skp__graph_destroy(g);
  return status;
}

skp_status skp__session_plan(struct skp_session *s, struct skp_plan **out, int64_t N, skp_step step) {
  struct skp__session_plan made = {.N = N, .step = step, .averaged = s->averaged && step == SKP_STEP_EVAL};
  for (size_t i = 0; i < s->plans.n; i++) {
    const struct skp__session_plan *p = &s->plans.at[i];
    if (p->N != N || p->step != step || p->averaged != made.averaged) continue;
    *out = p->plan;
    return SKP_OK;
  }
  struct skp_plan *plan;
  skp_status status = create_plan(s, &plan, &made);
  if (status == SKP_DEVICE_MEMORY || status == SKP_MEMORY) return skp__session_fail_memory(s, status, N, step);
  SKP_TRY(status);
  status = write_factors(s, plan);
  if (status == SKP_OK) status = SKP_GROW(&s->plans);
  if (status != SKP_OK) {
    skp__plan_destroy(plan);
    return status;
  }
  made.plan = *out = plan;
  s->plans.at[s->plans.n - 1] = made;
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
  if (s->params_n) SKP_TRY(skp__backend_write_now(s->b, s->params, 0, params, 4 * s->params_n));
  return s->state_n ? skp__backend_write_now(s->b, s->state, 0, state, 4 * s->state_n) : SKP_OK;
}

static skp_status pull(struct skp_session *s, float **out, struct skp_buffer *buffer, int64_t n) {
  SKP_TRY(skp__alloc(out, (size_t)n, sizeof **out));
  return n ? skp__backend_read_now(s->b, buffer, 0, *out, 4 * n) : SKP_OK;
}

/* The store's average of n values if it is in use, else `raw`. */
static skp_status in_use(struct skp_session *s, struct skp_buffer **out, struct skp_buffer *raw, const char *average,
                         int64_t n) {
  *out = raw;
  return s->averaged && n ? skp__store_buffer(s->store, out, average, 4 * n) : SKP_OK;
}

skp_status skp__session_pull(struct skp_session *s, float **params, float **state) {
  struct skp_buffer *p, *t;
  *params = *state = NULL;
  SKP_TRY(in_use(s, &p, s->params, average_params, s->params_n));
  SKP_TRY(in_use(s, &t, s->state, average_state, s->state_n));
  skp_status status = pull(s, params, p, s->params_n);
  if (status == SKP_OK) status = pull(s, state, t, s->state_n);
  if (status != SKP_OK) {
    free(*params);
    free(*state);
    *params = *state = NULL;
  }
  return status;
}

/* Where a weight's values are, and from which byte on. */
static skp_status find_weight(struct skp_session *s, struct skp_buffer **out, int64_t *at, const struct skp_tensor *t) {
  *at = 4 * t->offset;
  return t->role == SKP_ROLE_PARAM ? in_use(s, out, s->params, average_params, s->params_n)
                                   : in_use(s, out, s->state, average_state, s->state_n);
}

skp_status skp__session_read(struct skp_session *s, const struct skp_tensor *t, float *file) {
  const int64_t n = skp__shape_count(&t->shape);
  struct skp_buffer *buffer;
  int64_t at;
  float *memory;
  SKP_TRY(find_weight(s, &buffer, &at, t));
  SKP_TRY(skp__alloc(&memory, (size_t)n, sizeof *memory));
  skp_status status = skp__backend_read_now(s->b, buffer, at, memory, 4 * n);
  if (status == SKP_OK) skp__param_to_file(file, memory, t);
  free(memory);
  return status;
}

skp_status skp__session_write(struct skp_session *s, const struct skp_tensor *t, const float *file) {
  const int64_t n = skp__shape_count(&t->shape);
  struct skp_buffer *buffer;
  int64_t at;
  float *memory;
  SKP_TRY(find_weight(s, &buffer, &at, t));
  SKP_TRY(skp__alloc(&memory, (size_t)n, sizeof *memory));
  skp__param_from_file(memory, file, t);
  skp_status status = skp__backend_write_now(s->b, buffer, at, memory, 4 * n);
  free(memory);
  return status;
}

/* The ops hold beta1 and beta2 as floats: 1 - beta^t must be that of the same numbers,
 * or every step is off by the difference. */
void skp__session_hyper(float hyper[4], const struct skp_recipe *recipe, double lr, int64_t t) {
  float beta1 = (float)recipe->beta1, beta2 = (float)recipe->beta2;
  hyper[0] = (float)lr;
  hyper[1] = (float)(1 - pow((double)beta1, (double)t));
  hyper[2] = (float)(1 - pow((double)beta2, (double)t));
  hyper[3] = (float)skp__session_share(recipe, t);
}

double skp__session_share(const struct skp_recipe *recipe, int64_t t) {
  return 1 - fmin(recipe->ema, ((double)t - 1) / ((double)t + 8));
}

skp_status skp__session_draw(struct skp_session *s, struct skp_plan *p, int32_t draw[2], uint64_t seed, int64_t batch) {
  const uint64_t dropout = 0x64726f706f7574; /* a stream of its own among the run's random numbers */
  const skp_value v = skp__plan_graph(p)->draw;
  if (v == SKP_NONE) return SKP_OK;
  const uint64_t bits = skp__random_bits(seed, dropout, (uint64_t)batch);
  draw[0] = (int32_t)(uint32_t)bits;
  draw[1] = (int32_t)(uint32_t)(bits >> 32);
  return s->b->ops->write(s->b, skp__plan_buffer(p, v), 0, draw, 8);
}

skp_status skp__session_feed(struct skp_session *s, struct skp_plan *p, const struct skp_batch *batch, int64_t first) {
  const struct skp_graph *g = skp__plan_graph(p);
  const int64_t values = count(g, g->input), n = g->tensors.at[g->input].shape.dim[0];
  int classes = s->model->recipe.classes, least = g->labels == SKP_NONE ? -1 : 0;
  for (int64_t i = first; i < first + n; i++)
    if (batch->labels[i] < least || batch->labels[i] >= classes)
      return skp__fail(SKP_FORMAT, "Image %lld of batch %lld has the label %d; the network knows 0 to %d.",
                       (long long)i, (long long)batch->index, (int)batch->labels[i], classes - 1);
  SKP_TRY(s->b->ops->write(s->b, skp__plan_buffer(p, g->input), 0, batch->x + values / n * first, 4 * values));
  if (g->other != SKP_NONE) {
    SKP_TRY(s->b->ops->write(s->b, skp__plan_buffer(p, g->other), 0, batch->other + first, 4 * n));
    SKP_TRY(s->b->ops->write(s->b, skp__plan_buffer(p, g->share), 0, batch->share + first, 4 * n));
  }
  if (g->labels == SKP_NONE) return SKP_OK;
  return s->b->ops->write(s->b, skp__plan_buffer(p, g->labels), 0, batch->labels + first, 4 * n);
}

void skp__session_loading(struct skp_loader_options *o, const struct skp_recipe *r, bool training) {
  o->size = r->size;
  o->resize = (int)r->resize;
  o->channels = r->channels;
  o->n_norm = skp__recipe_norm(r, o->mean, o->std);
  o->stand_in = training;
  o->balanced = training && r->balanced;
  o->augment = training ? skp__recipe_augment(r) : (struct skp_augment){.views = (int)r->test_views};
}

skp_status skp__session_settle(struct skp_session *s, skp_status status) {
  if (status == SKP_OK) return SKP_OK;
  char *text = strdup(skp_error_message());
  skp__backend_finish(s->b);
  if (text) skp__fail(status, "%s", text);
  free(text);
  return status;
}
