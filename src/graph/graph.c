/* graph.c: values and nodes: adding, finding, removing. SPDX-License-Identifier: MIT */
#include "graph/graph.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_NODES = 100000 }; /* far beyond any network; a loop in a model file ends here */

const struct skp_port_info skp__ports[SKP_PORTS] = {
#define X(NAME, name, role, host) [SKP_PORT_##NAME] = {#name, SKP_ROLE_##role, SKP_HOST_##host},
    SKP_PORT_LIST(X)
#undef X
};

skp_status skp__graph_create(struct skp_graph **out) {
  *out = NULL;
  struct skp_graph *g;
  SKP_TRY(skp__alloc(&g, 1, sizeof *g));
  for (int i = 0; i < SKP_PORTS; i++) g->port[i] = SKP_NONE;
  *out = g;
  return SKP_OK;
}

static void drop_tensors(struct skp_graph *g, size_t keep) {
  while (g->tensors.n > keep) {
    struct skp_tensor *t = &g->tensors.at[--g->tensors.n];
    free(t->name);
    free(t->values);
  }
}

static void free_node(struct skp_node *node) {
  free(node->in);
  free(node->types);
  free(node->scope);
}

void skp__graph_destroy(struct skp_graph *g) {
  if (!g) return;
  drop_tensors(g, 0);
  for (size_t i = 0; i < g->nodes.n; i++) free_node(&g->nodes.at[i]);
  SKP_FREE(&g->tensors);
  SKP_FREE(&g->nodes);
  SKP_FREE(&g->syncs);
  free(g);
}

static skp_status check_size(const struct skp_shape *shape) {
  int64_t count = 1;
  bool fits = true;
  for (int i = 0; i < shape->rank; i++)
    fits = fits && shape->dim[i] > 0 && !__builtin_mul_overflow(count, shape->dim[i], &count) && count <= SKP_MAX_COUNT;
  char text[96];
  if (fits) return SKP_OK;
  return skp__fail(SKP_SHAPE,
                   "A tensor of %s is empty or too large: at most %d elements go. A smaller batch or image is needed.",
                   skp__shape_text(text, sizeof text, shape), SKP_MAX_COUNT);
}

skp_status skp__graph_value(struct skp_graph *g, skp_value *out, const char *name, skp_role role,
                            struct skp_shape shape) {
  char *copy;
  SKP_TRY(check_size(&shape));
  SKP_TRY(skp__strdup(&copy, name));
  skp_status status = SKP_GROW(&g->tensors);
  if (status != SKP_OK) {
    free(copy);
    return status;
  }
  g->tensors.at[g->tensors.n - 1] = (struct skp_tensor){
      .name = copy, .role = role, .shape = shape, .producer = -1, .base = SKP_NONE, .lr = 1, .decay = 1};
  *out = (skp_value)(g->tensors.n - 1);
  return SKP_OK;
}

skp_status skp__graph_add_port(struct skp_graph *g, skp_port port, struct skp_shape shape) {
  return skp__graph_value(g, &g->port[port], skp__ports[port].name, skp__ports[port].role, shape);
}

skp_value skp__graph_root(const struct skp_graph *g, skp_value v) {
  return g->tensors.at[v].base == SKP_NONE ? v : g->tensors.at[v].base;
}

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

static struct skp_shape type_of(const struct skp_graph *g, skp_value v) {
  return v == SKP_NONE ? (struct skp_shape){.rank = 0} : g->tensors.at[v].shape;
}

struct skp_sig skp__graph_sig(const struct skp_graph *g, const struct skp_node *node) {
  struct skp_sig sig = {
      .op = node->op, .attrs = node->attrs, .constant = g->constant, .n_in = node->n_in, .n_out = node->n_out};
  sig.in = node->types;
  sig.out = node->types + node->n_in;
  for (int i = 0; i < node->n_in; i++) sig.in[i] = type_of(g, node->in[i]);
  for (int i = 0; i < node->n_out; i++) sig.out[i] = type_of(g, node->out[i]);
  return sig;
}

static skp_value taken_over(const struct skp_node *node, int output) {
  int input = node->op->alias[output];
  return input ? node->in[input - 1] : SKP_NONE;
}

/* A view lives in what it views; an updated param, state or moment in the memory of the old one. */
static void place_output(struct skp_graph *g, const struct skp_node *node, int output) {
  skp_value from = taken_over(node, output);
  if (from == SKP_NONE) return;
  struct skp_tensor *t = &g->tensors.at[node->out[output]];
  t->base = skp__graph_root(g, from);
  t->offset = g->tensors.at[from].offset;
}

void skp__graph_place(struct skp_graph *g, const struct skp_node *node) {
  for (int i = 0; i < node->n_out; i++)
    if (node->out[i] != SKP_NONE) place_output(g, node, i);
}

static skp_status add_outputs(struct skp_graph *g, struct skp_node *node, const struct skp_sig *sig, const bool *want) {
  for (int i = 0; i < node->n_out; i++) {
    bool gone = (want && !want[i]) || sig->out[i].rank == 0;
    bool nothing = node->op->alias[i] && taken_over(node, i) == SKP_NONE; /* no old value, no new one */
    node->out[i] = SKP_NONE;
    if (gone || nothing) continue;
    char *name;
    SKP_TRY(skp__format(&name, "%s%s%s%s%s", node->scope, *node->scope ? "." : "", node->op->name, i ? "." : "",
                        i ? node->op->out[i].name : ""));
    skp_status status = skp__graph_value(g, &node->out[i], name, SKP_ROLE_ACTIVATION, sig->out[i]);
    free(name);
    SKP_TRY(status);
    g->tensors.at[node->out[i]].producer = (int)g->nodes.n;
    place_output(g, node, i);
  }
  return SKP_OK;
}

static skp_status add_node(struct skp_graph *g, struct skp_node *node, const bool *want) {
  if (g->nodes.n >= MAX_NODES) return skp__fail(SKP_MODEL, "The network has more than %d nodes.", MAX_NODES);
  struct skp_sig sig = skp__graph_sig(g, node);
  SKP_TRY(skp__op_infer(&sig));
  SKP_TRY(add_outputs(g, node, &sig, want));
  SKP_TRY(SKP_GROW(&g->nodes));
  g->nodes.at[g->nodes.n - 1] = *node;
  return SKP_OK;
}

/* An empty node with its own copy of what it reads. */
static skp_status create_node(struct skp_node *node, const struct skp_op *op, const skp_value *in, const char *scope) {
  *node = (struct skp_node){.op = op, .n_in = skp__op_count_in(op, in), .n_out = op->n_out};
  const int values = node->n_in + node->n_out;
  SKP_TRY(skp__alloc(&node->in, (size_t)values, sizeof *node->in));
  SKP_TRY(skp__alloc(&node->types, (size_t)values, sizeof *node->types));
  node->out = node->in + node->n_in;
  memcpy(node->in, in, (size_t)node->n_in * sizeof *in);
  for (int i = 0; i < node->n_out; i++) node->out[i] = SKP_NONE;
  return skp__strdup(&node->scope, scope ? scope : "");
}

skp_status skp__graph_node(struct skp_graph *g, const struct skp_op *op, const union skp_attrs *attrs,
                           const skp_value *in, const bool *want, const char *scope, skp_value *out) {
  struct skp_node node;
  const size_t keep = g->tensors.n;
  skp_status status = create_node(&node, op, in, scope);
  skp__attrs_default(op, &node.attrs);
  if (attrs) node.attrs = *attrs;
  if (status == SKP_OK) status = add_node(g, &node, want);
  if (status != SKP_OK) {
    if (node.scope && *node.scope) status = skp__fail_in(status, "%s", node.scope);
    drop_tensors(g, keep);
    free_node(&node);
    return status;
  }
  for (int i = 0; i < op->n_out; i++) out[i] = node.out[i];
  return SKP_OK;
}

/* ---- looking and changing --------------------------------------------------------------------------------------- */

skp_value skp__graph_find(const struct skp_graph *g, skp_role role, const char *name) {
  for (size_t i = 0; i < g->tensors.n; i++)
    if (g->tensors.at[i].role == role && strcmp(g->tensors.at[i].name, name) == 0) return (skp_value)i;
  return SKP_NONE;
}

void skp__graph_reads(const struct skp_graph *g, int *reads) {
  memset(reads, 0, g->tensors.n * sizeof *reads);
  for (size_t n = 0; n < g->nodes.n; n++)
    for (int i = 0; i < g->nodes.at[n].n_in; i++)
      if (g->nodes.at[n].in[i] != SKP_NONE) reads[g->nodes.at[n].in[i]]++;
}

bool skp__node_leads(const struct skp_node *node, const bool *leads) {
  bool any = false;
  for (int i = 0; i < node->n_out; i++) any = any || (node->out[i] != SKP_NONE && leads[node->out[i]]);
  return any;
}

static void mark(bool *leads, const struct skp_node *node) {
  const bool any = skp__node_leads(node, leads);
  for (int i = 0; any && i < node->n_in; i++)
    if (node->in[i] != SKP_NONE) leads[node->in[i]] = true;
}

void skp__graph_leads(const struct skp_graph *g, bool *leads) {
  for (size_t i = 0; i < g->tensors.n; i++) leads[i] = g->logits == SKP_NONE;
  if (g->logits != SKP_NONE) leads[g->logits] = true;
  for (size_t n = g->nodes.n; n-- > 0;) mark(leads, &g->nodes.at[n]);
}

int64_t skp__graph_parameters(const struct skp_graph *g, const struct skp_node *node) {
  int64_t n = 0;
  for (int i = 0; i < node->n_in; i++)
    if (node->in[i] != SKP_NONE && skp__is_parameter(&g->tensors.at[node->in[i]]))
      n += skp__shape_count(&g->tensors.at[node->in[i]].shape);
  return n;
}

/* Notes at each value which node makes it. */
static void note_producers(struct skp_graph *g) {
  for (size_t t = 0; t < g->tensors.n; t++) g->tensors.at[t].producer = -1;
  for (size_t n = 0; n < g->nodes.n; n++)
    for (int i = 0; i < g->nodes.at[n].op->n_out; i++)
      if (g->nodes.at[n].out[i] != SKP_NONE) g->tensors.at[g->nodes.at[n].out[i]].producer = (int)n;
}

struct ranked {
  size_t rank, place;
  struct skp_node node;
};

static int by_rank(const void *a, const void *b) {
  const struct ranked *x = a, *y = b;
  if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
  return x->place < y->place ? -1 : 1;
}

skp_status skp__graph_arrange(struct skp_graph *g, const size_t *rank) {
  struct ranked *nodes;
  SKP_TRY(skp__alloc(&nodes, g->nodes.n, sizeof *nodes));
  for (size_t n = 0; n < g->nodes.n; n++) nodes[n] = (struct ranked){rank[n], n, g->nodes.at[n]};
  qsort(nodes, g->nodes.n, sizeof *nodes, by_rank);
  for (size_t n = 0; n < g->nodes.n; n++) g->nodes.at[n] = nodes[n].node;
  free(nodes);
  note_producers(g);
  return SKP_OK;
}

void skp__graph_remove(struct skp_graph *g, const bool *gone) {
  size_t kept = 0;
  for (size_t n = 0; n < g->nodes.n; n++) {
    if (gone[n]) {
      free_node(&g->nodes.at[n]);
      continue;
    }
    g->nodes.at[kept++] = g->nodes.at[n];
  }
  g->nodes.n = kept;
  note_producers(g);
}

skp_status skp__graph_prune(struct skp_graph *g) {
  int *reads;
  SKP_TRY(skp__alloc(&reads, g->tensors.n, sizeof *reads));
  skp__graph_reads(g, reads);
  for (size_t n = 0; n < g->nodes.n; n++) {
    struct skp_node *node = &g->nodes.at[n];
    for (int i = 0; i < node->n_out; i++) {
      skp_value v = node->out[i];
      if (v == SKP_NONE || !(node->op->out[i].flags & SKP_OPTIONAL)) continue;
      const struct skp_tensor *t = &g->tensors.at[v];
      if (reads[v] == 0 && t->role == SKP_ROLE_ACTIVATION && t->base == SKP_NONE) node->out[i] = SKP_NONE;
    }
  }
  free(reads);
  return SKP_OK;
}
