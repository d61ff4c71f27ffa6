/* canary.c: see canary.h. SPDX-License-Identifier: MIT
 *
 *   nodes before it ─> its inputs are read ─> the node ─> its outputs are read ─> nodes after it; plain C ─> judged */
#include "train/step/canary.h"
#include "skipper/version.h"

enum {
  MOST_BYTES = 8 << 20, /* that are read for a replay: a few milliseconds */
  HOP = 7919            /* nodes from one replayed to the next: a prime, so that all have their turn */
};

bool skp__canary_due(const struct skp_backend *b, int64_t step) { return b->check && step % SKP_CANARY_STEPS == 0; }

static skp_value value_of(const struct skp_node *node, int i) {
  return i < node->n_in ? node->in[i] : node->out[i - node->n_in];
}

/* Reads the values from one on and before another. */
static skp_status read_values(struct skp_backend *b, const struct skp_plan *p, const struct skp_node *node,
                              struct skp__replay *r, int from, int before) {
  for (int i = from; i < before; i++) {
    int64_t at, bytes;
    skp__replay_range(r, i, &at, &bytes);
    if (!bytes) continue;
    SKP_TRY(b->ops->read(b, skp__plan_buffer(p, value_of(node, i)), at, r->value[i] + at, bytes));
  }
  return skp__backend_finish(b);
}

skp_status skp__canary_take(struct skp_backend *b, struct skp_plan *p, size_t n, struct skp__replay *r) {
  const struct skp_node *node = &skp__plan_graph(p)->nodes.at[n];
  SKP_TRY(read_values(b, p, node, r, 0, node->n_in));
  SKP_TRY(skp__plan_run_nodes(p, n, n + 1));
  return read_values(b, p, node, r, node->n_in, node->n_in + node->n_out);
}

void skp__canary_line(struct skp__text *out, struct skp_backend *b, const struct skp_plan *p, size_t n, int64_t step,
                      const char *text) {
  const struct skp_graph *g = skp__plan_graph(p);
  const struct skp_node *node = &g->nodes.at[n];
  const struct skp_sig sig = skp__graph_sig(g, node);
  struct skp_backend_info info;
  b->ops->info(b, &info);
  skp__text_add(out, "Wrong results: %s, %s%s%s, skipper %s: step %lld, node %zu of %s, ", info.name, info.driver,
                *info.layers ? ", " : "", info.layers, SKP_VERSION, (long long)step, n,
                *node->scope ? node->scope : "the network");
  skp__sig_text(out, &sig);
  skp__text_add(out, " by %s: %s", skp__plan_method(p, n), text);
}

static skp_status fail(struct skp_backend *b, const struct skp_plan *p, size_t n, int64_t step, const char *text) {
  struct skp__text line = {0};
  skp__canary_line(&line, b, p, n, step, text);
  return skp__fail(SKP_DEVICE,
                   "%s. It was right when the run began, so the device or its driver went wrong meanwhile. What was "
                   "saved before stays; the run can go on from there once it is mended, or on another device.",
                   line.at);
}

static skp_status replay(struct skp_backend *b, struct skp_plan *p, size_t n, int64_t step, struct skp__replay *r) {
  struct skp__verdict v;
  SKP_TRY(skp__plan_run_nodes(p, 0, n));
  SKP_TRY(skp__canary_take(b, p, n, r));
  SKP_TRY(skp__plan_run_nodes(p, n + 1, skp__plan_graph(p)->nodes.n));
  SKP_TRY(skp__replay_judge(&v, r, skp__plan_tolerance(p, n)));
  return v.passed ? SKP_OK : fail(b, p, n, step, v.text);
}

/* Opens the replay of the first node from `n` on, in a circle, that costs little; false: there is none. */
static bool choose(struct skp__replay *r, const struct skp_graph *g, size_t *n) {
  for (size_t tried = 0; tried < g->nodes.n; tried++, *n = (*n + 1) % g->nodes.n) {
    const struct skp_sig sig = skp__graph_sig(g, &g->nodes.at[*n]);
    if (!sig.op->reference) continue;
    if (skp__replay_open(r, &sig) == SKP_OK && skp__replay_bytes(r) <= MOST_BYTES) return true;
    skp__replay_close(r);
  }
  return false;
}

skp_status skp__canary_run(struct skp_backend *b, struct skp_plan *p, int64_t step) {
  const struct skp_graph *g = skp__plan_graph(p);
  size_t n = (size_t)(step / SKP_CANARY_STEPS) * HOP % g->nodes.n;
  struct skp__replay r;
  if (!choose(&r, g, &n)) return skp__plan_run(p);
  skp_status status = replay(b, p, n, step, &r);
  skp__replay_close(&r);
  return status;
}
