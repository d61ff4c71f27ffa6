/* memory.c: where the values of a step live. SPDX-License-Identifier: MIT
 *
 * A value is alive from the node that makes it to the last node that reads it (or a view of it); a node's workspace
 * only during that node; what is made of constant weights always. Rectangles of lifetime × size are laid into as few
 * bytes as a greedy search finds: largest first, each at the lowest place where it overlaps no other that is alive at
 * the same time.
 *
 *   bytes ^
 *         |        +-----------+                    block 1's output, read again by the backward pass
 *         |  +-----+-----+     |   +---------+
 *         |  |    d conv2      +---+  d conv1|      gradients come and go in the places of dead activations
 *         |  +-----------+---------+----+----+
 *         |  |       conv1's output     |  ws       a workspace lives for one node
 *         +--+--------------------------+--------> nodes in order */
#include "base/text.h"
#include "plan/gaps.h"
#include "plan/plan.h"
#include <stdlib.h>
#include <string.h>

struct item {
  int64_t bytes, offset;
  int first, last; /* nodes between which it is alive, both included */
  int arena;
};

struct rank {
  int64_t key;
  size_t index;
};

struct planner {
  const struct skp_graph *g;
  struct item *item; /* [tensors] values, then [nodes] workspaces; bytes 0: needs nothing */
  size_t items;
  struct rank *order;                 /* items by size, those before the one in hand have their place */
  struct skp__gaps *gaps[SKP_ARENAS]; /* of each arena; NULL: it is not in use */
  int64_t align, limit;
};

/* ---- lifetimes -------------------------------------------------------------------------------------------------- */

static void touch(struct planner *p, skp_value v, int node) {
  if (v == SKP_NONE) return;
  struct item *it = &p->item[skp__graph_root(p->g, v)];
  if (node > it->last) it->last = node;
}

static int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

static void begin(struct planner *p, skp_value v, int node) {
  const struct skp_tensor *t = &p->g->tensors.at[v];
  if (t->role != SKP_ROLE_ACTIVATION || t->base != SKP_NONE) return;
  p->item[v] = (struct item){.bytes = round_up(skp__shape_bytes(&t->shape), p->align), .first = node, .last = node};
}

/* In a graph of constant weights; what is absent changes nothing. */
static bool is_constant(const struct skp_graph *g, skp_value v) {
  const skp_role role = v == SKP_NONE ? SKP_ROLE_PARAM : g->tensors.at[v].role;
  return role == SKP_ROLE_PARAM || role == SKP_ROLE_STATE || role == SKP_ROLE_MOMENT;
}

/* What is made of constant weights alone stays from run to run: backends may make it once. */
static void keep_constants(struct planner *p, int n) {
  const struct skp_node *node = &p->g->nodes.at[n];
  bool constant = p->g->constant;
  for (int i = 0; i < node->n_in; i++) constant = constant && is_constant(p->g, node->in[i]);
  for (int i = 0; constant && i < node->n_out; i++) {
    if (node->out[i] == SKP_NONE) continue;
    p->item[node->out[i]].first = 0;
    touch(p, node->out[i], (int)p->g->nodes.n);
  }
}

static void find_lifetimes(struct planner *p, const int64_t *workspace) {
  const struct skp_graph *g = p->g;
  for (int n = 0; n < (int)g->nodes.n; n++) {
    const struct skp_node *node = &g->nodes.at[n];
    for (int i = 0; i < node->n_in; i++) touch(p, node->in[i], n);
    for (int i = 0; i < node->n_out; i++) {
      if (node->out[i] == SKP_NONE) continue;
      begin(p, node->out[i], n);
      touch(p, node->out[i], n); /* writing into a base keeps that alive */
      if (g->tensors.at[node->out[i]].role == SKP_ROLE_RESULT) touch(p, node->out[i], (int)g->nodes.n);
    }
    keep_constants(p, n);
    p->item[g->tensors.n + (size_t)n] = (struct item){.bytes = round_up(workspace[n], p->align), .first = n, .last = n};
  }
}

/* ---- placing ---------------------------------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b) {
  const struct rank *x = a, *y = b;
  if (x->key != y->key) return x->key < y->key ? -1 : 1;
  return x->index < y->index ? -1 : x->index > y->index;
}

static skp_status place(struct planner *p, struct item *it, struct skp_memory *out) {
  for (int arena = 0; arena < SKP_ARENAS; arena++) {
    int64_t offset;
    if (!p->gaps[arena]) SKP_TRY(skp__gaps_create(&p->gaps[arena], (int)p->g->nodes.n + 1));
    SKP_TRY(skp__gaps_lowest(p->gaps[arena], &offset, it->first, it->last, it->bytes));
    const int64_t end = offset + it->bytes;
    if (end > p->limit) continue;
    SKP_TRY(skp__gaps_take(p->gaps[arena], offset, it->first, it->last, it->bytes));
    it->arena = arena;
    it->offset = offset;
    if (arena >= out->arenas) out->arenas = arena + 1;
    if (end > out->arena_bytes[arena]) out->arena_bytes[arena] = end;
    return SKP_OK;
  }
  return skp__fail(SKP_DEVICE_MEMORY,
                   "Out of memory: a value of %.1f MiB has no place in %d arenas of %.1f MiB each, the most that the "
                   "device allocates "
                   "at once.",
                   skp__mib((double)it->bytes), SKP_ARENAS, skp__mib((double)p->limit));
}

static skp_status place_all(struct planner *p, struct skp_memory *out) {
  size_t n = 0;
  for (size_t i = 0; i < p->items; i++)
    if (p->item[i].bytes) p->order[n++] = (struct rank){-p->item[i].bytes, i};
  qsort(p->order, n, sizeof *p->order, by_key);
  for (size_t i = 0; i < n; i++) SKP_TRY(place(p, &p->item[p->order[i].index], out));
  return SKP_OK;
}

/* ---- the pass --------------------------------------------------------------------------------------------------- */

static skp_status fill(struct planner *p, struct skp_memory *out) {
  size_t tensors = p->g->tensors.n, nodes = p->g->nodes.n;
  SKP_TRY(skp__alloc(&out->offset, tensors, sizeof *out->offset));
  SKP_TRY(skp__alloc(&out->arena, tensors, sizeof *out->arena));
  SKP_TRY(skp__alloc(&out->workspace, nodes, sizeof *out->workspace));
  SKP_TRY(skp__alloc(&out->workspace_arena, nodes, sizeof *out->workspace_arena));
  for (size_t i = 0; i < tensors; i++) {
    const struct item *it = &p->item[i];
    out->offset[i] = it->bytes ? it->offset : -1;
    out->arena[i] = it->bytes ? it->arena : -1;
  }
  for (size_t n = 0; n < nodes; n++) {
    const struct item *it = &p->item[tensors + n];
    out->workspace[n] = it->bytes ? it->offset : -1;
    out->workspace_arena[n] = it->bytes ? it->arena : -1;
  }
  return SKP_OK;
}

static skp_status plan(struct planner *p, struct skp_memory *out, const int64_t *workspace) {
  p->items = p->g->tensors.n + p->g->nodes.n;
  SKP_TRY(skp__alloc(&p->item, p->items, sizeof *p->item));
  SKP_TRY(skp__alloc(&p->order, p->items, sizeof *p->order));
  find_lifetimes(p, workspace);
  SKP_TRY(place_all(p, out));
  return fill(p, out);
}

skp_status skp__memory_plan(struct skp_memory *out, const struct skp_graph *g, const int64_t *workspace_bytes,
                            int64_t alignment, int64_t max_allocation) {
  *out = (struct skp_memory){0};
  struct planner p = {.g = g, .align = alignment, .limit = max_allocation};
  skp_status status = plan(&p, out, workspace_bytes);
  free(p.item);
  free(p.order);
  for (int i = 0; i < SKP_ARENAS; i++) skp__gaps_destroy(p.gaps[i]);
  if (status != SKP_OK) skp__memory_free(out);
  return status;
}

void skp__memory_free(struct skp_memory *m) {
  free(m->offset);
  free(m->arena);
  free(m->workspace);
  free(m->workspace_arena);
  *m = (struct skp_memory){0};
}
