/* step.h: a model's step on the reference backend, for tests that look at losses and gradients.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_TESTS_STEP_H
#define SKP_TESTS_STEP_H

#include "base/random.h"
#include "model/model.h"
#include "plan/plan.h"
#include "test.h"

enum step_kind {
  STEP_EVAL = 0,
  STEP_LOSS = 1,
  STEP_GRADIENTS = 2,
  STEP_UPDATE = 4,
  STEP_FUSED = 8,
  STEP_FOLDED = 16,
  STEP_SHARED = 32 /* statistics */
};

struct step {
  struct skp_backend *b;
  struct skp_store *store;
  struct skp_plan *plan;
  const struct skp_graph *g;
};

/* models/NAME.lua with as many of 3 arguments as have a name. */
static inline struct skp_model *step_model_set(const char *name, const struct skp_setting *set) {
  const char *source = getenv("SKP_SOURCE_DIR");
  char path[1024];
  size_t n = 0;
  struct skp_model *m;
  while (n < 3 && set[n].name) n++;
  snprintf(path, sizeof path, "%s/models/%s.lua", source ? source : ".", name);
  ck_ok(skp__model_load(&m, path, set, n, 0, NULL));
  return m;
}

static inline struct skp_model *step_model(const char *name) {
  static const struct skp_setting none[3] = {{NULL, NULL}};
  return step_model_set(name, none);
}

/* A model from Lua text: `network` is the body of function(x). */
static inline struct skp_model *step_parse(const char *network) {
  char *text;
  struct skp_model *m;
  ck_ok(skp__format(&text, "return {input = {channels = 2, size = 6}, network = function(x) %s end}", network));
  ck_ok(skp__model_parse(&m, "test.lua", text, NULL, 0, 0, NULL));
  free(text);
  return m;
}

static inline struct skp_graph *step_graph(const struct skp_model *m, int64_t N, int kind) {
  struct skp_graph *g;
  ck_ok(skp__graph_instance(&g, m->graph, N, kind & STEP_GRADIENTS));
  if (kind & STEP_FOLDED) ck_ok(skp__fold(g));
  if (kind & STEP_FUSED) ck_ok(skp__fuse(g));
  if (kind & (STEP_LOSS | STEP_GRADIENTS | STEP_UPDATE)) ck_ok(skp__graph_add_loss(g, 0, false));
  if (kind & STEP_GRADIENTS) ck_ok(skp__graph_differentiate(g));
  if (kind & STEP_GRADIENTS && kind & STEP_FUSED) ck_ok(skp__fuse(g));
  if (kind & STEP_UPDATE) {
    struct skp_update update = {.clip_norm = (float)m->recipe.clip_norm, .average = m->recipe.ema > 0};
    ck_ok(skp__recipe_optimizer(&update.op, &update.attrs, &m->recipe));
    ck_ok(skp__graph_add_update(g, &update));
  }
  if (kind & STEP_SHARED) ck_ok(skp__share_statistics(g));
  return g;
}

static inline struct step step_create(const struct skp_model *m, int64_t N, int kind) {
  struct step s;
  ck_ok(skp__backend_open(&s.b, &(struct skp_backend_options){.backend = "reference"}));
  ck_ok(skp__store_create(&s.store, s.b));
  ck_ok(skp__plan_create(&s.plan, step_graph(m, N, kind), s.b, s.store));
  s.g = skp__plan_graph(s.plan);
  return s;
}

static inline void step_destroy(struct step *s) {
  skp__plan_destroy(s->plan);
  skp__store_destroy(s->store);
  skp__backend_close(s->b);
}

static inline int64_t step_count(const struct step *s, skp_value v) {
  return skp__shape_count(&s->g->tensors.at[v].shape);
}

/* free() it. */
static inline float *step_read(const struct step *s, skp_value v) {
  float *data;
  ck_ok(skp__alloc(&data, (size_t)step_count(s, v), 4));
  ck_ok(skp__backend_read_now(s->b, skp__plan_buffer(s->plan, v), 0, data, 4 * step_count(s, v)));
  return data;
}

static inline void step_write(const struct step *s, skp_value v, const void *data) {
  ck_ok(skp__backend_write_now(s->b, skp__plan_buffer(s->plan, v), 0, data, 4 * step_count(s, v)));
}

/* Writes the model's first params and state, random images and labels. */
static inline void step_fill(const struct step *s, const struct skp_model *m, uint64_t seed) {
  float *params = step_read(s, s->g->params), *state = s->g->state == SKP_NONE ? NULL : step_read(s, s->g->state);
  skp__model_init(m->graph, params, state, seed);
  step_write(s, s->g->params, params);
  if (state) step_write(s, s->g->state, state);
  struct skp__random r = skp__random_start(seed, 1);
  float *x = step_read(s, s->g->input);
  for (int64_t i = 0; i < step_count(s, s->g->input); i++) x[i] = (float)skp__random_uniform(&r);
  step_write(s, s->g->input, x);
  if (s->g->key != SKP_NONE) step_write(s, s->g->key, (int32_t[]){(int32_t)seed, 1});
  if (s->g->labels != SKP_NONE) {
    int32_t *labels = (int32_t *)step_read(s, s->g->labels);
    for (int64_t i = 0; i < step_count(s, s->g->labels); i++)
      labels[i] = (int32_t)skp__random_below(&r, (uint32_t)m->recipe.classes);
    step_write(s, s->g->labels, labels);
    free(labels);
  }
  free(params);
  free(state);
  free(x);
}

static inline double step_run(const struct step *s) {
  ck_ok(skp__plan_run(s->plan));
  float *loss = step_read(s, s->g->loss);
  double value = *loss;
  free(loss);
  return value;
}

#endif
