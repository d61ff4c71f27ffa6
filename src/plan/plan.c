/* plan.c: a graph made ready on a backend: methods chosen, memory laid out, buffers bound. SPDX-License-Identifier: MIT
 *
 *   prune ─> choose types (precision.c) ─> prepare every node ─> join sums (parts.c) ─> ask workspaces ─> lay out
 * memory ─> create arenas and slices ─> bind ─> run the list
 *
 * Where a value's buffer comes from, by its role: params, state, grads and moments from the store (shared by the plans
 * of a network); inputs and results are buffers of their own; activations are slices of
 * the arenas; a value with a base is a slice of it. */
#include "plan/plan.h"
#include "base/host.h"
#include "base/progress.h"
#include "plan/methods.h"
#include <stdlib.h>
#include <string.h>

enum { WAITING = 64 }; /* of the device's memory, what parts of sums may take until they are added */

struct skp_plan {
  struct skp_graph *g;
  struct skp_backend *b;
  struct skp_memory memory;
  struct skp_buffer *arena[SKP_ARENAS];
  struct skp_buffer **value;     /* [tensor]; NULL: unused */
  bool *borrowed;                /* [tensor]: the store's, or another value's */
  struct skp_buffer **workspace; /* [node]; NULL: none */
  struct skp_prepared **node;    /* [node]; NULL: a view, nothing to run */
  struct skp_prepared **list;    /* those of them that run */
  size_t ops;
  skp__after_node after; /* NULL: none is told */
  void *user;            /* of `after` */
};

/* ---- errors ----------------------------------------------------------------------------------------------------- */

static void add_shapes(char *text, size_t size, const struct skp_shape *shape, int n, const char *names) {
  for (int i = 0; i < n; i++) {
    char one[96];
    if (!shape[i].rank) continue;
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s", used && names[0] ? names : "",
             skp__shape_text(one, sizeof one, &shape[i]));
    names = ", ";
  }
}

/* Puts in front: "node 3, conv2d of block_1.0, 64×28×28×1, 1×1×1×4 -> 64×28×28×4". */
static skp_status fail_at(skp_status status, const struct skp_plan *p, size_t n) {
  const struct skp_node *node = &p->g->nodes.at[n];
  struct skp_sig sig = skp__graph_sig(p->g, node);
  char text[768] = "";
  add_shapes(text, sizeof text, sig.in, node->n_in, "");
  add_shapes(text, sizeof text, sig.out, node->n_out, " -> ");
  return skp__fail_in(status, "node %zu, %s of %s, %s", n, node->op->name, *node->scope ? node->scope : "the network",
                      text);
}

/* ---- preparing -------------------------------------------------------------------------------------------------- */

static skp_status expect(struct skp_plan *p) {
  struct skp_sig *sigs;
  size_t n = 0;
  SKP_TRY(skp__alloc(&sigs, p->g->nodes.n, sizeof *sigs));
  for (size_t i = 0; i < p->g->nodes.n; i++) {
    struct skp_sig sig = skp__graph_sig(p->g, &p->g->nodes.at[i]);
    if (sig.op->reference) sigs[n++] = sig;
  }
  skp_status status = skp__backend_ready(p->b, sigs, n);
  if (status == SKP_OK) p->b->ops->expect(p->b, sigs, n);
  free(sigs);
  return status;
}

/* Those that are not prepared yet. store NULL: methods are the device's choice. */
static skp_status prepare_nodes(struct skp_plan *p, struct skp_store *store) {
  const size_t nodes = p->g->nodes.n;
  SKP_TRY(expect(p));
  p->ops = 0;
  for (size_t n = 0; n < nodes; n++) {
    struct skp_sig sig = skp__graph_sig(p->g, &p->g->nodes.at[n]);
    if (!sig.op->reference) continue;
    skp__progress_work("preparing kernels", (int64_t)n, (int64_t)nodes);
    skp_status status = SKP_OK;
    if (!p->node[n])
      status = store ? skp__methods_prepare(skp__store_methods(store), p->b, &p->node[n], &sig)
                     : p->b->ops->prepare(p->b, &p->node[n], &sig, NULL);
    if (status != SKP_OK) return fail_at(status, p, n);
    p->list[p->ops++] = p->node[n];
  }
  skp__progress_work("preparing kernels", (int64_t)nodes, (int64_t)nodes);
  skp__backend_settle(p->b);
  return SKP_OK;
}

/* Of `nodes` that there were some leave parts now, and sums stand between them: these are not prepared. */
static void follow_nodes(struct skp_plan *p, size_t nodes) {
  for (size_t n = p->g->nodes.n; n-- > 0;) {
    const struct skp_op *op = p->g->nodes.at[n].op;
    struct skp_prepared *was = op == &skp__op_sum_parts ? NULL : p->node[--nodes];
    if (op == &skp__op_conv2d_dw_parts) p->b->ops->prepared_destroy(was);
    p->node[n] = op == &skp__op_conv2d_dw_parts ? NULL : was;
  }
}

/* Which sums go in parts is the methods' to say. */
static skp_status join_sums(struct skp_plan *p) {
  const size_t nodes = p->g->nodes.n;
  struct skp_backend_info info;
  int *parts;
  p->b->ops->info(p->b, &info);
  SKP_TRY(skp__alloc(&parts, nodes, sizeof *parts));
  for (size_t n = 0; n < nodes; n++) parts[n] = p->node[n] ? p->b->ops->parts(p->node[n]) : 0;
  skp_status status = skp__join_sums(p->g, parts, info.memory / WAITING);
  free(parts);
  if (status == SKP_OK) follow_nodes(p, nodes);
  return status;
}

static skp_status prepare(struct skp_plan *p, struct skp_store *store) {
  const size_t nodes = p->g->nodes.n, most = 2 * nodes; /* at worst a sum a node */
  SKP_TRY(skp__alloc(&p->node, most, sizeof *p->node));
  SKP_TRY(skp__alloc(&p->list, most, sizeof *p->list));
  SKP_TRY(prepare_nodes(p, store));
  SKP_TRY(join_sums(p));
  return p->g->nodes.n > nodes ? prepare_nodes(p, store) : SKP_OK;
}

/* Lays out the arenas; `workspace` receives what each node wants. */
static skp_status plan_memory(struct skp_plan *p, int64_t *workspace) {
  struct skp_backend_info info = {.alignment = 4 * SKP_SLICE_ALIGN, .max_allocation = INT64_MAX};
  if (p->b) p->b->ops->info(p->b, &info);
  for (size_t n = 0; n < p->g->nodes.n; n++)
    workspace[n] = p->node && p->node[n] ? p->b->ops->workspace(p->node[n]) : 0;
  return skp__memory_plan(&p->memory, p->g, workspace, info.alignment, info.max_allocation);
}

static skp_status create_arenas(struct skp_plan *p, const int64_t *workspace) {
  for (int i = 0; i < p->memory.arenas; i++) {
    skp_status status = p->b->ops->buffer_create(p->b, &p->arena[i], p->memory.arena_bytes[i]);
    if (status != SKP_OK) return skp__fail_in(status, "memory for a step");
  }
  for (size_t n = 0; n < p->g->nodes.n; n++)
    if (workspace[n])
      SKP_TRY(p->b->ops->buffer_slice(p->b, &p->workspace[n], p->arena[p->memory.workspace_arena[n]],
                                      p->memory.workspace[n], workspace[n]));
  return SKP_OK;
}

static skp_status lay_out(struct skp_plan *p) {
  size_t nodes = p->g->nodes.n;
  int64_t *workspace;
  SKP_TRY(skp__alloc(&p->workspace, nodes, sizeof *p->workspace));
  SKP_TRY(skp__alloc(&workspace, nodes, sizeof *workspace));
  skp_status status = plan_memory(p, workspace);
  if (status == SKP_OK) status = create_arenas(p, workspace);
  free(workspace);
  return status;
}

/* ---- buffers ---------------------------------------------------------------------------------------------------- */

static int64_t bytes_of(const struct skp_plan *p, skp_value v) { return skp__shape_bytes(&p->g->tensors.at[v].shape); }

/* Uses another value's buffer, or a piece of it where only a piece is meant. */
static skp_status borrow(struct skp_plan *p, skp_value v, skp_value from, int64_t offset) {
  if (offset || bytes_of(p, v) != bytes_of(p, from))
    return p->b->ops->buffer_slice(p->b, &p->value[v], p->value[from], offset, bytes_of(p, v));
  p->value[v] = p->value[from];
  p->borrowed[v] = true;
  return SKP_OK;
}

static skp_status create_value(struct skp_plan *p, struct skp_store *store, skp_value v) {
  const struct skp_tensor *t = &p->g->tensors.at[v];
  int64_t bytes = bytes_of(p, v);
  switch (t->role) {
  case SKP_ROLE_INPUT:
  case SKP_ROLE_RESULT: return p->b->ops->buffer_create(p->b, &p->value[v], bytes);
  case SKP_ROLE_ACTIVATION:
    if (p->memory.offset[v] < 0) return SKP_OK; /* nobody makes it any more */
    return p->b->ops->buffer_slice(p->b, &p->value[v], p->arena[p->memory.arena[v]], p->memory.offset[v], bytes);
  default: p->borrowed[v] = true; return skp__store_buffer(store, &p->value[v], t->name, bytes);
  }
}

static skp_status create_values(struct skp_plan *p, struct skp_store *store) {
  skp_value tensors = (skp_value)p->g->tensors.n;
  SKP_TRY(skp__alloc(&p->value, (size_t)tensors, sizeof *p->value));
  SKP_TRY(skp__alloc(&p->borrowed, (size_t)tensors, sizeof *p->borrowed));
  for (skp_value v = 0; v < tensors; v++)
    if (p->g->tensors.at[v].base == SKP_NONE) SKP_TRY(create_value(p, store, v));
  for (skp_value v = 0; v < tensors; v++) {
    const struct skp_tensor *t = &p->g->tensors.at[v];
    if (t->base != SKP_NONE && p->value[t->base]) SKP_TRY(borrow(p, v, t->base, 4 * t->offset));
  }
  return SKP_OK;
}

static struct skp_buffer *buffer_of(const struct skp_plan *p, skp_value v) {
  return v == SKP_NONE ? NULL : p->value[v];
}

static skp_status bind_node(struct skp_plan *p, size_t n) {
  const struct skp_node *node = &p->g->nodes.at[n];
  struct skp_buffer **in, **out;
  SKP_TRY(skp__alloc(&in, (size_t)(node->n_in + node->n_out), sizeof *in));
  out = in + node->n_in;
  for (int i = 0; i < node->n_in; i++) in[i] = buffer_of(p, node->in[i]);
  for (int i = 0; i < node->n_out; i++) out[i] = buffer_of(p, node->out[i]);
  skp_status status = p->b->ops->bind(p->node[n], in, out, p->workspace[n]);
  free(in);
  return status == SKP_OK ? SKP_OK : fail_at(status, p, n);
}

static skp_status bind(struct skp_plan *p) {
  for (size_t n = 0; n < p->g->nodes.n; n++)
    if (p->node[n]) SKP_TRY(bind_node(p, n));
  return SKP_OK;
}

/* ---- types ------------------------------------------------------------------------------------------------------ */

/* Weights are float32 in either case, so what only evaluates goes on in float32 where a device knows nothing else. */
static skp_status choose_types(struct skp_plan *p) {
  struct skp_backend_info info = {.narrow_maps = true};
  if (!p->g->mixed) return SKP_OK;
  if (p->b) p->b->ops->info(p->b, &info);
  if (info.narrow_maps) return skp__precision(p->g);
  if (p->g->loss == SKP_NONE) return SKP_OK;
  return skp__fail(SKP_UNSUPPORTED,
                   "Precision mixed: %s knows float32 alone. %s float trains there, and %s cpu in mixed precision.",
                   info.name, skp__option("precision"), skp__option("device"));
}

/* ---- what the device is good at --------------------------------------------------------------------------------- */

static skp_status suit(struct skp_plan *p) {
  struct skp_backend_info info = {.statistics = false};
  SKP_TRY(skp__graph_prune(p->g));
  SKP_TRY(choose_types(p));
  if (p->b) p->b->ops->info(p->b, &info);
  return info.statistics ? skp__share_statistics(p->g) : SKP_OK;
}

/* ---- the plan --------------------------------------------------------------------------------------------------- */

static skp_status make(struct skp_plan *p, struct skp_store *store) {
  SKP_TRY(suit(p));
  SKP_TRY(prepare(p, store));
  SKP_TRY(lay_out(p));
  SKP_TRY(create_values(p, store));
  return bind(p);
}

/* Takes `g` over, on failure too. */
static skp_status hold(struct skp_plan **out, struct skp_graph *g, struct skp_backend *b) {
  skp_status status = skp__alloc(out, 1, sizeof **out);
  if (status != SKP_OK) {
    skp__graph_destroy(g);
    return status;
  }
  (*out)->g = g;
  (*out)->b = b;
  return SKP_OK;
}

skp_status skp__plan_create(struct skp_plan **out, struct skp_graph *g, struct skp_backend *b,
                            struct skp_store *store) {
  struct skp_plan *p;
  *out = NULL;
  SKP_TRY(hold(&p, g, b));
  skp_status status = make(p, store);
  if (status == SKP_OK)
    *out = p;
  else
    skp__plan_destroy(p);
  return status;
}

void skp__plan_destroy(struct skp_plan *p) {
  if (!p) return;
  const struct skp_backend_ops *ops = p->b ? p->b->ops : NULL;
  for (size_t n = ops ? p->g->nodes.n : 0;
       n-- > 0;) { /* the last first: PoCL looks for a kernel among all later ones */
    if (p->node && p->node[n]) ops->prepared_destroy(p->node[n]);
    if (p->workspace && p->workspace[n]) ops->buffer_destroy(p->b, p->workspace[n]);
  }
  for (int with_base = 1; with_base >= 0; with_base--) /* slices before what they are slices of */
    for (size_t v = 0; p->value && p->borrowed && v < p->g->tensors.n; v++)
      if (p->value[v] && !p->borrowed[v] && (p->g->tensors.at[v].base != SKP_NONE) == with_base)
        ops->buffer_destroy(p->b, p->value[v]);
  for (int i = 0; i < p->memory.arenas; i++)
    if (p->arena[i]) ops->buffer_destroy(p->b, p->arena[i]);
  skp__memory_free(&p->memory);
  skp__graph_destroy(p->g);
  free(p->value);
  free(p->borrowed);
  free(p->workspace);
  free(p->node);
  free(p->list);
  free(p);
}

void skp__plan_watch(struct skp_plan *p, skp__after_node after, void *user) {
  p->after = after;
  p->user = user;
}

skp_status skp__plan_run_nodes(struct skp_plan *p, size_t from, size_t before) {
  for (size_t n = from; n < before; n++) {
    if (p->node[n]) SKP_TRY(p->b->ops->run(p->b, &p->node[n], 1));
    if (p->after) SKP_TRY(p->after(p->user, p, n));
  }
  return SKP_OK;
}

skp_status skp__plan_run(struct skp_plan *p) {
  return p->after ? skp__plan_run_nodes(p, 0, p->g->nodes.n) : p->b->ops->run(p->b, p->list, p->ops);
}

/* Launches are told in the order of the list, so the nodes are found by going along. */
struct telling {
  const struct skp_plan *p;
  size_t node;
  skp__tell_launch tell;
  void *user;
};

static void tell_node(void *user, size_t i, const char *launch, double seconds) {
  struct telling *t = user;
  while (t->p->node[t->node] != t->p->list[i]) t->node++;
  t->tell(t->user, t->node, launch, seconds);
}

skp_status skp__plan_time(struct skp_plan *p, skp__tell_launch tell, void *user) {
  struct telling t = {p, 0, tell, user};
  return p->b->ops->time(p->b, p->list, p->ops, tell_node, &t);
}

const struct skp_graph *skp__plan_graph(const struct skp_plan *p) { return p->g; }
struct skp_buffer *skp__plan_buffer(const struct skp_plan *p, skp_value v) {
  return p->value[v];
}
size_t skp__plan_ops(const struct skp_plan *p) { return p->ops; }

size_t skp__plan_launches(const struct skp_plan *p) {
  size_t n = 0;
  for (size_t i = 0; i < p->ops; i++) n += p->b->ops->launches(p->list[i]);
  return n;
}

const char *skp__plan_method(const struct skp_plan *p, size_t n) {
  return p->node[n] ? p->b->ops->method(p->node[n]) : "view";
}

double skp__plan_tolerance(const struct skp_plan *p, size_t n) {
  return p->node[n] ? p->b->ops->tolerance(p->node[n]) : 0;
}

double skp__plan_flops(const struct skp_plan *p) {
  double flops = 0;
  for (size_t n = 0; n < p->g->nodes.n; n++) {
    struct skp_sig sig = skp__graph_sig(p->g, &p->g->nodes.at[n]);
    if (sig.op->reference) flops += skp__op_flops(&sig);
  }
  return flops;
}

/* ---- measuring -------------------------------------------------------------------------------------------------- */

static void need(struct skp_plan_needs *needs, skp_role role, int64_t bytes) {
  needs->of_role[role] += bytes;
  needs->total += bytes;
  if (bytes > needs->largest) needs->largest = bytes;
}

static skp_status measure(struct skp_plan_needs *out, struct skp_plan *p) {
  int64_t *workspace;
  SKP_TRY(suit(p));
  if (p->b) SKP_TRY(prepare(p, NULL));
  SKP_TRY(skp__alloc(&workspace, p->g->nodes.n, sizeof *workspace));
  skp_status status = plan_memory(p, workspace);
  free(workspace);
  SKP_TRY(status);
  for (int i = 0; i < p->memory.arenas; i++) need(out, SKP_ROLE_ACTIVATION, p->memory.arena_bytes[i]);
  for (size_t n = 0; n < p->g->nodes.n; n++)
    if (p->node && p->node[n]) need(out, SKP_ROLE_ACTIVATION, p->b->ops->kept(p->node[n]));
  for (skp_value v = 0; v < (skp_value)p->g->tensors.n; v++) {
    const struct skp_tensor *t = &p->g->tensors.at[v];
    if (t->base == SKP_NONE && t->role != SKP_ROLE_ACTIVATION) need(out, t->role, bytes_of(p, v));
  }
  out->flops = skp__plan_flops(p);
  return SKP_OK;
}

skp_status skp__plan_measure(struct skp_plan_needs *out, struct skp_graph *g, struct skp_backend *b) {
  struct skp_plan *p;
  *out = (struct skp_plan_needs){.total = 0};
  SKP_TRY(hold(&p, g, b));
  skp_status status = measure(out, p);
  skp__plan_destroy(p);
  return status;
}
