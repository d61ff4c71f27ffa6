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

static skp_status complete_step(struct skp_graph *g, const struct skp_recipe *r, const struct skp__variant *of) {
  const skp_step step = of->step;
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
  if (of->synced) SKP_TRY(skp__graph_sync(g));
  return step == SKP_STEP_MICRO ? skp__graph_add_sums(g) : add_update(g, r);
}

static skp_status complete(struct skp_graph *g, const struct skp_recipe *r, const struct skp__variant *of) {
  SKP_TRY(complete_step(g, r, of));
  if (of->bytes) SKP_TRY(skp__graph_take_bytes(g));
  return of->averaged ? skp__graph_use_averages(g) : SKP_OK;
}

skp_status skp__step_graph(struct skp_graph **out, const struct skp_model *m, const struct skp__variant *of) {
  SKP_TRY(of->step == SKP_STEP_UPDATE ? skp__graph_flat(out, m->graph)
                                      : skp__graph_instance(out, m->graph, of->N, of->step != SKP_STEP_EVAL));
  skp_status status = complete(*out, &m->recipe, of);
  if (status == SKP_OK) return SKP_OK;
  skp__graph_destroy(*out); /* a graph that failed is none */
  *out = NULL;
  return status;
}
