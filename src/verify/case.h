/* case.h: inside verify: a case is a little graph of which every value is known. SPDX-License-Identifier: MIT
 *
 *   build (golden.c, generated.c): values, nodes, gradients ─> complete: the plain C fills in what is not known
 *   ─> judge: each node alone, by one method, on known inputs, against its known outputs
 *
 * As each node reads known values and not what another node made of them, a fault shows where it is, and rounding never
 * decides which side of a kink the next node sees. */
#ifndef SKP_VERIFY_CASE_H
#define SKP_VERIFY_CASE_H

#include "backend/backend.h"
#include "graph/graph.h"
#include <cjson/cJSON.h>

/* What is known of a value: `data` in the layout of op.h, and how far a result may be from it. */
struct skp__known {
  void *data; /* in the value's type; NULL: not yet known */
  double tolerance;
};

/* Stands in results for what nobody knows: a NaN as a float, twice NaN as bfloat16, large as an int. */
extern const uint32_t skp__case_unknown;

struct skp__case {
  char op[48], id[160]; /* the golden op's name; golden: "003"; generated: its row */
  struct skp_graph *g;
  SKP_ARRAY(struct skp__known) known; /* [tensor of g] */
  bool best_only;                     /* by the first method that takes it: it is there for that one */
};

skp_status skp__case_create(struct skp__case *c, const char *op, const char *id);
void skp__case_free(struct skp__case *c);

/* Whether cases of that name are asked for by `op`: the name itself, that of the op behind it, or NULL for all. */
bool skp__case_is_of(const char *name, const char *op);
/* The op that golden files call `name`, with the attributes that the JSON object says; others have their defaults.
 * "optimizer", "add_relu" and the names of activations are no ops' own. Attributes of the case that are not the op's
 * (lr, steps) are passed over. */
skp_status skp__case_op(const struct skp_op **op, union skp_attrs *attrs, const char *name, const cJSON *json);
/* An input. `data` (malloc) is taken over, also on failure. */
skp_status skp__case_input(struct skp__case *c, skp_value *out, struct skp_shape shape, void *data);
/* An input of random content that suits one of that name; labels are below `classes`. */
struct skp__random;
skp_status skp__case_random(struct skp__case *c, skp_value *v, const char *name, struct skp_shape shape,
                            int64_t classes, struct skp__random *r);
/* Puts a number that is none somewhere into an input of floats. */
void skp__case_spoil(struct skp__case *c, skp_value v, struct skp__random *r);
/* As skp__graph_node. */
skp_status skp__case_node(struct skp__case *c, const struct skp_op *op, const union skp_attrs *attrs,
                          const skp_value *in, const bool *want, skp_value *out);
/* The gradient nodes of node `n` as its op builds them, dy (SKP_NONE: a loss's 1) arriving at output 0. `need` and
 * `din` have as many entries as the node has inputs. */
skp_status skp__case_gradient(struct skp__case *c, size_t n, skp_value dy, const bool *need, skp_value *din);
/* Says what value `v` has to be; `data` is taken over as above. If it is known already the two must agree. */
skp_status skp__case_expect(struct skp__case *c, skp_value v, struct skp_shape shape, void *data, double tolerance);
/* Fills in what is not known. */
skp_status skp__case_complete(struct skp__case *c);
/* Of a complete case: adds, for each node that has outputs which nobody need want, a twin without them. */
skp_status skp__case_add_twins(struct skp__case *c);

double skp__case_element(const void *data, int64_t i, skp_dtype dtype);
double skp__case_max(const void *data, int64_t count, skp_dtype dtype); /* largest magnitude */

/* ---- sources ----------------------------------------------------------------------------------------------------- */

/* Called for each case; the case stays the caller's. */
typedef skp_status (*skp__case_visit)(void *user, const struct skp__case *c);

/* The cases of all files ops/OP.safetensors below `folder`, of all ops or one. */
skp_status skp__golden_each(const char *folder, const char *op, skp__case_visit visit, void *user);
/* Those made here with random inputs. */
skp_status skp__generated_each(const char *op, uint64_t seed, bool quick, skp__case_visit visit, void *user);

/* A smaller signature of the same kind as `sig`: same op, attributes, types and optional values, for which `method`
 * launches the same kernels; extents leave the same rests in tiles and vectors. The smallest of some. skp__sig_free. */
skp_status skp__case_shrink(struct skp_sig *out, const struct skp_sig *sig, struct skp_backend *b, const char *method);
/* A case of that one call, random and complete; of large ones only a part of the results is known. On failure there is
 * nothing to free. */
skp_status skp__case_of(struct skp__case *c, const struct skp_sig *sig, uint64_t seed);

/* ---- judging ----------------------------------------------------------------------------------------------------- */

struct skp__verdict {
  bool refused;    /* the method turned out unable to take it */
  bool ran;        /* it did, so what it computed is known; else `text` says why not, a kernel that does not compile */
  bool passed;     /* else `text` says why not */
  char tensor[40]; /* the worst element: of which result, where, … ("" if the fault is of another kind) */
  int64_t index;
  double got, want;
  char text[2400];
};

/* Runs node `n` by `method` and compares. A status is returned only where no verdict is
 * possible (memory, a lost device). */
skp_status skp__judge(struct skp__verdict *out, struct skp_backend *b, const struct skp__case *c, size_t n,
                      const char *method);

#endif
