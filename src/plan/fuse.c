/* fuse.c: pairs of nodes that one kernel computes become one node. SPDX-License-Identifier: MIT
 *
 *   x ──> [first] ──> t ──> [second] ──> y      becomes      x ──> [first {set = to}] ──> y
 *                  other ──────┘                             other ──────┘
 *
 * when t has no other reader. The merged node stands where the second stood, since `other` may be made between the two.
 * A row of the table is a pattern; rows are tried in order until none fits any more, so
 * a chain of three falls to two rows. */
#include "plan/plan.h"
#include <stdlib.h>
#include <string.h>

struct pattern {
  const struct skp_op *first, *second;
  const char *second_attr; /* the second must have this attribute at second_is (NULL: whatever) */
  double second_is;
  const char *set; /* the attribute of `first` that says what follows, which must still be 0; NULL: there is none */
  double to;
  /* The input of `first` that receives the second's other operand, and must be free; 0: there is none. */
  int residual;
};

static const struct pattern patterns[] = {
    {&skp__op_add, &skp__op_relu, NULL, 0, "relu", 1, 0},
    {&skp__op_batchnorm, &skp__op_relu, NULL, 0, "fuse", SKP_FUSE_RELU, 0},
    {&skp__op_batchnorm, &skp__op_add, "relu", 1, "fuse", SKP_FUSE_ADD_RELU, 3},
    {&skp__op_conv2d, &skp__op_relu, NULL, 0, "relu", 1, 0},
    {&skp__op_conv2d, &skp__op_add, "relu", 0, "relu", 0, 4},
    {&skp__op_conv2d, &skp__op_add, "relu", 1, "relu", 1, 4},
    {&skp__op_conv2d_dx, &skp__op_add, "relu", 0, NULL, 0, 2},
};

static double attr_value(const struct skp_node *node, const char *name) {
  for (const struct skp_attr *a = node->op->attrs; a && a->name; a++)
    if (strcmp(a->name, name) == 0) return skp__attr_get(a, &node->attrs);
  return -1;
}

/* The only reader of the node's first output; -1 if there are several, or if the host reads it. */
static int only_reader(const struct skp_graph *g, const struct skp_node *node, const int *reads) {
  skp_value y = node->out[0];
  if (reads[y] != 1 || g->tensors.at[y].role != SKP_ROLE_ACTIVATION) return -1;
  for (size_t n = 0; n < g->nodes.n; n++)
    for (int i = 0; i < g->nodes.at[n].n_in; i++)
      if (g->nodes.at[n].in[i] == y) return (int)n;
  return -1;
}

static bool fits(const struct pattern *p, const struct skp_node *first, const struct skp_node *second) {
  return first->op == p->first && second->op == p->second && (!p->set || attr_value(first, p->set) == 0) &&
         (!p->residual || first->in[p->residual] == SKP_NONE) &&
         (!p->second_attr || attr_value(second, p->second_attr) == p->second_is);
}

/* Merges node `f` into its reader `s`; f is marked as gone. */
static skp_status merge(struct skp_graph *g, const struct pattern *p, size_t f, size_t s, bool *gone) {
  struct skp_node *second = &g->nodes.at[s], merged = g->nodes.at[f], gives = *second;
  if (p->set) SKP_TRY(skp__attrs_set(merged.op, &merged.attrs, p->set, p->to));
  if (p->residual) merged.in[p->residual] = second->in[second->in[0] == merged.out[0]];
  merged.out[0] = second->out[0];
  *second = merged;
  /* What nodes own is exchanged, not copied: the one that goes frees the other's, and reads nothing until then. */
  g->nodes.at[f] = gives;
  g->nodes.at[f].n_in = g->nodes.at[f].n_out = 0;
  gone[f] = true;
  return SKP_OK;
}

/* Merges all pairs that the pattern fits; *found says whether there was one. */
static skp_status apply(struct skp_graph *g, const struct pattern *p, int *reads, bool *gone, bool *found) {
  memset(gone, 0, g->nodes.n * sizeof *gone);
  skp__graph_reads(g, reads);
  bool any = false;
  for (size_t n = 0; n < g->nodes.n; n++) {
    int reader = g->nodes.at[n].op == p->first ? only_reader(g, &g->nodes.at[n], reads) : -1;
    if (reader < 0 || !fits(p, &g->nodes.at[n], &g->nodes.at[reader])) continue;
    SKP_TRY(merge(g, p, n, (size_t)reader, gone));
    any = *found = true;
  }
  if (any) skp__graph_remove(g, gone);
  return SKP_OK;
}

static skp_status fuse_all(struct skp_graph *g, int *reads, bool *gone) {
  for (bool found = true; found;) {
    found = false;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
      SKP_TRY(apply(g, &patterns[i], reads, gone, &found));
  }
  return SKP_OK;
}

/* ---- evaluation -------------------------------------------------------------------------------------------------- */

enum { X, GAMMA, BETA, RESIDUAL, RUNNING_MEAN, RUNNING_VAR }; /* inputs of batchnorm */
enum { CONV_BIAS = 2, CONV_SCALE, CONV_RESIDUAL };            /* of conv2d */

/* conv2d ─> batchnorm becomes batchnorm_fold in the first one's place, conv2d in the second's; the batchnorm is left at
 * the end. */
static skp_status fold(struct skp_graph *g, size_t f, size_t s) {
  struct skp_node *conv = &g->nodes.at[f], norm = g->nodes.at[s];
  const skp_value in[] = {norm.in[GAMMA], norm.in[BETA], norm.in[RUNNING_MEAN], norm.in[RUNNING_VAR],
                          conv->in[CONV_BIAS]};
  skp_value out[SKP_MAX_OUT];
  SKP_TRY(skp__graph_node(g, &skp__op_batchnorm_fold, &norm.attrs, in, NULL, norm.scope, out));
  conv = &g->nodes.at[f]; /* the list may have moved */
  conv->in[CONV_SCALE] = out[0];
  conv->in[CONV_BIAS] = out[1];
  conv->out[0] = norm.out[0];
  g->nodes.at[s] = *conv;
  *conv = g->nodes.at[g->nodes.n - 1];
  g->nodes.at[g->nodes.n - 1] = norm;
  return SKP_OK;
}

static bool folds(const struct skp_node *conv, const struct skp_node *norm) {
  return norm->op == &skp__op_batchnorm && !norm->attrs.batchnorm.training &&
         norm->attrs.batchnorm.fuse == SKP_FUSE_NONE && conv->in[CONV_SCALE] == SKP_NONE &&
         conv->in[CONV_RESIDUAL] == SKP_NONE && !conv->attrs.conv2d.relu;
}

static skp_status fold_all(struct skp_graph *g, const int *reads) {
  const size_t nodes = g->nodes.n;
  bool *gone;
  for (size_t n = 0; n < nodes; n++) {
    const struct skp_node *conv = &g->nodes.at[n];
    int reader = conv->op == &skp__op_conv2d ? only_reader(g, conv, reads) : -1;
    if (reader >= 0 && folds(conv, &g->nodes.at[reader])) SKP_TRY(fold(g, n, (size_t)reader));
  }
  SKP_TRY(skp__alloc(&gone, g->nodes.n, sizeof *gone));
  for (size_t n = nodes; n < g->nodes.n; n++) gone[n] = true;
  skp__graph_remove(g, gone);
  free(gone);
  return SKP_OK;
}

skp_status skp__fold(struct skp_graph *g) {
  int *reads;
  SKP_TRY(skp__alloc(&reads, g->tensors.n, sizeof *reads));
  skp__graph_reads(g, reads);
  skp_status status = fold_all(g, reads);
  free(reads);
  return status;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

skp_status skp__fuse(struct skp_graph *g) {
  int *reads;
  bool *gone;
  SKP_TRY(skp__alloc(&reads, g->tensors.n, sizeof *reads));
  skp_status status = skp__alloc(&gone, g->nodes.n, sizeof *gone);
  if (status == SKP_OK) status = fuse_all(g, reads, gone);
  free(reads);
  free(gone);
  return status;
}
