/* precision.c: which maps of a step are stored as bfloat16. SPDX-License-Identifier: MIT
 *
 *   images ──> [cast] ──> conv2d ──> batchnorm + relu ──> … ──> global_avgpool ──> [cast] ──> linear ──> logits
 *      float32       └───────────── bfloat16, the gradients on the way back, too ─────────────┘      float32
 *
 * A table decides, the ops' own: an op whose products pay in bfloat16 (skp_op.narrow) has its maps so; one that only
 * passes maps on (batchnorm, relu, add, pooling) as its inputs come; one that knows no narrow maps, or whose result
 * the host reads, is left in float32. Where the two meet, a cast stands right before the first reader, for all of
 * them; images that come as bytes become at once what all their readers want. Weights, their gradients, statistics,
 * logits, the loss and the update are float32 throughout, so that checkpoints and resuming know nothing of this. No
 * loss scaling: bfloat16 has the exponents of float32. */
#include "plan/plan.h"
#include <stdlib.h>

struct pass {
  struct skp_graph *g;
  skp_value *cast; /* [tensor]: the same value in the other type, or SKP_NONE */
  size_t *rank;    /* [node]: where it goes */
};

static bool is_narrow(const struct skp_graph *g, skp_value v) {
  return v != SKP_NONE && g->tensors.at[v].shape.dtype == SKP_BF16;
}

static bool reads_map(const struct skp_node *node, int i) { return skp__op_in(node->op, i)->flags & SKP_MAP; }

static bool makes_map(const struct skp_node *node, int i) {
  return node->op->out[i].flags & SKP_MAP && node->out[i] != SKP_NONE;
}

/* A map that lives within a step; the host reads others. */
static bool all_inside(const struct skp_graph *g, const struct skp_node *node) {
  for (int i = 0; i < node->n_out; i++)
    if (makes_map(node, i) && g->tensors.at[node->out[i]].role != SKP_ROLE_ACTIVATION) return false;
  return true;
}

static bool becomes_narrow(const struct skp_graph *g, const struct skp_node *node) {
  bool any = false;
  if (!all_inside(g, node)) return false;
  if (node->op->narrow) {
    const struct skp_sig sig = skp__graph_sig(g, node);
    return node->op->narrow(&sig);
  }
  for (int i = 0; i < node->n_in; i++) any = any || (reads_map(node, i) && is_narrow(g, node->in[i]));
  return any;
}

/* Whether all who read a value want it narrow, and somebody does. */
static bool is_wanted_narrow(const struct skp_graph *g, skp_value v) {
  bool any = false;
  for (size_t n = 0; n < g->nodes.n; n++)
    for (int i = 0; i < g->nodes.at[n].n_in; i++) {
      const struct skp_node *node = &g->nodes.at[n];
      if (node->in[i] != v) continue;
      if (!node->op->narrow || !reads_map(node, i) || !becomes_narrow(g, node)) return false;
      any = true;
    }
  return any;
}

/* Lets node n read *v in the other type. */
static skp_status read_cast(struct pass *p, size_t n, skp_value *v, bool narrow) {
  const struct skp_op *cast = narrow ? &skp__op_to_bfloat16 : &skp__op_to_float32;
  if (p->cast[*v] == SKP_NONE) {
    SKP_TRY(skp__graph_node(p->g, cast, NULL, v, NULL, p->g->nodes.at[n].scope, &p->cast[*v]));
    p->rank[p->g->nodes.n - 1] = 2 * n;
  }
  *v = p->cast[*v];
  return SKP_OK;
}

/* Images that were bytes. */
static void set_images(struct skp_graph *g, struct skp_node *node) {
  struct skp_shape *y = &g->tensors.at[node->out[0]].shape;
  if (node->op != &skp__op_normalise || !is_wanted_narrow(g, node->out[0])) return;
  node->attrs.normalise.narrow = 1;
  y->dtype = SKP_BF16;
}

static skp_status set_types(struct pass *p, size_t n) {
  set_images(p->g, &p->g->nodes.at[n]);
  const struct skp_node node = p->g->nodes.at[n]; /* a copy, of the same values: a cast may move the list */
  const bool narrow = becomes_narrow(p->g, &node);
  p->rank[n] = 2 * n + 1;
  for (int i = 0; i < node.n_in; i++) {
    const bool wanted = narrow && reads_map(&node, i);
    if (node.in[i] != SKP_NONE && is_narrow(p->g, node.in[i]) != wanted) SKP_TRY(read_cast(p, n, &node.in[i], wanted));
  }
  skp__graph_place(p->g, &node); /* a view of what was cast is one of the cast */
  for (int i = 0; narrow && i < node.n_out; i++)
    if (makes_map(&node, i)) p->g->tensors.at[node.out[i]].shape.dtype = SKP_BF16;
  return SKP_OK;
}

static skp_status set_all(struct pass *p, size_t nodes, size_t tensors) {
  SKP_TRY(skp__alloc(&p->cast, tensors, sizeof *p->cast));
  SKP_TRY(skp__alloc(&p->rank, nodes + tensors, sizeof *p->rank)); /* at most one cast a value */
  for (size_t v = 0; v < tensors; v++) p->cast[v] = SKP_NONE;
  for (size_t n = 0; n < nodes; n++) SKP_TRY(set_types(p, n));
  return skp__graph_arrange(p->g, p->rank);
}

skp_status skp__precision(struct skp_graph *g) {
  struct pass p = {.g = g};
  skp_status status = set_all(&p, g->nodes.n, g->tensors.n);
  free(p.cast);
  free(p.rank);
  return status;
}
