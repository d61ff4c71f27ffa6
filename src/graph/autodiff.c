/* autodiff.c: adds the gradients of the loss, in reverse order of the nodes. SPDX-License-Identifier: MIT
 *
 *   forward    x ──> A ──> y ──> B ──> loss         a value "needs" a gradient if a
 *              param that is not frozen leads to it
 *   backward   dx <── dA <── dy <── dB <── 1        a node is visited once all readers
 *              of its outputs have been: d[y] is whole
 *
 * A value with several readers gets a gradient from each; they are added up as they arrive, which is in reverse order
 * of the readers, so the order of the sum is fixed. What arrives last for a param is made a slice of "grads" instead of
 * an activation, so nothing is copied. */
#include "graph/graph.h"
#include <stdlib.h>
#include <string.h>

struct tape {
  struct skp_graph *g;
  const char *scope; /* of the node whose gradient is being built */
  bool *need;        /* [tensor]: whether a param that is not frozen leads to it */
  skp_value *d;      /* [tensor]: its gradient so far, or SKP_NONE */
};

static skp_status emit(struct skp_grad *grad, skp_op_id op, const union skp_attrs *attrs, const skp_value *in,
                       const bool *want, skp_value *out) {
  struct tape *t = grad->graph;
  return skp__graph_node(t->g, skp__op(op), attrs, in, want, t->scope, out);
}

static void mark_needs(struct tape *t, size_t nodes) {
  for (size_t i = 0; i < t->g->tensors.n; i++)
    t->need[i] = t->g->tensors.at[i].role == SKP_ROLE_PARAM && t->g->tensors.at[i].lr != 0;
  for (size_t n = 0; n < nodes; n++) {
    const struct skp_node *node = &t->g->nodes.at[n];
    bool any = false;
    for (int i = 0; i < node->n_in; i++) any = any || (node->in[i] != SKP_NONE && t->need[node->in[i]]);
    for (int i = 0; i < node->n_out; i++)
      if (node->out[i] != SKP_NONE)
        t->need[node->out[i]] = any && t->g->tensors.at[node->out[i]].shape.dtype == SKP_F32;
  }
}

/* Names the gradient after its value. */
static skp_status name_gradient(struct tape *t, skp_value d, skp_value of) {
  char *name;
  SKP_TRY(skp__format(&name, "d %s", t->g->tensors.at[of].name));
  free(t->g->tensors.at[d].name);
  t->g->tensors.at[d].name = name;
  return SKP_OK;
}

static skp_status arrive(struct tape *t, skp_value of, skp_value d) {
  if (t->d[of] == SKP_NONE) {
    t->d[of] = d;
  } else {
    skp_value in[2] = {t->d[of], d};
    SKP_TRY(skp__graph_node(t->g, &skp__op_add, NULL, in, NULL, t->scope, &t->d[of]));
  }
  return name_gradient(t, t->d[of], of);
}

/* Whether a gradient arrives at the node, and one is wanted; `need` and `dout` are those of its values. */
static bool flows(const struct tape *t, const struct skp_node *node, bool *need, skp_value *dout) {
  bool arrived = false, wanted = false;
  for (int i = 0; i < node->n_out; i++) {
    dout[i] = node->out[i] == SKP_NONE ? SKP_NONE : t->d[node->out[i]];
    arrived = arrived || dout[i] != SKP_NONE || (node->out[i] != SKP_NONE && node->out[i] == t->g->loss);
  }
  for (int i = 0; i < node->n_in; i++) {
    need[i] = node->in[i] != SKP_NONE && t->need[node->in[i]];
    wanted = wanted || need[i];
  }
  return arrived && wanted && node->op->gradient;
}

static skp_status build(struct tape *t, const struct skp_node *node, bool *need, skp_value *dout, skp_value *din) {
  struct skp_sig sig = skp__graph_sig(t->g, node);
  struct skp_grad grad = {&sig, node->in, node->out, dout, need, din, emit, t};
  t->scope = node->scope;
  SKP_TRY(node->op->gradient(&grad));
  for (int i = 0; i < node->n_in; i++)
    if (need[i] && din[i] != SKP_NONE) SKP_TRY(arrive(t, node->in[i], din[i]));
  return SKP_OK;
}

/* The gradient of one node. The node is copied: building may move the list. */
static skp_status reverse(struct tape *t, struct skp_node node) {
  skp_value *values; /* din, dout */
  bool *need;
  SKP_TRY(skp__alloc(&values, (size_t)(node.n_in + node.n_out), sizeof *values));
  skp_status status = skp__alloc(&need, (size_t)node.n_in, sizeof *need);
  for (int i = 0; i < node.n_in; i++) values[i] = SKP_NONE;
  if (status == SKP_OK && flows(t, &node, need, values + node.n_in))
    status = build(t, &node, need, values + node.n_in, values);
  free(values);
  free(need);
  return status;
}

/* Gives each param's gradient its place in the flat value "grads". */
static skp_status collect_gradients(struct tape *t, size_t tensors) {
  struct skp_graph *g = t->g;
  SKP_TRY(skp__graph_add_port(g, SKP_PORT_GRADS, g->tensors.at[g->params].shape));
  for (size_t i = 0; i < tensors; i++) {
    const struct skp_tensor *param = &g->tensors.at[i];
    if (!skp__is_parameter(param) || t->d[i] == SKP_NONE) continue;
    struct skp_tensor *d = &g->tensors.at[t->d[i]];
    if (d->base != SKP_NONE)
      return skp__fail(SKP_UNSUPPORTED, "The gradient of %s is also that of another value.", param->name);
    d->role = SKP_ROLE_GRAD;
    d->base = g->grads;
    d->offset = param->offset;
  }
  return SKP_OK;
}

static skp_status differentiate(struct tape *t) {
  size_t nodes = t->g->nodes.n, tensors = t->g->tensors.n;
  SKP_TRY(skp__alloc(&t->need, tensors, sizeof *t->need));
  SKP_TRY(skp__alloc(&t->d, tensors, sizeof *t->d));
  for (size_t i = 0; i < tensors; i++) t->d[i] = SKP_NONE;
  mark_needs(t, nodes);
  for (size_t n = nodes; n-- > 0;) SKP_TRY(reverse(t, t->g->nodes.at[n]));
  return collect_gradients(t, tensors);
}

skp_status skp__graph_differentiate(struct skp_graph *g) {
  if (g->params == SKP_NONE) return skp__fail(SKP_MODEL, "The network has no parameters to train.");
  struct tape t = {.g = g};
  skp_status status = differentiate(&t);
  free(t.need);
  free(t.d);
  return status;
}
