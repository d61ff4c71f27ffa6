/* order.c: the order of a matrix's features. SPDX-License-Identifier: MIT
 *
 * A flattened map has its values in the order of memory, H·W·C; PyTorch counts them C·H·W, and so do files. The graph
 * knows of each value which of the two it has (skp_tensor.map), an op what it does with it (skp_op.order). Where an op
 * cannot read a value as it is, a transpose in front of it brings the value into the order of files, so the network is
 * PyTorch's whatever its layers are. */
#include "graph/graph.h"
#include <stdlib.h>
#include <string.h>

static int64_t pixels(const struct skp_tensor *t) { return t->map[0] * t->map[1]; }

/* Maps of one pixel or one channel have one order only. */
static bool in_file_order(const struct skp_tensor *t) { return pixels(t) <= 1 || t->map[2] == 1; }

static bool equal_orders(const struct skp_tensor *a, const struct skp_tensor *b) {
  if (in_file_order(a) || in_file_order(b)) return in_file_order(a) && in_file_order(b);
  return pixels(a) == pixels(b) && a->map[2] == b->map[2];
}

skp_status skp__graph_file_order(struct skp_graph *g, skp_value *v, const char *scope) {
  const struct skp_tensor *t = &g->tensors.at[*v];
  if (in_file_order(t)) return SKP_OK;
  const union skp_attrs attrs = {.transpose = {(int)pixels(t), (int)t->map[2]}};
  return skp__graph_node(g, &skp__op_transpose, &attrs, v, NULL, scope, v);
}

/* Whether the inputs can be read as they are; only matrices have features. */
static bool readable(const struct skp_graph *g, const struct skp_op *op, const skp_value *in) {
  const int n = skp__op_count_in(op, in);
  bool readable = true;
  for (int i = 0; i < n && op->order != SKP_ORDER_ANY; i++) {
    if (in[i] == SKP_NONE || g->tensors.at[in[i]].shape.rank != 2) continue;
    const struct skp_tensor *t = &g->tensors.at[in[i]];
    readable = readable && (op->order == SKP_ORDER_SAME ? equal_orders(t, &g->tensors.at[in[0]]) : in_file_order(t));
  }
  return readable;
}

/* The result of an op that works value by value: a flattened map, or one that was made from it. */
static void pass_on(struct skp_graph *g, skp_value from, skp_value to) {
  const struct skp_tensor *x = &g->tensors.at[from];
  struct skp_tensor *y = &g->tensors.at[to];
  if (y->shape.rank == 2) memcpy(y->map, x->shape.rank == 4 ? x->shape.dim + 1 : x->map, sizeof y->map);
}

/* The inputs as `op` can read them. */
static skp_status make_readable(struct skp_graph *g, const struct skp_op *op, const skp_value *in, int n,
                                const char *scope, skp_value *read) {
  const bool as_it_is = readable(g, op, in);
  for (int i = 0; i < n; i++) {
    read[i] = in[i];
    if (!as_it_is && in[i] != SKP_NONE) SKP_TRY(skp__graph_file_order(g, &read[i], scope));
  }
  read[n] = SKP_NONE;
  return SKP_OK;
}

skp_status skp__graph_layer(struct skp_graph *g, const struct skp_op *op, const union skp_attrs *attrs,
                            const skp_value *in, const bool *want, const char *scope, skp_value *out) {
  const int n = skp__op_count_in(op, in);
  skp_value *read;
  SKP_TRY(skp__alloc(&read, (size_t)n + 1, sizeof *read));
  skp_status status = make_readable(g, op, in, n, scope, read);
  if (status == SKP_OK) status = skp__graph_node(g, op, attrs, read, want, scope, out);
  if (status == SKP_OK && op->order == SKP_ORDER_SAME) pass_on(g, read[0], out[0]);
  free(read);
  return status;
}
