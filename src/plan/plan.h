/* plan.h: from a graph to a list of launches: fusion, memory, preparation. SPDX-License-Identifier: MIT */
#ifndef SKP_PLAN_PLAN_H
#define SKP_PLAN_PLAN_H

#include "backend/backend.h"
#include "graph/graph.h"

/* Pass 1 (fuse.c), graph in, graph out: what one kernel can do becomes one node: batchnorm or conv2d with the relu and
 * add that follow, add + relu, a data gradient with its addition to another and the relu that it goes through. To be
 * applied to a forward graph before skp__graph_differentiate, whose gradients are then fused too, and to what that
 * makes of it. */
skp_status skp__fuse(struct skp_graph *g);
/* Before it, in evaluation alone: a batchnorm after a conv2d becomes a factor and an addend of the latter's results. */
skp_status skp__fold(struct skp_graph *g);

/* Pass 2 (precision.c), of a whole graph: maps become bfloat16 where that is safe, with casts at the borders. */
skp_status skp__precision(struct skp_graph *g);

/* Of a whole graph, for devices that gain by it: convolutions sum what a batchnorm behind them wants to know of their
 * results. */
skp_status skp__share_statistics(struct skp_graph *g);

/* Of a whole graph, whose node n leaves parts[n] parts of a sum (0: none; see the slot `parts` in backend.h): one node
 * adds those of several weight gradients (parts.c), for which they wait, in no more than `most` bytes where they are
 * those of several. */
skp_status skp__join_sums(struct skp_graph *g, const int *parts, int64_t most);

/* Pass 3 (memory.c): where each activation lives. Values whose lifetimes do not overlap share memory. */
enum { SKP_ARENAS = 16 };
struct skp_memory {
  int64_t *offset;      /* [tensor]: byte offset in its arena, -1: not in an arena */
  int *arena;           /* [tensor] */
  int64_t *workspace;   /* [node]: byte offset of its workspace, -1: none */
  int *workspace_arena; /* [node] */
  int64_t arena_bytes[SKP_ARENAS];
  int arenas;
};
/* workspace_bytes[node] is what the prepared ops asked for. Offsets are multiples of `alignment`; no arena exceeds
 * `max_allocation`. */
skp_status skp__memory_plan(struct skp_memory *out, const struct skp_graph *g, const int64_t *workspace_bytes,
                            int64_t alignment, int64_t max_allocation);
void skp__memory_free(struct skp_memory *m);

/* What outlives a step and is shared by the plans of one network (training, its last smaller batch, evaluation): the
 * flat values params, state, grads, moments. Found by the tensors' names. */
struct skp_store;
struct skp__methods;
skp_status skp__store_create(struct skp_store **out, struct skp_backend *b);
void skp__store_destroy(struct skp_store *s);
/* The buffer of that name, created (zeroed) at the first call; later calls must ask for the same size. */
skp_status skp__store_buffer(struct skp_store *s, struct skp_buffer **out, const char *name, int64_t bytes);
/* The n-th of its buffers; NULL past the end. */
struct skp_buffer *skp__store_nth(const struct skp_store *s, size_t n, const char **name, int64_t *bytes);

/* Which methods the calls of its plans were given: see methods.h. */
struct skp__methods *skp__store_methods(struct skp_store *s);

/* A step made ready: the launch list and the buffers that it works on. Takes `g` over, on failure too. */
struct skp_plan;
skp_status skp__plan_create(struct skp_plan **out, struct skp_graph *g, struct skp_backend *b, struct skp_store *store);
void skp__plan_destroy(struct skp_plan *p);
/* What a plan of `g` would need, found without allocating it: methods are chosen for the workspaces that they want,
 * which compiles their kernels. b NULL: without workspaces and limits. Takes `g` over. */
struct skp_plan_needs {
  /* bytes; of activations: all arenas, with the workspaces in them, and what ops keep */
  int64_t of_role[SKP_ROLES];
  int64_t total, largest; /* of them all; of a single allocation */
  double flops;
};
skp_status skp__plan_measure(struct skp_plan_needs *out, struct skp_graph *g, struct skp_backend *b);
const struct skp_graph *skp__plan_graph(const struct skp_plan *p);
/* The buffer of a value that the host writes or reads (roles INPUT, RESULT, and the flat ones). */
struct skp_buffer *skp__plan_buffer(const struct skp_plan *p, skp_value v);
/* Queues the nodes from one on and before another; the whole step. */
skp_status skp__plan_run_nodes(struct skp_plan *p, size_t from, size_t before);
skp_status skp__plan_run(struct skp_plan *p);
/* From now on whoever runs it is called when a node is queued; NULL: nobody is. */
typedef skp_status (*skp__after_node)(void *user, struct skp_plan *p, size_t n);
void skp__plan_watch(struct skp_plan *p, skp__after_node after, void *user);
/* The same, and waits; tells the place of each launch's node, the launch's name, and how long it kept the device. */
skp_status skp__plan_time(struct skp_plan *p, skp__tell_launch tell, void *user);
double skp__plan_flops(const struct skp_plan *p);
/* How many ops a step has, and how many launches they take. */
size_t skp__plan_ops(const struct skp_plan *p);
size_t skp__plan_launches(const struct skp_plan *p);
/* The method that node n was given, and its tolerance; "view" for one that needs none. */
const char *skp__plan_method(const struct skp_plan *p, size_t n);
double skp__plan_tolerance(const struct skp_plan *p, size_t n);

#endif
