/* parameter.c: single weights by name. SPDX-License-Identifier: MIT */
#include "api/api.h"

static const struct skp_graph *graph_of(const skp_session *session) { return session->model->m->graph; }

static const struct skp_tensor *nth(const skp_session *session, size_t n) {
  const struct skp_graph *g = graph_of(session);
  for (size_t i = 0; i < g->tensors.n; i++)
    if (skp__is_weight(&g->tensors.at[i]) && n-- == 0) return &g->tensors.at[i];
  return NULL;
}

static skp_status find(const skp_session *session, const char *name, const struct skp_tensor **out) {
  const struct skp_graph *g = graph_of(session);
  skp_value v = skp__graph_find(g, SKP_ROLE_PARAM, name);
  if (v == SKP_NONE) v = skp__graph_find(g, SKP_ROLE_STATE, name);
  *out = v == SKP_NONE ? NULL : &g->tensors.at[v];
  if (*out && skp__is_weight(*out)) return SKP_OK;
  const struct skp_tensor *first = nth(session, 0);
  return skp__fail(SKP_USAGE, "%s has no parameter \"%s\"; the first is %s.", session->model->m->name, name,
                   first ? first->name : "none");
}

static skp_parameter describe(const struct skp_tensor *t) {
  skp_parameter p = {.name = t->name, .count = skp__shape_count(&t->shape), .trained = skp__is_parameter(t)};
  p.rank = skp__param_file_shape(t, p.dim);
  return p;
}

size_t skp_parameter_count(const skp_session *session) {
  size_t n = 0;
  while (nth(session, n)) n++;
  return n;
}

skp_status skp_parameter_describe(const skp_session *session, size_t i, skp_parameter *out) {
  const struct skp_tensor *t = nth(session, i);
  if (!t) return skp__fail(SKP_USAGE, "There is no parameter %zu; they count from 0.", i);
  *out = describe(t);
  return SKP_OK;
}

skp_status skp_parameter_find(const skp_session *session, const char *name, skp_parameter *out) {
  const struct skp_tensor *t;
  SKP_TRY(find(session, name, &t));
  *out = describe(t);
  return SKP_OK;
}

static skp_status find_of(const skp_session *session, const char *name, int64_t count, const struct skp_tensor **out) {
  SKP_TRY(find(session, name, out));
  const int64_t own = skp__shape_count(&(*out)->shape);
  if (count == own) return SKP_OK;
  return skp__fail(SKP_SHAPE, "%s has %lld values, not %lld.", name, (long long)own, (long long)count);
}

skp_status skp_parameter_read(skp_session *session, const char *name, float *values, int64_t count) {
  const struct skp_tensor *t;
  SKP_TRY(find_of(session, name, count, &t));
  return skp__session_read(session->s, t, values);
}

skp_status skp_parameter_write(skp_session *session, const char *name, const float *values, int64_t count) {
  const struct skp_tensor *t;
  SKP_TRY(find_of(session, name, count, &t));
  return skp__session_write(session->s, t, values);
}
