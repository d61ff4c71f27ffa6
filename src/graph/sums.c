/* sums.c: the gradients of micro-batches, added up. SPDX-License-Identifier: MIT
 *
 *   …, the last node that writes gradients of a span, [sum of the span], …, [sum of the loss]
 *
 * A sum stands as far in front as it can: what ranks exchange is there while the backward pass goes on. */
#include "graph/graph.h"
#include <stdlib.h>

enum { LEAST = 1 << 20 }; /* elements of a span, but for the last one's: 4 MiB */

/* ---- spans ------------------------------------------------------------------------------------------------------- */

static int64_t span_size(int64_t total) {
  const int64_t size = skp__slice_size((total + SKP_SPANS - 1) / SKP_SPANS);
  return size < LEAST ? LEAST : size;
}

int skp__spans(int64_t total) { return total ? (int)((total + span_size(total) - 1) / span_size(total)) : 1; }

struct skp_span skp__span(int64_t total, int i) {
  const int64_t end = total - i * span_size(total), from = end - span_size(total);
  return from > 0 ? (struct skp_span){from, end - from} : (struct skp_span){0, end};
}

static int64_t total_of(const struct skp_graph *g) { return skp__shape_count(&g->tensors.at[g->grads].shape); }

int skp__span_summed(const struct skp_graph *g, size_t n) {
  const struct skp_node *node = &g->nodes.at[n];
  if (g->grads_sum == SKP_NONE || node->op != &skp__op_axpby) return -1;
  const skp_value sum = node->in[0];
  if (skp__graph_root(g, sum) != g->grads_sum) return -1;
  int i = 0;
  while (skp__span(total_of(g), i).from != g->tensors.at[sum].offset) i++;
  return i;
}

/* ---- the nodes --------------------------------------------------------------------------------------------------- */

static bool writes(const struct skp_graph *g, const struct skp_node *node, struct skp_span s) {
  for (int o = 0; o < node->n_out; o++) {
    if (node->out[o] == SKP_NONE || skp__graph_root(g, node->out[o]) != g->grads) continue;
    const struct skp_tensor *t = &g->tensors.at[node->out[o]];
    if (t->offset < s.from + s.n && s.from < t->offset + skp__shape_count(&t->shape)) return true;
  }
  return false;
}

/* The last of the first `nodes` nodes that does; 0 also if none does. */
static size_t last_writer(const struct skp_graph *g, size_t nodes, struct skp_span s) {
  while (nodes-- > 1)
    if (writes(g, &g->nodes.at[nodes], s)) return nodes;
  return 0;
}

static skp_status add_slice(struct skp_graph *g, skp_value *out, skp_value flat, struct skp_span s) {
  SKP_TRY(skp__graph_value(g, out, g->tensors.at[flat].name, SKP_ROLE_GRAD, skp__shape1(s.n)));
  g->tensors.at[*out].base = flat;
  g->tensors.at[*out].offset = s.from;
  return SKP_OK;
}

static skp_status add_span(struct skp_graph *g, struct skp_span s) {
  skp_value in[] = {SKP_NONE, SKP_NONE, g->sum_scales}, out;
  SKP_TRY(add_slice(g, &in[0], g->grads_sum, s));
  SKP_TRY(add_slice(g, &in[1], g->grads, s));
  return skp__graph_node(g, &skp__op_axpby, NULL, in, NULL, "sum", &out);
}

/* order: where each node is to stand; `nodes`: those that there were. */
static skp_status add_spans(struct skp_graph *g, size_t *order, size_t nodes) {
  for (size_t n = 0; n < nodes; n++) order[n] = 2 * n;
  for (int i = 0; i < skp__spans(total_of(g)); i++) {
    const struct skp_span s = skp__span(total_of(g), i);
    order[g->nodes.n] = 2 * last_writer(g, nodes, s) + 1;
    SKP_TRY(add_span(g, s));
  }
  order[g->nodes.n] = 2 * nodes;
  return SKP_OK;
}

static skp_status add_loss(struct skp_graph *g) {
  const skp_value in[] = {g->loss_sum, g->loss, g->sum_scales};
  skp_value out;
  return skp__graph_node(g, &skp__op_axpby, NULL, in, NULL, "sum", &out);
}

skp_status skp__graph_sum_up(struct skp_graph *g) {
  const size_t nodes = g->nodes.n;
  size_t *order;
  SKP_TRY(skp__alloc(&order, nodes + SKP_SPANS + 1, sizeof *order));
  skp_status status = add_spans(g, order, nodes);
  if (status == SKP_OK) status = add_loss(g);
  if (status == SKP_OK) status = skp__graph_arrange(g, order);
  free(order);
  return status;
}
