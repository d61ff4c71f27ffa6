/* graph.c: what a step does, as a graph. SPDX-License-Identifier: MIT */
#include "train/session/session.h"

/* The host reads the logits after the step: neither they nor what they are a view of may be overwritten in it. */
static void keep_logits(struct skp_graph *g) {
  g->tensors.at[g->logits].role = SKP_ROLE_RESULT;
  g->tensors.at[skp__graph_root(g, g->logits)].role = SKP_ROLE_RESULT;
}

static skp_status add_update(struct skp_graph *g, const struct skp_recipe *r) {
  struct skp_update update = {.clip_norm = (float)r->clip_norm, .average = r->ema > 0, .sticky = !skp__recipe_skips(r)};
  SKP_TRY(skp__recipe_optimizer(&update.op, &update.attrs, r));
  return skp__graph_add_update(g, &update);
}

static skp_status complete(struct skp_graph *g, const struct skp_recipe *r, skp_step step) {
  g->mixed = skp__recipe_is_mixed(r);
  if (step != SKP_STEP_EVAL) SKP_TRY(skp__recipe_select(g, r));
  if (step == SKP_STEP_UPDATE) return add_update(g, r);
  if (step == SKP_STEP_EVAL) SKP_TRY(skp__fold(g));
  SKP_TRY(skp__fuse(g));
  if (step == SKP_STEP_EVAL) {
    keep_logits(g);
    return SKP_OK;
  }
  const struct skp_augment augment = skp__recipe_augment(r);
  SKP_TRY(skp__graph_add_loss(g, (float)r->label_smoothing, skp__augment_mixes(&augment)));
  SKP_TRY(skp__graph_differentiate(g));
  SKP_TRY(skp__fuse(g));
  return step == SKP_STEP_MICRO ? skp__graph_add_sums(g) : add_update(g, r);
}

/* A graph that failed is none. */
static skp_status keep(struct skp_graph **g, skp_status status) {
  if (status == SKP_OK) return SKP_OK;
  skp__graph_destroy(*g);
  *g = NULL;
  return status;
}

skp_status skp__step_graph(struct skp_graph **out, const struct skp_model *m, int64_t N, skp_step step) {
  SKP_TRY(step == SKP_STEP_UPDATE ? skp__graph_flat(out, m->graph)
                                  : skp__graph_instance(out, m->graph, N, step != SKP_STEP_EVAL));
  return keep(out, complete(*out, &m->recipe, step));
}

skp_status skp__step_graph_of(struct skp_graph **out, const struct skp_model *m, int64_t N, skp_step step, bool bytes) {
  SKP_TRY(skp__step_graph(out, m, N, step));
  return bytes && step != SKP_STEP_UPDATE ? keep(out, skp__graph_take_bytes(*out)) : SKP_OK;
}
