/* layers.c: where a step's time goes: skipper bench --layers. SPDX-License-Identifier: MIT
 *
 *   plan ─> rounds of timed launches, the least time of each ─> rows, one a node ─>
 *   sorted, printed; then summed by operation and method */
#include "api/api.h"
#include "base/text.h"
#include "cli/cli.h"
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 7 };

struct launch {
  size_t node;
  const char *name;
  double seconds; /* the least of all rounds */
};

/* A node, or all nodes of one operation and method. */
struct row {
  size_t node; /* the first */
  int nodes;
  double seconds, flops;
};

struct timing {
  struct skp_plan *plan;
  SKP_ARRAY(struct launch) launches;
  SKP_ARRAY(struct row) rows, kinds;
  size_t next;       /* launch of this round */
  skp_status status; /* of taking notes */
  double total;      /* seconds */
};

/* ---- measuring -------------------------------------------------------------------------------------------------- */

static void note(void *user, size_t node, const char *name, double seconds) {
  struct timing *t = user;
  size_t i = t->next++;
  if (i == t->launches.n) {
    if (t->status == SKP_OK) t->status = SKP_GROW(&t->launches);
    if (t->status != SKP_OK) return;
    t->launches.at[i] = (struct launch){node, name, seconds};
  }
  if (seconds < t->launches.at[i].seconds) t->launches.at[i].seconds = seconds;
}

static struct skp_sig sig_of(const struct timing *t, size_t node) {
  const struct skp_graph *g = skp__plan_graph(t->plan);
  return skp__graph_sig(g, &g->nodes.at[node]);
}

static skp_status add_rows(struct timing *t) {
  for (size_t i = 0; i < t->launches.n; i++) {
    const struct launch *l = &t->launches.at[i];
    struct skp_sig sig = sig_of(t, l->node);
    if (!t->rows.n || t->rows.at[t->rows.n - 1].node != l->node) {
      SKP_TRY(SKP_GROW(&t->rows));
      t->rows.at[t->rows.n - 1] = (struct row){.node = l->node, .nodes = 1, .flops = skp__op_flops(&sig)};
    }
    t->rows.at[t->rows.n - 1].seconds += l->seconds;
    t->total += l->seconds;
  }
  return SKP_OK;
}

static bool same_kind(const struct timing *t, size_t a, size_t b) {
  const struct skp_graph *g = skp__plan_graph(t->plan);
  return g->nodes.at[a].op == g->nodes.at[b].op && !strcmp(skp__plan_method(t->plan, a), skp__plan_method(t->plan, b));
}

static skp_status add_kinds(struct timing *t) {
  for (size_t i = 0; i < t->rows.n; i++) {
    const struct row *r = &t->rows.at[i];
    size_t k = 0;
    while (k < t->kinds.n && !same_kind(t, t->kinds.at[k].node, r->node)) k++;
    if (k == t->kinds.n) {
      SKP_TRY(SKP_GROW(&t->kinds));
      t->kinds.at[k].node = r->node;
    }
    t->kinds.at[k].nodes++;
    t->kinds.at[k].seconds += r->seconds;
    t->kinds.at[k].flops += r->flops;
  }
  return SKP_OK;
}

static int slowest_first(const void *a, const void *b) {
  const struct row *x = a, *y = b;
  if (x->seconds != y->seconds) return x->seconds > y->seconds ? -1 : 1;
  return x->node < y->node ? -1 : x->node > y->node;
}

static skp_status measure(struct timing *t) {
  for (int i = 0; i < ROUNDS; i++) {
    t->next = 0;
    SKP_TRY(skp__plan_time(t->plan, note, t));
    SKP_TRY(t->status);
  }
  SKP_TRY(add_rows(t));
  SKP_TRY(add_kinds(t));
  qsort(t->rows.at, t->rows.n, sizeof *t->rows.at, slowest_first);
  qsort(t->kinds.at, t->kinds.n, sizeof *t->kinds.at, slowest_first);
  return SKP_OK;
}

/* ---- showing ---------------------------------------------------------------------------------------------------- */

static double gflops(const struct row *r) { return r->seconds > 0 ? r->flops / r->seconds * 1e-9 : 0; }

/* "64×8×8×16, 3×3×16×32 -> 64×8×8×32": the first two inputs and the first output. */
static void add_shapes(struct skp__text *text, const struct skp_sig *sig) {
  char one[96];
  for (int i = 0; i < 2 && i < sig->n_in; i++)
    if (sig->in[i].rank) skp__text_add(text, "%s%s", i ? ", " : "", skp__shape_text(one, sizeof one, &sig->in[i]));
  skp__text_add(text, " -> %s", skp__shape_text(one, sizeof one, &sig->out[0]));
}

static void print_row(const struct timing *t, const struct row *r) {
  const struct skp_node *node = &skp__plan_graph(t->plan)->nodes.at[r->node];
  struct skp_sig sig = sig_of(t, r->node);
  struct skp__text shapes = {0}, launches = {0};
  add_shapes(&shapes, &sig);
  for (size_t i = 0; i < t->launches.n; i++)
    if (t->launches.at[i].node == r->node)
      skp__text_add(&launches, "%s%s %.3f", launches.n ? ", " : "", t->launches.at[i].name,
                    1e3 * t->launches.at[i].seconds);
  printf("%9.3f %5.1f %9.1f  %-24s %-24s %-12s %s  (%s)\n", 1e3 * r->seconds, 100 * r->seconds / t->total, gflops(r),
         node->scope, node->op->name, skp__plan_method(t->plan, r->node), shapes.at, launches.at);
}

static void print_kind(const struct timing *t, const struct row *r) {
  const struct skp_node *node = &skp__plan_graph(t->plan)->nodes.at[r->node];
  printf("%9.3f %5.1f %9.1f  %-24d %-24s %s\n", 1e3 * r->seconds, 100 * r->seconds / t->total, gflops(r), r->nodes,
         node->op->name, skp__plan_method(t->plan, r->node));
}

static void print(const struct timing *t) {
  printf("\n%9s %5s %9s  %-24s %-24s %-12s %s\n", "ms", "%", "GFLOP/s", "layer", "operation", "method",
         "shapes (launches, ms)");
  for (size_t i = 0; i < t->rows.n; i++) print_row(t, &t->rows.at[i]);
  printf("\n%9s %5s %9s  %-24s %-24s %s\n", "ms", "%", "GFLOP/s", "nodes", "operation", "method");
  for (size_t i = 0; i < t->kinds.n; i++) print_kind(t, &t->kinds.at[i]);
  printf("%9.3f ms in all launches, each at the least of %d runs\n", 1e3 * t->total, ROUNDS);
}

static void add_json(cJSON *list, const struct timing *t, const struct row *r) {
  const struct skp_node *node = &skp__plan_graph(t->plan)->nodes.at[r->node];
  struct skp_sig sig = sig_of(t, r->node);
  struct skp__text shapes = {0};
  cJSON *layer = cJSON_CreateObject(), *launches, *launch;
  add_shapes(&shapes, &sig);
  cJSON_AddItemToArray(list, layer);
  cJSON_AddStringToObject(layer, "layer", node->scope);
  cJSON_AddStringToObject(layer, "operation", node->op->name);
  cJSON_AddStringToObject(layer, "method", skp__plan_method(t->plan, r->node));
  cJSON_AddStringToObject(layer, "shapes", shapes.at);
  cJSON_AddNumberToObject(layer, "ms", 1e3 * r->seconds);
  cJSON_AddNumberToObject(layer, "gflops", gflops(r));
  launches = cJSON_AddArrayToObject(layer, "launches");
  for (size_t i = 0; i < t->launches.n; i++) {
    if (t->launches.at[i].node != r->node) continue;
    cJSON_AddItemToArray(launches, launch = cJSON_CreateObject());
    cJSON_AddStringToObject(launch, "name", t->launches.at[i].name);
    cJSON_AddNumberToObject(launch, "ms", 1e3 * t->launches.at[i].seconds);
  }
}

skp_status cli_time_layers(struct skp_plan *plan, cJSON *object) {
  struct timing t = {.plan = plan};
  skp_status status = measure(&t);
  if (status == SKP_OK && !object) print(&t);
  if (status == SKP_OK && object) {
    cJSON *list = cJSON_AddArrayToObject(object, "layers");
    for (size_t i = 0; i < t.rows.n; i++) add_json(list, &t, &t.rows.at[i]);
  }
  SKP_FREE(&t.launches);
  SKP_FREE(&t.rows);
  SKP_FREE(&t.kinds);
  return status;
}
