/* values.c: what a run keeps of the store, on the host. SPDX-License-Identifier: MIT */
#include "train/session/values.h"
#include "base/finite.h"
#include "base/host.h"
#include <stdlib.h>
#include <string.h>

/* SKP_PORTS: no graph has it; what the store holds beside their ports is kept, too. */
static skp_port port_of(const char *name) {
  int port = 0;
  while (port < SKP_PORTS && strcmp(skp__ports[port].name, name) != 0) port++;
  return (skp_port)port;
}

bool skp__values_kept(const char *name) {
  const skp_port port = port_of(name);
  return port == SKP_PORTS || skp__ports[port].role != SKP_ROLE_GRAD;
}

/* The port of the weights of that role that checkpoints take has that name. */
static bool is_taken(const struct skp_session *s, const char *name, skp_role role) {
  return strcmp(name, skp__ports[skp__session_port(s, role)].name) == 0;
}

static bool is_weights(const struct skp_session *s, const char *name) {
  return is_taken(s, name, SKP_ROLE_PARAM) || is_taken(s, name, SKP_ROLE_STATE);
}

/* NULL: all that is kept. */
typedef bool (*filter)(const struct skp_session *s, const char *name);

static skp_status pull_buffer(struct skp_st_tensor *row, struct skp_session *s, struct skp_buffer *buffer,
                              const char *name, int64_t bytes) {
  void *data;
  SKP_TRY(skp__alloc(&data, (size_t)bytes, 1));
  *row = (struct skp_st_tensor){.dtype = "F32", .rank = 1, .dim = {bytes / 4}, .bytes = bytes, .data = data};
  SKP_TRY(skp__strdup(&row->name, name));
  return skp__backend_read_now(s->b, buffer, 0, data, bytes);
}

static skp_status pull_all(struct skp__values *v, struct skp_session *s, filter wanted) {
  struct skp_buffer *buffer;
  const char *name;
  int64_t bytes;
  size_t n = 0;
  while (skp__store_nth(s->store, n, &name, &bytes)) n++;
  SKP_TRY(skp__alloc(&v->holders, 1, sizeof *v->holders));
  atomic_init(v->holders, 1);
  SKP_TRY(skp__alloc(&v->at, n, sizeof *v->at));
  for (size_t i = 0; (buffer = skp__store_nth(s->store, i, &name, &bytes)); i++)
    if (wanted ? wanted(s, name) : skp__values_kept(name)) SKP_TRY(pull_buffer(&v->at[v->n++], s, buffer, name, bytes));
  return SKP_OK;
}

static skp_status pull(struct skp__values *out, struct skp_session *s, filter wanted) {
  *out = (struct skp__values){.n = 0};
  skp_status status = pull_all(out, s, wanted);
  if (status != SKP_OK) skp__values_free(out);
  return status;
}

skp_status skp__values_pull(struct skp__values *out, struct skp_session *s) { return pull(out, s, NULL); }

skp_status skp__values_pull_weights(struct skp__values *out, struct skp_session *s) { return pull(out, s, is_weights); }

const float *skp__values_weights(const struct skp__values *v, const struct skp_session *s, skp_role role) {
  for (size_t i = 0; i < v->n; i++)
    if (is_taken(s, v->at[i].name, role)) return v->at[i].data;
  return NULL;
}

skp_status skp__values_push(const struct skp__values *v, struct skp_session *s) {
  s->moved = true;
  for (size_t i = 0; i < v->n; i++) {
    struct skp_buffer *buffer;
    SKP_TRY(skp__store_buffer(s->store, &buffer, v->at[i].name, v->at[i].bytes));
    SKP_TRY(skp__backend_write_now(s->b, buffer, 0, v->at[i].data, v->at[i].bytes));
  }
  return SKP_OK;
}

/* The weight to which value `at` of a flat buffer belongs; all have the layout of the parameters or of the state. */
static const char *weight_at(const struct skp_graph *g, const char *buffer, int64_t at) {
  const skp_port port = port_of(buffer);
  const bool state = port == SKP_PORT_STATE || port == SKP_PORT_AVERAGE_STATE;
  const skp_role role = state ? SKP_ROLE_STATE : SKP_ROLE_PARAM;
  for (size_t i = 0; i < g->tensors.n; i++) {
    const struct skp_tensor *t = &g->tensors.at[i];
    const int64_t offset = at - t->offset;
    if (skp__is_weight(t) && t->role == role && offset >= 0 && offset < skp__shape_count(&t->shape)) return t->name;
  }
  return "no weight";
}

skp_status skp__values_check(const struct skp__values *v, const struct skp_model *m) {
  for (size_t i = 0; i < v->n; i++) {
    int64_t first, lost = skp__nonfinite(v->at[i].data, v->at[i].bytes / 4, &first);
    if (lost)
      return skp__fail(SKP_NUMERIC, "%lld value%s of %s became infinite or not numbers, the first of %s",
                       (long long)lost, lost == 1 ? "" : "s", v->at[i].name, weight_at(m->graph, v->at[i].name, first));
  }
  return SKP_OK;
}

void skp__values_share(struct skp__values *out, const struct skp__values *v) {
  *out = *v;
  atomic_fetch_add(v->holders, 1);
}

static void free_rows(struct skp__values *v) {
  for (size_t i = 0; i < v->n; i++) {
    free(v->at[i].name);
    free((void *)(uintptr_t)v->at[i].data);
  }
  free(v->at);
  free(v->holders);
}

void skp__values_free(struct skp__values *v) {
  if (!v->holders || atomic_fetch_sub(v->holders, 1) == 1) free_rows(v);
  *v = (struct skp__values){.n = 0};
}
