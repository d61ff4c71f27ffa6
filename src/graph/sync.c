/* sync.c: batchnorms that learn from the images of all ranks. SPDX-License-Identifier: MIT
 *
 *   batchnorm      becomes   [statistics of the rank's images] ── all ranks ──> [batchnorm by given statistics]
 *   batchnorm_dx   becomes   [the same by given statistics; its sums] ── all ranks ──> + (x^ · g + b)
 *
 * In training dx = gamma · rstd · (dz - dbeta / M - x^ · dgamma / M), with sums and M of all ranks. By given statistics
 * it is gamma · rstd · dz; what is missing is a batchnorm of x: its weight is g = -gamma · rstd · dgamma / M, its bias
 * b the same of dbeta. So the halves are ops that there are. What ranks tell each other lies in the flat value
 * "synced"; whoever runs the step exchanges it (struct skp_sync). */
#include "graph/graph.h"
#include <stdlib.h>

enum { X, GAMMA, BETA, RESIDUAL, RUNNING_MEAN, RUNNING_VAR, INPUTS = 8 }; /* of batchnorm */
enum { Y, NEW_MEAN, NEW_VAR, MEAN, RSTD };                                /* its outputs */
enum { DX_DY, DX_X, DX_Y, DX_GAMMA, DX_MEAN, DX_RSTD };                   /* inputs of its gradient */
enum { DX, DGAMMA, DBETA, DRESIDUAL };                                    /* its outputs */
enum { SLICES = 8 };                                                      /* of "synced" that a batchnorm may take */

struct pass {
  struct skp_graph *g;
  int64_t used;  /* of "synced" */
  size_t *order; /* [nodes, with room for those that come]: where each is to stand */
};

static bool learns(const struct skp_node *node) {
  return (node->op == &skp__op_batchnorm || node->op == &skp__op_batchnorm_dx) && node->attrs.batchnorm.training;
}

/* Makes a value the next slice of "synced". */
static void place(struct pass *p, skp_value v) {
  struct skp_tensor *t = &p->g->tensors.at[v];
  t->role = SKP_ROLE_GRAD;
  t->base = p->g->synced;
  t->offset = p->used;
  p->used += skp__slice_size(t->shape.dim[0]);
}

static skp_status add_slice(struct pass *p, skp_value *out, const char *name, int64_t C) {
  SKP_TRY(skp__graph_value(p->g, out, name, SKP_ROLE_GRAD, skp__shape1(C)));
  place(p, *out);
  return SKP_OK;
}

/* Adds a node of node n's layer that is to stand beside it: `side` 0 before, 2, 3 behind. */
static skp_status add_beside(struct pass *p, size_t n, size_t side, const struct skp_op *op,
                             const union skp_attrs *attrs, const skp_value *in, const bool *want, skp_value *out) {
  p->order[p->g->nodes.n] = 4 * n + side;
  return skp__graph_node(p->g, op, attrs, in, want, p->g->nodes.at[n].scope, out);
}

static skp_status add_point(struct pass *p, const struct skp_sync *point) {
  SKP_TRY(SKP_GROW(&p->g->syncs));
  p->g->syncs.at[p->g->syncs.n - 1] = *point;
  return SKP_OK;
}

static skp_status cut_forward(struct pass *p, size_t n) {
  static const bool want[SKP_MAX_OUT] = {[Y] = true, [MEAN] = true, [RSTD] = true};
  const struct skp_node norm = p->g->nodes.at[n];
  const int64_t C = norm.types[X].dim[3];
  const skp_value in[INPUTS] = {norm.in[X],           norm.in[GAMMA], norm.in[BETA], SKP_NONE, norm.in[RUNNING_MEAN],
                                norm.in[RUNNING_VAR], SKP_NONE,       SKP_NONE};
  skp_value own[SKP_MAX_OUT], all[2];
  union skp_attrs attrs = norm.attrs;
  attrs.batchnorm.fuse = SKP_FUSE_NONE;
  SKP_TRY(add_beside(p, n, 0, norm.op, &attrs, in, want, own));
  place(p, own[MEAN]);
  place(p, own[RSTD]);
  SKP_TRY(add_slice(p, &all[0], "mean of all ranks", C));
  SKP_TRY(add_slice(p, &all[1], "var of all ranks", C));
  struct skp_node *node = &p->g->nodes.at[n];
  node->attrs.batchnorm.training = 0;
  node->in[RUNNING_MEAN] = all[0];
  node->in[RUNNING_VAR] = all[1];
  node->out[NEW_MEAN] = node->out[NEW_VAR] = SKP_NONE;
  return add_point(p, &(struct skp_sync){.attrs = norm.attrs.batchnorm,
                                         .C = C,
                                         .M = skp__shape_count(&norm.types[X]) / C,
                                         .in = {own[MEAN], own[RSTD], in[RUNNING_MEAN], in[RUNNING_VAR]},
                                         .out = {all[0], all[1], in[RUNNING_MEAN], in[RUNNING_VAR]}});
}

/* The batchnorm whose gradient it is, cut already. */
static const struct skp_node *forward_of(const struct skp_graph *g, const struct skp_node *gradient) {
  return &g->nodes.at[g->tensors.at[gradient->in[DX_MEAN]].producer];
}

/* A sum of weights that are frozen is wanted, too. */
static skp_status want_sum(struct pass *p, size_t n, int output, const char *name) {
  struct skp_node *node = &p->g->nodes.at[n];
  return node->out[output] != SKP_NONE ? SKP_OK : add_slice(p, &node->out[output], name, node->types[DX_X].dim[3]);
}

/* dx = what node n made + t. */
static skp_status add_rest(struct pass *p, size_t n, skp_value rest) {
  skp_value *dx = &p->g->nodes.at[n].out[DX], whole = *dx, first, sum;
  SKP_TRY(skp__graph_value(p->g, &first, "dx by given statistics", SKP_ROLE_ACTIVATION, p->g->tensors.at[whole].shape));
  *dx = first;
  SKP_TRY(add_beside(p, n, 3, &skp__op_add, NULL, (const skp_value[]){first, rest}, NULL, &sum));
  p->g->nodes.at[p->g->nodes.n - 1].out[0] = whole;
  return SKP_OK;
}

static skp_status cut_gradient(struct pass *p, size_t n) {
  static const bool want[SKP_MAX_OUT] = {[Y] = true};
  struct skp_node *node = &p->g->nodes.at[n];
  const int64_t C = node->types[DX_X].dim[3], M = skp__shape_count(&node->types[DX_X]) / C;
  const skp_value *given = forward_of(p->g, node)->in;
  const skp_value x = node->in[DX_X], gamma = node->in[DX_GAMMA], mean = given[RUNNING_MEAN], var = given[RUNNING_VAR];
  union skp_attrs attrs = node->attrs;
  skp_value all[2], rest[SKP_MAX_OUT];
  attrs.batchnorm.training = node->attrs.batchnorm.training = 0;
  attrs.batchnorm.fuse = SKP_FUSE_NONE;
  if (node->out[DX] == SKP_NONE) return SKP_OK;
  SKP_TRY(want_sum(p, n, DGAMMA, "dgamma"));
  SKP_TRY(want_sum(p, n, DBETA, "dbeta"));
  SKP_TRY(add_slice(p, &all[0], "g of all ranks", C));
  SKP_TRY(add_slice(p, &all[1], "b of all ranks", C));
  const skp_value in[INPUTS] = {x, all[0], all[1], SKP_NONE, mean, var, SKP_NONE, SKP_NONE},
                  *sums = p->g->nodes.at[n].out;
  SKP_TRY(add_point(p, &(struct skp_sync){.gradient = true,
                                          .attrs = attrs.batchnorm,
                                          .C = C,
                                          .M = M,
                                          .in = {sums[DGAMMA], sums[DBETA], gamma, var},
                                          .out = {all[0], all[1], SKP_NONE, SKP_NONE}}));
  SKP_TRY(add_beside(p, n, 2, &skp__op_batchnorm, &attrs, in, want, rest));
  return add_rest(p, n, rest[Y]);
}

/* Values of "synced" that the batchnorms take at most. */
static int64_t most(const struct skp_graph *g) {
  int64_t n = 0;
  for (size_t i = 0; i < g->nodes.n; i++)
    if (g->nodes.at[i].op == &skp__op_batchnorm && learns(&g->nodes.at[i]))
      n += SLICES * skp__slice_size(g->nodes.at[i].types[X].dim[3]);
  return n;
}

/* The batchnorms come before their gradients, as they stand. */
static skp_status cut(struct pass *p, size_t nodes) {
  for (size_t n = 0; n < nodes; n++) p->order[n] = 4 * n + 1;
  for (size_t n = 0; n < nodes; n++)
    if (learns(&p->g->nodes.at[n]))
      SKP_TRY(p->g->nodes.at[n].op == &skp__op_batchnorm ? cut_forward(p, n) : cut_gradient(p, n));
  return skp__graph_arrange(p->g, p->order);
}

skp_status skp__graph_sync(struct skp_graph *g) {
  const int64_t n = most(g);
  struct pass p = {.g = g};
  if (!n) return SKP_OK;
  SKP_TRY(skp__graph_add_port(g, SKP_PORT_SYNCED, skp__shape1(n)));
  SKP_TRY(skp__alloc(&p.order, 3 * g->nodes.n, sizeof *p.order));
  skp_status status = cut(&p, g->nodes.n);
  free(p.order);
  return status;
}
