/* graph.h: a step as a list of nodes over named values. Models build the forward half; autodiff.c adds the gradients
 * and the updates, so that a whole training step is one graph. Nodes are kept in an order in which they can run.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_GRAPH_GRAPH_H
#define SKP_GRAPH_GRAPH_H

#include "base/array.h"
#include "ops/op.h"
#include <stdio.h>

/* X(NAME, text): what a tensor is for, which decides where it lives and how long. */
#define SKP_ROLE_LIST(X)                                                                                               \
  X(ACTIVATION, "activation") /* made and used within a step: the arena                         */                     \
  X(INPUT, "input")           /* written by the host before a step                              */                     \
  X(PARAM, "param")           /* trained; a slice of the flat value "params"                    */                     \
  X(GRAD, "grad")             /* gradient of a param; the slice of "grads" at the same offset   */                     \
  X(STATE, "state")           /* kept, not trained (running statistics); a slice of "state"     */                     \
  X(MOMENT, "moment")         /* optimizer memory and averages, laid out like "params" or "state" */                   \
  X(RESULT, "result")         /* read by the host after a step                                  */

typedef enum skp_role {
#define X(name, text) SKP_ROLE_##name,
  SKP_ROLE_LIST(X)
#undef X
      SKP_ROLES
} skp_role;

/* A value. One with a base is a piece of that value's memory: a param of "params", a gradient of "grads", a view
 * (flatten) of what it views, an updated value of what it takes over. A base has no base itself. */
struct skp_tensor {
  char *name; /* a param's or state's name is its name in checkpoints; others: "SCOPE.op" or "d NAME" */
  skp_role role;
  struct skp_shape shape;
  int producer;   /* node that makes it, -1: none */
  skp_value base; /* whose memory it lives in, or SKP_NONE: its own */
  int64_t offset; /* in the base, in elements */
  /* Of a matrix in a model: its features are a flattened map of this height, width and
   * channels, as it lies in memory; 0: no map. */
  int64_t map[3];
  /* params: rank in files: 4 for {R,S,C,K} saved as K,C,R,S; 2 for {R,S,C,K} saved as K
   * × C·R·S; 3 for {C} saved as C,1,1; 1 as it is */
  int file_rank;
  /* The first values of params and state, read by skp__model_init; a graph for a step
   * does without them. The first that is set counts: */
  float *values;   /* in the order of files; owned */
  double bound;    /* uniform in ± this */
  float std;       /* the standard deviation of normal numbers */
  float fill;      /* each has this value */
  float lr, decay; /* params: factors of the learning rate and of the weight decay; lr 0: frozen, without a gradient */
  bool idle;       /* params: no prediction depends on it, so lr is 0 and stays so */
};

/* Whether it is one of the network's parameters, a slice of the flat value that has them all. */
static inline bool skp__is_parameter(const struct skp_tensor *t) {
  return t->role == SKP_ROLE_PARAM && t->base != SKP_NONE;
}

/* Whether it is kept in files: a parameter, or a running statistic. */
static inline bool skp__is_weight(const struct skp_tensor *t) {
  return (t->role == SKP_ROLE_PARAM || t->role == SKP_ROLE_STATE) && t->base != SKP_NONE;
}

struct skp_node {
  const struct skp_op *op;
  union skp_attrs attrs;
  int n_in, n_out;         /* as a signature has them */
  skp_value *in, *out;     /* owned, as are the types, where skp__graph_sig puts them, inputs first */
  struct skp_shape *types; /* [n_in + n_out] */
  char *scope;             /* the layer it belongs to, as in parameter names ("block_1.0"); gradient nodes inherit it */
};

/* What a graph has by name: what the host gives and takes, and the flat values. X(NAME, name, role, host): its value is
 * the graph's field of that name, and is called so. The host
 *   NEVER  sees it in a step
 *   BATCH  writes it before a step on new images
 *   STEP   writes it before each run of a plan
 *   PLAN   writes it once, when a plan has been made
 *   READ   reads it after each run of a plan
 * A new port is a row here, and, for BATCH, STEP and READ, an address on the host in train/step/step.c. */
#define SKP_PORT_LIST(X)                                                                                               \
  X(INPUT, input, INPUT, BATCH)                  /* images {N,H,W,C}: numbers, or bytes with LEVELS */                 \
  X(LABELS, labels, INPUT, BATCH)                /* {N} i32 */                                                         \
  X(OTHER, other, INPUT, BATCH)                  /* of mixed images: second labels {N} i32 */                          \
  X(LAMBDA, lambda, INPUT, BATCH)                /* and the weight of the first {N} */                                 \
  X(KEY, key, INPUT, STEP)                       /* {2} i32, random, of each training step: see src/ops/dropout.c */   \
  X(HYPER, hyper, INPUT, STEP)                   /* struct skp_hyper, which an update reads */                         \
  X(EMA_SCALES, ema_scales, INPUT, STEP)         /* {2}: of the old average and of the new state in the new average */ \
  X(SUM_SCALES, sum_scales, INPUT, STEP)         /* {2}: what the sums so far and a micro-batch are multiplied by */   \
  X(FACTORS, factors, INPUT, PLAN)               /* which an update reads, see src/ops/optimizer.c; none: all are 1 */ \
  X(LEVELS, levels, INPUT, PLAN)                 /* {C,256}: the number that each byte of an image is */               \
  X(LOGITS, logits, ACTIVATION, READ)            /* {N, classes} */                                                    \
  X(LOSS, loss, RESULT, READ)                    /* {1}: the mean */                                                   \
  X(LOSS_SUM, loss_sum, GRAD, READ)              /* {1}: of the micro-batches of a step */                             \
  X(BROKEN, broken, GRAD, READ)                  /* {1}: not 0: it was not finite, and nothing was updated */          \
  X(STATE_TRIAL, state_trial, GRAD, NEVER)       /* laid out like state, of which it is a copy between steps */        \
  X(PARAMS, params, PARAM, NEVER)                /* flat: all parameters */                                            \
  X(STATE, state, STATE, NEVER)                  /* flat: all running statistics */                                    \
  X(GRADS, grads, GRAD, NEVER)                   /* laid out like params, as are the next three */                     \
  X(GRADS_SUM, grads_sum, GRAD, NEVER)           /* of the micro-batches of a step */                                  \
  X(SYNCED, synced, GRAD, NEVER)                 /* what batchnorms of several ranks tell each other, see sync.c */    \
  X(MOMENT_1, moment_1, MOMENT, NEVER)           /* optimizer memory */                                                \
  X(MOMENT_2, moment_2, MOMENT, NEVER)           /* the same */                                                        \
  X(AVERAGE, average, MOMENT, NEVER)             /* running average of params */                                       \
  X(AVERAGE_STATE, average_state, MOMENT, NEVER) /* and of state, laid out like that */

typedef enum skp_port {
#define X(NAME, name, role, host) SKP_PORT_##NAME,
  SKP_PORT_LIST(X)
#undef X
      SKP_PORTS
} skp_port;

typedef enum skp_host { SKP_HOST_NEVER, SKP_HOST_BATCH, SKP_HOST_STEP, SKP_HOST_PLAN, SKP_HOST_READ } skp_host;

struct skp_port_info {
  const char *name;
  skp_role role;
  skp_host host;
};
extern const struct skp_port_info skp__ports[SKP_PORTS];

/* A place of a step where ranks exchange what a batchnorm found in their images, each in as many values as it has
 * channels: after the node that makes in[0] the host reads `in` and writes `out` (SKP_NONE: nothing).
 *   mean, rstd, running_mean, running_var -> mean and var of all, the new running ones
 *   dgamma, dbeta, gamma, var of all      -> g, b: see sync.c */
struct skp_sync {
  bool gradient; /* the second */
  struct skp_batchnorm_attrs attrs;
  int64_t C, M; /* channels; values of each in this rank */
  skp_value in[4], out[4];
};

struct skp_graph {
  SKP_ARRAY(struct skp_tensor) tensors;
  SKP_ARRAY(struct skp_node) nodes;
  SKP_ARRAY(struct skp_sync) syncs; /* in the order of the nodes */
  bool constant;                    /* weights are not changed by this step: an evaluation */
  bool mixed;                       /* maps may be stored as bfloat16: the plan decides which (plan/precision.c) */
  union {                           /* SKP_NONE: this graph has none */
    skp_value port[SKP_PORTS];
    struct {
#define X(NAME, name, role, host) skp_value name;
      SKP_PORT_LIST(X)
#undef X
    };
  };
};

skp_status skp__graph_create(struct skp_graph **out);
void skp__graph_destroy(struct skp_graph *g); /* NULL is fine */

/* Adds a value without a producer. `name` is copied. */
skp_status skp__graph_value(struct skp_graph *g, skp_value *out, const char *name, skp_role role,
                            struct skp_shape shape);

/* Adds the value of a port. */
skp_status skp__graph_add_port(struct skp_graph *g, skp_port port, struct skp_shape shape);

/* `in` has an entry for each slot of the op (SKP_NONE: absent); that of a variadic one any number, SKP_NONE after them.
 * Adds a node: infers and checks the shapes, makes its outputs. attrs NULL: the op's defaults. want NULL: all outputs;
 * an unwanted one is SKP_NONE. On failure nothing is added. `scope` is copied. */
skp_status skp__graph_node(struct skp_graph *g, const struct skp_op *op, const union skp_attrs *attrs,
                           const skp_value *in, const bool *want, const char *scope, skp_value *out);

/* Adds a layer of a model: as skp__graph_node, but where the features of an input are in an order that `op` cannot
 * read, nodes of the same scope bring them into that of files first (order.c). */
skp_status skp__graph_layer(struct skp_graph *g, const struct skp_op *op, const union skp_attrs *attrs,
                            const skp_value *in, const bool *want, const char *scope, skp_value *out);
/* Makes *v the value that has its features in the order of files. */
skp_status skp__graph_file_order(struct skp_graph *g, skp_value *v, const char *scope);

/* Makes parameters and statistics slices of their averages instead: for an evaluation. */
skp_status skp__graph_use_averages(struct skp_graph *g);

/* The signature of a node in this graph; its types are the node's, and go with it. */
struct skp_sig skp__graph_sig(const struct skp_graph *g, const struct skp_node *node);

/* The value whose memory v lives in: its base, or v itself. */
skp_value skp__graph_root(const struct skp_graph *g, skp_value v);
/* Of a node that reads other values than before: what it makes in its inputs' memory lives in theirs now. */
void skp__graph_place(struct skp_graph *g, const struct skp_node *node);

/* How often each value is read by nodes: `reads` has one entry a tensor. */
void skp__graph_reads(const struct skp_graph *g, int *reads);
/* For each tensor whether the logits depend on it; without logits all do. */
void skp__graph_leads(const struct skp_graph *g, bool *leads);
/* Whether they depend on any of a node's outputs. */
bool skp__node_leads(const struct skp_node *node, const bool *leads);
/* How many parameters a node reads. */
int64_t skp__graph_parameters(const struct skp_graph *g, const struct skp_node *node);

/* Takes the nodes for which `gone` is set out of the list. */
void skp__graph_remove(struct skp_graph *g, const bool *gone);

/* Puts the nodes in the order of their ranks, equal ones as they stand. */
skp_status skp__graph_arrange(struct skp_graph *g, const size_t *rank);

/* Drops optional outputs that nobody reads, so that they are neither computed nor given
 * memory. To be called when the graph is whole. */
skp_status skp__graph_prune(struct skp_graph *g);

/* Finds a value by name among those of `role`; SKP_NONE if there is none. */
skp_value skp__graph_find(const struct skp_graph *g, skp_role role, const char *name);

/* Gives the params (and the state tensors) their slices of the flat values "params" and "state", each slice aligned to
 * SKP_SLICE_ALIGN elements: 512 bytes, the largest sub-buffer alignment that GPUs in use ask for; gaps stay zero. So a
 * block of factors belongs to one param. Params that lead nowhere are noted as idle. Call once, when the model is
 * complete. */
enum { SKP_SLICE_ALIGN = SKP_UPDATE_BLOCK };
/* Elements that a slice of n takes. */
static inline int64_t skp__slice_size(int64_t n) {
  return (n + SKP_SLICE_ALIGN - 1) / SKP_SLICE_ALIGN * SKP_SLICE_ALIGN;
}
skp_status skp__graph_collect(struct skp_graph *g);

/* A copy of the forward graph `g` for batch size N: shapes inferred anew, without `training` an op's attribute of that
 * name 0; slices as in g. Evaluation keeps each node's first output only: the others serve gradients; its weights are
 * constant. */
skp_status skp__graph_instance(struct skp_graph **out, const struct skp_graph *g, int64_t N, bool training);

/* Adds labels (with `mixed` second ones and their lambdas, too) and loss (role RESULT). */
skp_status skp__graph_add_loss(struct skp_graph *g, float label_smoothing, bool mixed);

/* Adds the gradients of `loss` to all params that are not frozen, each written into its
 * slice of "grads" (autodiff.c). */
skp_status skp__graph_differentiate(struct skp_graph *g);

/* Cuts the batchnorms that learn, and their gradients, in halves between which ranks can exchange what they found
 * (sync.c). To be called after all that fuses. */
skp_status skp__graph_sync(struct skp_graph *g);

struct skp_update {
  const struct skp_op *op; /* sgd, adam, adamw */
  union skp_attrs attrs;
  float clip_norm; /* what the norm of all gradients is at most; 0: whatever it is */
  bool average;    /* keep running averages of params and state */
  bool sticky;     /* after a step that was not finite nothing is updated any more, until `broken` is set to 0 */
};
/* Adds what keeps a step that is not finite from changing anything, the moments, `hyper`, `factors` where a param has
 * others than 1, what `u` asks for, and one update of the flat params. */
skp_status skp__graph_add_update(struct skp_graph *g, const struct skp_update *u);
/* The first node that changes what outlives a step: parameters, running statistics, moments; as many as there are:
 * none does. */
size_t skp__graph_first_change(const struct skp_graph *g);

/* For a micro-batch, instead of an update: its gradients and loss are added to
 * the flat value "grads_sum" and to `loss_sum`. */
skp_status skp__graph_add_sums(struct skp_graph *g);

/* The flat sum of gradients in spans, the last one first, as the backward pass is through with them: of each a node
 * makes the sum as soon as nothing more is written of its gradients (sums.c). They depend on the number of parameters
 * alone. */
enum { SKP_SPANS = 16 };
struct skp_span {
  int64_t from, n; /* elements */
};
int skp__spans(int64_t total); /* 1 to SKP_SPANS */
struct skp_span skp__span(int64_t total, int i);
/* The span of which node n makes the sum; -1: it does something else. */
int skp__span_summed(const struct skp_graph *g, size_t n);
/* Adds these nodes, for the ports that are there. */
skp_status skp__graph_sum_up(struct skp_graph *g);
/* And the graph of its update: the flat values of `g` with nothing between, gradients in "grads_sum", the loss in
 * `loss_sum`. */
skp_status skp__graph_flat(struct skp_graph **out, const struct skp_graph *g);

/* Its images come as bytes from now on, and a node in front makes numbers of them. To be called when the graph is
 * whole. */
skp_status skp__graph_take_bytes(struct skp_graph *g);

/* What the host writes into the value `factors`, as many floats as that has. */
void skp__graph_factors(const struct skp_graph *g, float *out);

#endif
