/* parts.c: weight gradients that are sums in parts: those of several layers are added by one launch.
 * SPDX-License-Identifier: MIT
 *
 *   [conv2d_dw] ──> dw               [conv2d_dw_parts] ──> parts ──┐
 *   …                   becomes      …                             │
 *   [conv2d_dw] ──> dw               [conv2d_dw_parts] ──> parts ──┴──> [sum_parts] ──> dw, dw
 *
 * Nobody reads them before the end of the backward pass, or a span of them does (graph/sums.c). Until then parts take
 * memory, so a sum stands where there are as many as it takes, where they would be too large together, or before the
 * first node that reads what they make. */
#include "plan/plan.h"
#include <stdlib.h>

struct joining {
  struct skp_graph *g;
  size_t *rank;  /* [node]: where it is to stand; with room for the sums */
  int n;         /* layers that wait … */
  int64_t bytes; /* … and their parts' … */
  int64_t most;  /* … which are to be no more than this */
  skp_value parts[SKP_SUMS], dw[SKP_SUMS];
};

/* Adds the sum of what waits: it is to stand at `rank`. */
static skp_status add_sum(struct joining *j, size_t rank) {
  struct skp_graph *g = j->g;
  skp_value out[SKP_SUMS];
  if (!j->n) return SKP_OK;
  for (int i = j->n; i < SKP_SUMS; i++) j->parts[i] = SKP_NONE;
  j->rank[g->nodes.n] = rank;
  SKP_TRY(skp__graph_node(g, &skp__op_sum_parts, NULL, j->parts, NULL, "sum", out));
  for (int i = 0; i < j->n; i++) g->nodes.at[g->nodes.n - 1].out[i] = j->dw[i];
  j->n = 0;
  j->bytes = 0;
  return SKP_OK;
}

/* Whether node n reads the memory that a sum is going to write. */
static bool reads_sums(const struct joining *j, size_t n) {
  const struct skp_node *node = &j->g->nodes.at[n];
  for (int i = 0; j->n && i < node->n_in; i++)
    if (node->in[i] != SKP_NONE && skp__graph_root(j->g, node->in[i]) == skp__graph_root(j->g, j->dw[0])) return true;
  return false;
}

static struct skp_shape shape_of(const struct skp_graph *g, size_t n, int parts) {
  const int64_t *w = g->tensors.at[g->nodes.at[n].out[0]].shape.dim;
  return skp__shape(SKP_F32, 3, (const int64_t[]){parts, w[0] * w[1] * w[2], w[3]});
}

/* Whether the parts of node n, of that shape, can wait with those that do: they are not too large together, and the
 * gradients lie in the same memory, by which their readers are known. */
static bool joins(const struct joining *j, size_t n, const struct skp_shape *shape) {
  const skp_value dw = j->g->nodes.at[n].out[0];
  return !j->n || (j->bytes + skp__shape_bytes(shape) <= j->most &&
                   skp__graph_root(j->g, dw) == skp__graph_root(j->g, j->dw[0]));
}

/* Node n leaves its parts from now on. */
static skp_status leave_parts(struct joining *j, size_t n, struct skp_shape shape) {
  struct skp_node *node = &j->g->nodes.at[n];
  const skp_value dw = node->out[0];
  char *name;
  skp_value parts;
  SKP_TRY(skp__format(&name, "%s.%s", node->scope, skp__op_conv2d_dw_parts.name));
  skp_status status = skp__graph_value(j->g, &parts, name, SKP_ROLE_ACTIVATION, shape);
  free(name);
  SKP_TRY(status);
  node->op = &skp__op_conv2d_dw_parts;
  node->attrs.conv2d.parts = (int)shape.dim[0];
  node->n_out = node->op->n_out;
  node->out[0] = parts;
  j->parts[j->n] = parts;
  j->dw[j->n++] = dw;
  j->bytes += skp__shape_bytes(&shape);
  return SKP_OK;
}

/* The node itself is going to stand at 2n + 2. */
static skp_status visit(struct joining *j, size_t n, int parts) {
  const size_t before = 2 * n + 1, after = 2 * n + 3;
  if (reads_sums(j, n)) SKP_TRY(add_sum(j, before));
  if (!parts || j->g->nodes.at[n].op != &skp__op_conv2d_dw) return SKP_OK;
  const struct skp_shape shape = shape_of(j->g, n, parts);
  if (!joins(j, n, &shape)) SKP_TRY(add_sum(j, before));
  SKP_TRY(leave_parts(j, n, shape));
  return j->n == SKP_SUMS ? add_sum(j, after) : SKP_OK;
}

static skp_status join(struct joining *j, const int *parts) {
  const size_t nodes = j->g->nodes.n;
  SKP_TRY(skp__alloc(&j->rank, 2 * nodes, sizeof *j->rank));
  for (size_t n = 0; n < nodes; n++) j->rank[n] = 2 * n + 2;
  for (size_t n = 0; n < nodes; n++) SKP_TRY(visit(j, n, parts[n]));
  SKP_TRY(add_sum(j, 2 * nodes + 1));
  return j->g->nodes.n > nodes ? skp__graph_arrange(j->g, j->rank) : SKP_OK;
}

skp_status skp__join_sums(struct skp_graph *g, const int *parts, int64_t most) {
  struct joining j = {.g = g, .most = most};
  skp_status status = join(&j, parts);
  free(j.rank);
  return status;
}
