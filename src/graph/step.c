/* step.c: from a model's forward graph to the graph of a step: flat parameters, a batch size, loss, update.
 * SPDX-License-Identifier: MIT */
#include "graph/graph.h"
#include <stdlib.h>
#include <string.h>

/* ---- flat values ------------------------------------------------------------------------------------------------ */

/* Makes the values of the port's role slices of it. */
static skp_status collect(struct skp_graph *g, skp_port flat) {
  const skp_role role = skp__ports[flat].role;
  int64_t total = 0;
  for (size_t i = 0; i < g->tensors.n; i++) {
    struct skp_tensor *t = &g->tensors.at[i];
    if (t->role != role) continue;
    t->offset = total;
    total += skp__slice_size(skp__shape_count(&t->shape));
  }
  if (!total) return SKP_OK;
  size_t slices = g->tensors.n;
  SKP_TRY(skp__graph_add_port(g, flat, skp__shape1(total)));
  for (size_t i = 0; i < slices; i++)
    if (g->tensors.at[i].role == role) g->tensors.at[i].base = g->port[flat];
  return SKP_OK;
}

/* They have no gradient, and so nothing to be updated by: neither decay nor moments may move them. */
static skp_status note_idle(struct skp_graph *g) {
  bool *leads;
  SKP_TRY(skp__alloc(&leads, g->tensors.n, sizeof *leads));
  skp__graph_leads(g, leads);
  for (size_t i = 0; i < g->tensors.n; i++) {
    struct skp_tensor *t = &g->tensors.at[i];
    t->idle = t->role == SKP_ROLE_PARAM && !leads[i];
    if (t->idle) t->lr = 0;
  }
  free(leads);
  return SKP_OK;
}

skp_status skp__graph_collect(struct skp_graph *g) {
  SKP_TRY(note_idle(g));
  SKP_TRY(collect(g, SKP_PORT_PARAMS));
  return collect(g, SKP_PORT_STATE);
}

static skp_status add_like(struct skp_graph *g, skp_port port, skp_value like) {
  return skp__graph_add_port(g, port, g->tensors.at[like].shape);
}

static skp_status move_slices(struct skp_graph *g, skp_value from, skp_port to) {
  if (from == SKP_NONE) return SKP_OK;
  SKP_TRY(add_like(g, to, from));
  for (size_t i = 0; i < g->tensors.n; i++)
    if (g->tensors.at[i].base == from) g->tensors.at[i].base = g->port[to];
  return SKP_OK;
}

skp_status skp__graph_use_averages(struct skp_graph *g) {
  SKP_TRY(move_slices(g, g->params, SKP_PORT_AVERAGE));
  return move_slices(g, g->state, SKP_PORT_AVERAGE_STATE);
}

/* ---- a batch size ----------------------------------------------------------------------------------------------- */

static skp_value mapped(const skp_value *map, skp_value v) { return v == SKP_NONE ? SKP_NONE : map[v]; }

/* Values without producer: what the host writes (for nodes), params and state with their flat values. */
static skp_status copy_values(struct skp_graph *to, const struct skp_graph *from, skp_value *map, int64_t N,
                              bool inputs) {
  for (size_t i = 0; i < from->tensors.n; i++) {
    const struct skp_tensor *t = &from->tensors.at[i];
    if (t->producer >= 0 || t->role == SKP_ROLE_ACTIVATION || (t->role == SKP_ROLE_INPUT && !inputs)) continue;
    struct skp_shape shape = t->shape;
    if ((skp_value)i == from->input) shape.dim[0] = N;
    SKP_TRY(skp__graph_value(to, &map[i], t->name, t->role, shape));
    struct skp_tensor *copy = &to->tensors.at[map[i]];
    copy->offset = t->offset;
    copy->file_rank = t->file_rank;
    copy->lr = t->lr;
    copy->decay = t->decay;
    copy->idle = t->idle;
  }
  for (size_t i = 0; i < from->tensors.n; i++)
    if (map[i] != SKP_NONE) to->tensors.at[map[i]].base = mapped(map, from->tensors.at[i].base);
  return SKP_OK;
}

static skp_status set_evaluation(union skp_attrs *attrs, const struct skp_op *op) {
  for (const struct skp_attr *a = op->attrs; a && a->name; a++)
    if (strcmp(a->name, "training") == 0) return skp__attrs_set(op, attrs, a->name, 0);
  return SKP_OK;
}

/* What a node read becomes what its copy reads, with an end as skp__graph_node wants it. */
static skp_status mapped_inputs(skp_value **out, const struct skp_node *node, const skp_value *map) {
  SKP_TRY(skp__alloc(out, (size_t)node->n_in + 1, sizeof **out));
  for (int i = 0; i < node->n_in; i++) (*out)[i] = mapped(map, node->in[i]);
  (*out)[node->n_in] = SKP_NONE;
  return SKP_OK;
}

static skp_status copy_node(struct skp_graph *to, const struct skp_graph *from, const struct skp_node *node,
                            skp_value *map, bool training) {
  static const bool first_only[SKP_MAX_OUT] = {true};
  skp_value *in, out[SKP_MAX_OUT];
  union skp_attrs attrs = node->attrs;
  if (node->op->training_only && !training) {
    const skp_value x = map[node->out[0]] = map[node->in[0]];
    if (from->tensors.at[node->out[0]].role == SKP_ROLE_RESULT) to->tensors.at[x].role = SKP_ROLE_RESULT;
    return SKP_OK;
  }
  if (!training) SKP_TRY(set_evaluation(&attrs, node->op));
  SKP_TRY(mapped_inputs(&in, node, map));
  skp_status status = skp__graph_node(to, node->op, &attrs, in, training ? NULL : first_only, node->scope, out);
  free(in);
  SKP_TRY(status);
  for (int i = 0; i < node->n_out; i++) {
    if (node->out[i] == SKP_NONE) continue;
    map[node->out[i]] = out[i];
    if (out[i] != SKP_NONE) to->tensors.at[out[i]].role = from->tensors.at[node->out[i]].role;
  }
  return SKP_OK;
}

static skp_status copy_graph(struct skp_graph *to, const struct skp_graph *from, skp_value *map, int64_t N,
                             bool training, size_t nodes) {
  SKP_TRY(copy_values(to, from, map, N, nodes > 0));
  for (size_t n = 0; n < nodes; n++) SKP_TRY(copy_node(to, from, &from->nodes.at[n], map, training));
  for (int i = 0; i < SKP_PORTS; i++) to->port[i] = mapped(map, from->port[i]);
  return SKP_OK;
}

/* A copy with the first `nodes` nodes. */
static skp_status instance(struct skp_graph **out, const struct skp_graph *g, int64_t N, bool training, size_t nodes) {
  *out = NULL;
  struct skp_graph *to;
  skp_value *map;
  SKP_TRY(skp__alloc(&map, g->tensors.n, sizeof *map));
  for (size_t i = 0; i < g->tensors.n; i++) map[i] = SKP_NONE;
  skp_status status = skp__graph_create(&to);
  if (status == SKP_OK) status = copy_graph(to, g, map, N, training, nodes);
  free(map);
  if (status == SKP_OK)
    *out = to;
  else
    skp__graph_destroy(to);
  return status;
}

skp_status skp__graph_instance(struct skp_graph **out, const struct skp_graph *g, int64_t N, bool training) {
  SKP_TRY(instance(out, g, N, training, g->nodes.n));
  (*out)->constant = !training;
  return SKP_OK;
}

/* What a step changes of the state on its way is a trial, until it is known whether the step is finite. */
static skp_status try_state(struct skp_graph *g) { return move_slices(g, g->state, SKP_PORT_STATE_TRIAL); }

/* ---- images as bytes -------------------------------------------------------------------------------------------- */

/* All nodes but the last read `to` instead of `from`, and what lived in its memory lives there. */
static void read_instead(struct skp_graph *g, skp_value from, skp_value to) {
  for (size_t n = 0; n + 1 < g->nodes.n; n++)
    for (int i = 0; i < g->nodes.at[n].n_in; i++)
      if (g->nodes.at[n].in[i] == from) g->nodes.at[n].in[i] = to;
  for (size_t v = 0; v < g->tensors.n; v++)
    if (g->tensors.at[v].base == from) g->tensors.at[v].base = to;
}

static skp_status move_to_front(struct skp_graph *g) {
  size_t *rank;
  SKP_TRY(skp__alloc(&rank, g->nodes.n, sizeof *rank));
  for (size_t n = 0; n + 1 < g->nodes.n; n++) rank[n] = 1;
  skp_status status = skp__graph_arrange(g, rank);
  free(rank);
  return status;
}

skp_status skp__graph_take_bytes(struct skp_graph *g) {
  const int64_t channels = g->tensors.at[g->input].shape.dim[3];
  skp_value numbers;
  g->tensors.at[g->input].shape.dtype = SKP_U8;
  SKP_TRY(skp__graph_add_port(g, SKP_PORT_LEVELS, skp__shape2(channels, SKP_BYTE_LEVELS)));
  const skp_value in[] = {g->input, g->levels};
  SKP_TRY(skp__graph_node(g, &skp__op_normalise, NULL, in, NULL, "images", &numbers));
  read_instead(g, g->input, numbers);
  return move_to_front(g);
}

/* ---- steps in micro-batches ------------------------------------------------------------------------------------- */

skp_status skp__graph_add_sums(struct skp_graph *g) {
  SKP_TRY(try_state(g));
  SKP_TRY(add_like(g, SKP_PORT_GRADS_SUM, g->grads));
  SKP_TRY(add_like(g, SKP_PORT_LOSS_SUM, g->loss));
  SKP_TRY(skp__graph_add_port(g, SKP_PORT_SUM_SCALES, skp__shape1(2)));
  return skp__graph_sum_up(g);
}

skp_status skp__graph_flat(struct skp_graph **out, const struct skp_graph *g) {
  SKP_TRY(instance(out, g, 1, true, 0));
  struct skp_graph *to = *out;
  skp_status status = add_like(to, SKP_PORT_GRADS_SUM, to->params);
  if (status == SKP_OK) status = skp__graph_add_port(to, SKP_PORT_LOSS_SUM, skp__shape1(1));
  to->grads = to->grads_sum;
  if (status == SKP_OK) return SKP_OK;
  skp__graph_destroy(to);
  *out = NULL;
  return status;
}

/* ---- loss and update -------------------------------------------------------------------------------------------- */

skp_status skp__graph_add_loss(struct skp_graph *g, float label_smoothing, bool mixed) {
  struct skp_shape lambda = skp__shape1(g->tensors.at[g->logits].shape.dim[0]), labels = lambda;
  labels.dtype = SKP_I32;
  SKP_TRY(skp__graph_add_port(g, SKP_PORT_LABELS, labels));
  if (mixed) SKP_TRY(skp__graph_add_port(g, SKP_PORT_OTHER, labels));
  if (mixed) SKP_TRY(skp__graph_add_port(g, SKP_PORT_LAMBDA, lambda));
  skp_value in[] = {g->logits, g->labels, g->other, g->lambda};
  union skp_attrs attrs;
  skp__attrs_default(&skp__op_softmax_cross_entropy, &attrs);
  attrs.loss.label_smoothing = label_smoothing;
  SKP_TRY(skp__graph_node(g, &skp__op_softmax_cross_entropy, &attrs, in, NULL, "loss", &g->loss));
  g->tensors.at[g->loss].role = skp__ports[SKP_PORT_LOSS].role;
  return SKP_OK;
}

static skp_status add_factors(struct skp_graph *g) {
  bool any = false;
  for (size_t i = 0; i < g->tensors.n; i++)
    any = any || (skp__is_parameter(&g->tensors.at[i]) && (g->tensors.at[i].lr != 1 || g->tensors.at[i].decay != 1));
  if (!any) return SKP_OK;
  int64_t blocks = skp__shape_count(&g->tensors.at[g->params].shape) / SKP_UPDATE_BLOCK;
  return skp__graph_add_port(g, SKP_PORT_FACTORS, skp__shape2(blocks, 2));
}

void skp__graph_factors(const struct skp_graph *g, float *out) {
  for (size_t i = 0; i < g->tensors.n; i++) {
    const struct skp_tensor *t = &g->tensors.at[i];
    if (!skp__is_parameter(t)) continue;
    int64_t end = t->offset + skp__shape_count(&t->shape);
    for (int64_t block = t->offset / SKP_UPDATE_BLOCK; block * SKP_UPDATE_BLOCK < end; block++) {
      out[2 * block] = t->lr;
      out[2 * block + 1] = t->lr != 0 ? t->decay : 0; /* so that a frozen one gathers no momentum */
    }
  }
}

_Static_assert(SKP_PORT_MOMENT_2 - SKP_PORT_MOMENT_1 + 1 == SKP_MOMENTS, "a port for each moment");

/* What the optimizer remembers. */
static skp_status add_moments(struct skp_graph *g, skp_value *in, const struct skp_update *u) {
  const struct skp_optimizer *o = u->op->optimizer;
  for (int m = 0; m < o->moments && (!o->keeps || o->keeps(&u->attrs)); m++) {
    SKP_TRY(add_like(g, SKP_PORT_MOMENT_1 + m, g->params));
    in[o->moment[m]] = g->port[SKP_PORT_MOMENT_1 + m];
  }
  return SKP_OK;
}

static skp_status add_clip(struct skp_graph *g, float max_norm, skp_value *scale) {
  const union skp_attrs attrs = {.clip = {max_norm}};
  return skp__graph_node(g, &skp__op_clip_norm, &attrs, &g->grads, NULL, "update", scale);
}

/* Nothing of a step counts that has a number which is none. */
static skp_status add_guard(struct skp_graph *g, const struct skp_update *u) {
  const union skp_attrs attrs = {.guard = {u->sticky}};
  skp_value out[2];
  SKP_TRY(try_state(g));
  SKP_TRY(skp__graph_add_port(g, SKP_PORT_BROKEN, skp__shape1(1)));
  const skp_value in[] = {g->grads, g->loss_sum == SKP_NONE ? g->loss : g->loss_sum, g->broken};
  return skp__graph_node(g, &skp__op_all_finite, &attrs, in, NULL, "update", out);
}

/* The running statistics become what the step made of them, unless it is broken. */
static skp_status commit_state(struct skp_graph *g) {
  skp_value out[2];
  const skp_value state[] = {g->state, g->state_trial, g->broken};
  return g->state == SKP_NONE ? SKP_OK : skp__graph_node(g, &skp__op_commit, NULL, state, NULL, "update", out);
}

/* The average of the state follows that of the params. */
static skp_status average_state(struct skp_graph *g) {
  skp_value out;
  if (g->state == SKP_NONE) return SKP_OK;
  SKP_TRY(add_like(g, SKP_PORT_AVERAGE_STATE, g->state));
  SKP_TRY(skp__graph_add_port(g, SKP_PORT_EMA_SCALES, skp__shape1(2)));
  const skp_value in[] = {g->average_state, g->state, g->ema_scales};
  return skp__graph_node(g, &skp__op_axpby, NULL, in, NULL, "update", &out);
}

static bool is_kept(const struct skp_graph *g, skp_value v) {
  if (v == SKP_NONE || g->tensors.at[v].base == SKP_NONE) return false;
  const skp_role role = g->tensors.at[g->tensors.at[v].base].role;
  return role == SKP_ROLE_PARAM || role == SKP_ROLE_STATE || role == SKP_ROLE_MOMENT;
}

size_t skp__graph_first_change(const struct skp_graph *g) {
  for (size_t n = 0; n < g->nodes.n; n++)
    for (int o = 0; o < g->nodes.at[n].n_out; o++)
      if (is_kept(g, g->nodes.at[n].out[o])) return n;
  return g->nodes.n;
}

/* The update reads whole flat values. Its largest call is the first that changes any: where a device has not enough
 * memory for that one, nothing has changed (train/step/step.c). */
skp_status skp__graph_add_update(struct skp_graph *g, const struct skp_update *u) {
  const struct skp_optimizer *o = u->op->optimizer;
  skp_value in[SKP_MAX_IN], out[SKP_MAX_OUT];
  for (int i = 0; i < SKP_MAX_IN; i++) in[i] = SKP_NONE;
  SKP_TRY(skp__graph_add_port(g, SKP_PORT_HYPER, skp__shape1(SKP_HYPER)));
  SKP_TRY(add_factors(g));
  SKP_TRY(add_guard(g, u));
  if (u->clip_norm > 0) SKP_TRY(add_clip(g, u->clip_norm, &in[o->scale]));
  if (u->average) SKP_TRY(add_like(g, SKP_PORT_AVERAGE, g->params));
  SKP_TRY(add_moments(g, in, u));
  in[o->p] = g->params;
  in[o->g] = g->grads;
  in[o->hyper] = g->hyper;
  in[o->factors] = g->factors;
  in[o->average] = g->average;
  in[o->broken] = g->broken;
  SKP_TRY(skp__graph_node(g, u->op, &u->attrs, in, NULL, "update", out));
  SKP_TRY(commit_state(g));
  return u->average ? average_state(g) : SKP_OK;
}
