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
    {&skp__op_conv2d_dx, &skp__op_add, "relu", 0, "relu", 0, 2},
    {&skp__op_conv2d_dx, &skp__op_relu_dx, NULL, 0, "relu", 1, 3},
};

static double attr_value(const struct skp_node *node, const char *name) {
  for (const struct skp_attr *a = node->op->attrs; a && a->name; a++)
    if (strcmp(a->name, name) == 0) return skp__attr_get(a, &node->attrs);
  return -1;
}

/* Of each value how often it is read, and by which node last. */
struct readers {
  int *reads, *last;
};

static void note_reader(struct readers *r, const struct skp_graph *g, size_t n) {
  const struct skp_node *node = &g->nodes.at[n];
  for (int i = 0; i < node->n_in; i++)
    if (node->in[i] != SKP_NONE) r->last[node->in[i]] = (int)n;
}

static void note_readers(struct readers *r, const struct skp_graph *g) {
  skp__graph_reads(g, r->reads);
  for (size_t n = 0; n < g->nodes.n; n++) note_reader(r, g, n);
}

static void free_readers(struct readers *r) {
  free(r->reads);
  free(r->last);
}

/* Of the values that there are now. free_readers also after a failure. */
static skp_status find_readers(struct readers *r, const struct skp_graph *g) {
  *r = (struct readers){NULL, NULL};
  SKP_TRY(skp__alloc(&r->reads, g->tensors.n, sizeof *r->reads));
  SKP_TRY(skp__alloc(&r->last, g->tensors.n, sizeof *r->last));
  note_readers(r, g);
  return SKP_OK;
}

/* The only reader of the node's first output; -1 if there are several, or if the host reads it. */
static int only_reader(const struct skp_graph *g, const struct skp_node *node, const struct readers *r) {
  const skp_value y = node->out[0];
  return r->reads[y] == 1 && g->tensors.at[y].role == SKP_ROLE_ACTIVATION ? r->last[y] : -1;
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

/* Merges all pairs that the pattern fits; *found says whether there was one. The last ones first: of two that the same
 * second could follow the one that is made later takes the other's result, and what it reads needs not wait. */
static skp_status apply(struct skp_graph *g, const struct pattern *p, struct readers *r, bool *gone, bool *found) {
  memset(gone, 0, g->nodes.n * sizeof *gone);
  note_readers(r, g);
  bool any = false;
  for (size_t n = g->nodes.n; n-- > 0;) {
    int reader = g->nodes.at[n].op == p->first ? only_reader(g, &g->nodes.at[n], r) : -1;
    if (reader < 0 || !fits(p, &g->nodes.at[n], &g->nodes.at[reader])) continue;
    SKP_TRY(merge(g, p, n, (size_t)reader, gone));
    note_reader(r, g, (size_t)reader);
    any = *found = true;
  }
  if (any) skp__graph_remove(g, gone);
  return SKP_OK;
}

static skp_status fuse_all(struct skp_graph *g, struct readers *r, bool *gone) {
  for (bool found = true; found;) {
    found = false;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) SKP_TRY(apply(g, &patterns[i], r, gone, &found));
  }
  return SKP_OK;
}

/* ---- gradients of shortcuts --------------------------------------------------------------------------------------
 *
 *   [conv2d_dx] ──> dy ──> [batchnorm_dx {add_relu}] ──> dx, dresidual
 *
 * What passes the relu is wanted twice, as dresidual and for batchnorm's sums: conv2d_dx writes that instead of dy, and
 * nothing is left of the relu for batchnorm_dx. */

enum { DX_DY, DX_Y = 2 };   /* inputs of batchnorm_dx */
enum { DX, DRESIDUAL = 3 }; /* its outputs */
enum { CONV_DX_MASK = 3 };  /* an input of conv2d_dx */

/* Neither the host's nor seen in another shape: nodes alone read it. */
static bool lives_inside(const struct skp_graph *g, skp_value v) {
  bool alone = v == SKP_NONE || g->tensors.at[v].role == SKP_ROLE_ACTIVATION;
  for (size_t i = 0; alone && v != SKP_NONE && i < g->tensors.n; i++) alone = g->tensors.at[i].base != v;
  return alone;
}

static bool masks(const struct skp_graph *g, const struct skp_node *conv, const struct skp_node *norm) {
  return norm->op == &skp__op_batchnorm_dx && norm->attrs.batchnorm.fuse == SKP_FUSE_ADD_RELU &&
         norm->out[DX] != SKP_NONE && norm->in[DX_DY] == conv->out[0] && !conv->attrs.conv2d.relu &&
         lives_inside(g, norm->out[DRESIDUAL]);
}

/* Nothing makes or reads `was` from here on. */
static void read_instead(struct skp_graph *g, skp_value was, skp_value now) {
  g->tensors.at[was].producer = -1;
  for (size_t n = 0; n < g->nodes.n; n++)
    for (int i = 0; i < g->nodes.at[n].n_in; i++)
      if (g->nodes.at[n].in[i] == was) g->nodes.at[n].in[i] = now;
}

static void mask(struct skp_graph *g, struct skp_node *conv, struct skp_node *norm) {
  conv->attrs.conv2d.relu = 1;
  conv->in[CONV_DX_MASK] = norm->in[DX_Y];
  norm->attrs.batchnorm.fuse = SKP_FUSE_NONE;
  norm->in[DX_Y] = SKP_NONE;
  if (norm->out[DRESIDUAL] != SKP_NONE) read_instead(g, norm->out[DRESIDUAL], conv->out[0]);
  norm->out[DRESIDUAL] = SKP_NONE;
}

static void mask_all(struct skp_graph *g, const struct readers *r) {
  for (size_t n = 0; n < g->nodes.n; n++) {
    struct skp_node *conv = &g->nodes.at[n];
    const int reader = conv->op == &skp__op_conv2d_dx ? only_reader(g, conv, r) : -1;
    if (reader >= 0 && masks(g, conv, &g->nodes.at[reader])) mask(g, conv, &g->nodes.at[reader]);
  }
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

static skp_status fold_all(struct skp_graph *g, const struct readers *r) {
  const size_t nodes = g->nodes.n;
  bool *gone;
  for (size_t n = 0; n < nodes; n++) {
    const struct skp_node *conv = &g->nodes.at[n];
    int reader = conv->op == &skp__op_conv2d ? only_reader(g, conv, r) : -1;
    if (reader >= 0 && folds(conv, &g->nodes.at[reader])) SKP_TRY(fold(g, n, (size_t)reader));
  }
  SKP_TRY(skp__alloc(&gone, g->nodes.n, sizeof *gone));
  for (size_t n = nodes; n < g->nodes.n; n++) gone[n] = true;
  skp__graph_remove(g, gone);
  free(gone);
  return SKP_OK;
}

skp_status skp__fold(struct skp_graph *g) {
  struct readers r;
  skp_status status = find_readers(&r, g);
  if (status == SKP_OK) status = fold_all(g, &r);
  free_readers(&r);
  return status;
}

/* ---- statistics --------------------------------------------------------------------------------------------------
 *
 *   [conv2d] ──> y ──> [batchnorm]
 *       └───> means, squares ──┘      of blocks of y, so that batchnorm need not read it for them
 *
 * On devices that gain by it, and for convolutions that do: of fewer channels in a group methods look at each of them
 * by itself. */

enum { MEANS = 6, SQUARES, CONV_MEANS = 1, CONV_SQUARES }; /* inputs of batchnorm; outputs of conv2d */
enum { LEAST_CHANNELS = 4 };

static bool takes_statistics(const struct skp_graph *g, const struct skp_node *norm) {
  if (norm->op != &skp__op_batchnorm || !norm->attrs.batchnorm.training || norm->in[MEANS] != SKP_NONE) return false;
  const struct skp_tensor *x = &g->tensors.at[norm->in[X]];
  const struct skp_node *conv = x->producer < 0 ? NULL : &g->nodes.at[x->producer];
  return conv && conv->op == &skp__op_conv2d && x->shape.dtype == SKP_F32 &&
         skp__channels(&x->shape) / conv->attrs.conv2d.groups >= LEAST_CHANNELS;
}

static skp_status add_statistic(struct skp_graph *g, size_t n, int output) {
  const struct skp_node *conv = &g->nodes.at[n];
  char *name;
  skp_value v;
  SKP_TRY(skp__format(&name, "%s.%s", conv->scope, conv->op->out[output].name));
  skp_status status =
      skp__graph_value(g, &v, name, SKP_ROLE_ACTIVATION, skp__statistics_shape(&g->tensors.at[conv->out[0]].shape));
  free(name);
  SKP_TRY(status);
  g->tensors.at[v].producer = (int)n;
  conv->out[output] = v;
  return SKP_OK;
}

static skp_status share(struct skp_graph *g, struct skp_node *norm) {
  const size_t n = (size_t)g->tensors.at[norm->in[X]].producer;
  struct skp_node *conv = &g->nodes.at[n];
  if (!conv->attrs.conv2d.statistics) {
    conv->attrs.conv2d.statistics = 1;
    SKP_TRY(add_statistic(g, n, CONV_MEANS));
    SKP_TRY(add_statistic(g, n, CONV_SQUARES));
  }
  norm->in[MEANS] = conv->out[CONV_MEANS];
  norm->in[SQUARES] = conv->out[CONV_SQUARES];
  return SKP_OK;
}

skp_status skp__share_statistics(struct skp_graph *g) {
  for (size_t n = 0; n < g->nodes.n; n++)
    if (takes_statistics(g, &g->nodes.at[n])) SKP_TRY(share(g, &g->nodes.at[n]));
  return SKP_OK;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

skp_status skp__fuse(struct skp_graph *g) {
  struct readers r;
  bool *gone = NULL;
  skp_status status = find_readers(&r, g);
  if (status == SKP_OK) status = skp__alloc(&gone, g->nodes.n, sizeof *gone);
  if (status == SKP_OK) status = fuse_all(g, &r, gone);
  if (status == SKP_OK) note_readers(&r, g);
  if (status == SKP_OK) mask_all(g, &r);
  free_readers(&r);
  free(gone);
  return status;
}
