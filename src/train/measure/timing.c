/* timing.c: see timing.h. SPDX-License-Identifier: MIT
 *
 *   plan ─> rounds of timed launches, the least time of each ─> layers, one a node ─> sorted */
#include "train/measure/timing.h"
#include "base/file.h"
#include "base/text.h"
#include "io/table.h"
#include <stdlib.h>
#include <string.h>

struct launch {
  size_t node;
  const char *name;
  double seconds; /* the least of all rounds */
};

struct timing {
  struct skp_plan *plan;
  const struct skp_backend_peaks *peaks;
  SKP_ARRAY(struct launch) launches;
  size_t next;       /* launch of this round */
  skp_status status; /* of taking notes */
};

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

/* "64×8×8×16, 3×3×16×32 -> 64×8×8×32": the first two inputs and the first output. */
static void add_shapes(struct skp__text *text, const struct skp_sig *sig) {
  char one[96];
  for (int i = 0; i < 2 && i < sig->n_in; i++)
    if (sig->in[i].rank) skp__text_add(text, "%s%s", i ? ", " : "", skp__shape_text(one, sizeof one, &sig->in[i]));
  skp__text_add(text, " -> %s", skp__shape_text(one, sizeof one, &sig->out[0]));
}

/* ---- kinds of work ----------------------------------------------------------------------------------------------- */

static const char *const passes[SKP_PASSES] = {"forward", "data gradients", "weight gradients"};
static const char *const kinds[SKP_KINDS] = {
    [SKP_KIND_OTHER] = "rest",          [SKP_KIND_CONVOLUTION] = "convolutions", [SKP_KIND_LINEAR] = "linear",
    [SKP_KIND_BATCHNORM] = "batchnorm", [SKP_KIND_LAYERNORM] = "layernorm",      [SKP_KIND_POOL] = "rest",
    [SKP_KIND_UPDATE] = "optimizer"};

/* "3×3 convolutions, weight gradients", "linear, forward", "batchnorm". */
static void name_kind(char *out, size_t size, const struct skp_sig *sig) {
  const struct skp_op *op = sig->op;
  const bool dw = op->pass == SKP_PASS_WEIGHTS;
  if (op->kind == SKP_KIND_CONVOLUTION)
    snprintf(out, size, "%d×%d %s, %s", dw ? sig->attrs.conv2d.h : (int)sig->in[1].dim[0],
             dw ? sig->attrs.conv2d.w : (int)sig->in[1].dim[1], kinds[op->kind], passes[op->pass]);
  else if (op->kind == SKP_KIND_LINEAR)
    snprintf(out, size, "%s, %s", kinds[op->kind], passes[op->pass]);
  else
    snprintf(out, size, "%s", kinds[op->kind]);
}

/* ---- shares ------------------------------------------------------------------------------------------------------ */

/* Of an op's maps, all or none are narrow, and with them its products. */
static double products_peak(const struct skp_backend_peaks *p, const struct skp_sig *sig) {
  return p->narrow > 0 && sig->op->narrow && skp__sig_narrow(sig) ? p->narrow : p->fma;
}

static double memory_peak(const struct skp_backend_peaks *p) {
  const double stored = p->write > p->triad ? p->write : p->triad;
  return p->read > stored ? p->read : stored;
}

/* What the shares are of: first the seconds that work takes at a peak (0: none is known), in the end of all seconds. */
static void begin_shares(skp_layer_time *l, const struct skp_backend_peaks *p, const struct skp_sig *sig) {
  const double products = products_peak(p, sig), memory = memory_peak(p);
  l->compute_share = products > 0 ? l->flops / products : 0;
  l->memory_share = memory > 0 ? l->bytes / memory : 0;
}

static void end_shares(skp_layer_time *l) {
  l->compute_share = l->seconds > 0 ? l->compute_share / l->seconds : 0;
  l->memory_share = l->seconds > 0 ? l->memory_share / l->seconds : 0;
}

/* ---- layers ------------------------------------------------------------------------------------------------------ */

static skp_status add_layer(struct skp__timing *out, const struct timing *t, size_t n) {
  struct skp_plan *plan = t->plan;
  const struct skp_graph *g = skp__plan_graph(plan);
  const struct skp_node *node = &g->nodes.at[n];
  const struct skp_sig sig = skp__graph_sig(g, node);
  struct skp__text shapes = {.n = 0};
  add_shapes(&shapes, &sig);
  SKP_TRY(SKP_GROW(&out->layers));
  skp_layer_time *l = &out->layers.at[out->layers.n - 1];
  *l = (skp_layer_time){.layer = node->scope,
                        .operation = node->op->name,
                        .method = skp__plan_method(plan, n),
                        .flops = skp__op_flops(&sig),
                        .bytes = skp__op_bytes(&sig)};
  name_kind(l->kind, sizeof l->kind, &sig);
  begin_shares(l, t->peaks, &sig);
  snprintf(l->shapes, sizeof l->shapes, "%.*s", (int)sizeof l->shapes - 1, shapes.at);
  return SKP_OK;
}

/* Launches of a node follow each other. */
static skp_status add_layers(struct skp__timing *out, const struct timing *t) {
  for (size_t i = 0; i < t->launches.n; i++) {
    const struct launch *l = &t->launches.at[i];
    SKP_TRY(SKP_GROW(&out->launches));
    out->launches.at[i] = (skp_launch_time){l->name, l->seconds};
    if (!i || t->launches.at[i - 1].node != l->node) SKP_TRY(add_layer(out, t, l->node));
    skp_layer_time *layer = &out->layers.at[out->layers.n - 1];
    layer->seconds += l->seconds;
    layer->n_launches++;
  }
  size_t next = 0; /* the array of launches moves no more */
  for (size_t i = 0; i < out->layers.n; next += out->layers.at[i++].n_launches) {
    out->layers.at[i].launches = out->launches.at + next;
    end_shares(&out->layers.at[i]);
  }
  return SKP_OK;
}

static int slowest_first(const void *a, const void *b) {
  const skp_layer_time *x = a, *y = b;
  if (x->seconds != y->seconds) return x->seconds > y->seconds ? -1 : 1;
  return x->launches < y->launches ? -1 : x->launches > y->launches;
}

static skp_status measure(struct skp__timing *out, struct timing *t) {
  for (int i = 0; i < SKP_TIMING_ROUNDS; i++) {
    t->next = 0;
    SKP_TRY(skp__plan_time(t->plan, note, t));
    SKP_TRY(t->status);
  }
  SKP_TRY(add_layers(out, t));
  qsort(out->layers.at, out->layers.n, sizeof *out->layers.at, slowest_first);
  return SKP_OK;
}

skp_status skp__timing_measure(struct skp__timing *out, struct skp_plan *plan, const struct skp_backend_peaks *peaks) {
  struct timing t = {.plan = plan, .peaks = peaks};
  skp_status status = measure(out, &t);
  SKP_FREE(&t.launches);
  return status;
}

static void put_layer(FILE *to, const skp_layer_time *l, double total) {
  const char *const texts[] = {l->layer, l->operation, l->method, l->shapes};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    skp__table_put(to, texts[i]);
    fputc(',', to);
  }
  fprintf(to, "%.4g,%.4g,%.4g,%zu\n", 1e3 * l->seconds, total > 0 ? l->seconds / total : 0,
          l->seconds > 0 ? 1e-9 * l->flops / l->seconds : 0, l->n_launches);
}

static void put_table(FILE *to, void *user) {
  const struct skp__timing *t = user;
  double total = 0;
  for (size_t i = 0; i < t->layers.n; i++) total += t->layers.at[i].seconds;
  fprintf(to, "layer,operation,method,shapes,milliseconds,share,gflops,launches\n");
  for (size_t i = 0; i < t->layers.n; i++) put_layer(to, &t->layers.at[i], total);
}

skp_status skp__timing_write(const struct skp__timing *t, const char *path) {
  struct skp__timing own = *t;
  return skp__file_print_atomic(path, put_table, &own);
}

void skp__timing_free(struct skp__timing *t) {
  SKP_FREE(&t->launches);
  SKP_FREE(&t->layers);
}
