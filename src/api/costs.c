/* costs.c: what a network's layers are, and what it takes. SPDX-License-Identifier: MIT */
#include "api/api.h"
#include "train/measure/cost.h"
#include <stdlib.h>
#include <string.h>

struct skp_api_costs {
  const struct skp_model *m;
  struct skp_graph *graph; /* forward, of one image: any number of them can be asked about */
  bool *leads;             /* [its tensors]: whether predictions depend on it */
};

skp_status skp_costs_open(skp_costs **out, const skp_model *model) {
  skp_costs *made;
  *out = NULL;
  SKP_TRY(skp__recipe_check(&model->m->recipe));
  SKP_TRY(skp__alloc(&made, 1, sizeof *made));
  made->m = model->m;
  skp_status status = skp__graph_instance(&made->graph, model->m->graph, 1, true);
  if (status == SKP_OK) status = skp__alloc(&made->leads, made->graph->tensors.n, sizeof *made->leads);
  if (status == SKP_OK) skp__graph_leads(made->graph, made->leads);
  if (status == SKP_OK)
    *out = made;
  else
    skp_costs_close(made);
  return status;
}

void skp_costs_close(skp_costs *costs) {
  if (!costs) return;
  skp__graph_destroy(costs->graph);
  free(costs->leads);
  free(costs);
}

size_t skp_costs_layers(const skp_costs *costs) { return costs->graph->nodes.n; }

skp_status skp_costs_layer(const skp_costs *costs, size_t i, skp_layer *out) {
  const struct skp_graph *g = costs->graph;
  *out = (skp_layer){0};
  if (i >= g->nodes.n) return skp__fail(SKP_USAGE, "There is no layer %zu; there are %zu, from 0 on.", i, g->nodes.n);
  const struct skp_node *node = &g->nodes.at[i];
  const struct skp_sig sig = skp__graph_sig(g, node);
  const bool view = !node->op->reference;
  const int64_t batch = costs->m->recipe.batch;
  *out = (skp_layer){.name = node->scope,
                     .operation = node->op->name,
                     .rank = sig.out[0].rank,
                     .parameters = skp__graph_parameters(g, node),
                     .flops = view ? 0 : (double)batch * skp__op_flops(&sig),
                     .idle = !skp__node_leads(node, costs->leads),
                     .bytes = view ? 0 : 4 * batch * skp__shape_count(&sig.out[0])};
  memcpy(out->output, sig.out[0].dim, sizeof out->output);
  out->output[0] *= batch;
  return SKP_OK;
}

static skp_need need_of(const struct skp__cost *c) {
  const int64_t *role = c->needs.of_role;
  return (skp_need){.possible = c->status == SKP_OK,
                    .activations = role[SKP_ROLE_ACTIVATION],
                    .parameters = role[SKP_ROLE_PARAM],
                    .gradients = role[SKP_ROLE_GRAD],
                    .moments = role[SKP_ROLE_MOMENT],
                    .statistics = role[SKP_ROLE_STATE],
                    .inputs = role[SKP_ROLE_INPUT],
                    .results = role[SKP_ROLE_RESULT],
                    .total = c->needs.total,
                    .largest = c->needs.largest,
                    .flops = c->needs.flops,
                    .all = c->all,
                    .fits = c->fits,
                    .largest_batch = c->largest_batch};
}

skp_status skp_costs_measure(skp_costs *costs, skp_device *device, skp_need *evaluation, skp_need *training) {
  struct skp__cost c[SKP__COSTS] = {{.fits = false}};
  *evaluation = *training = (skp_need){0};
  SKP_TRY(skp__cost_measure(c, costs->m, device, costs->m->recipe.batch));
  *evaluation = need_of(&c[SKP__COST_EVALUATION]);
  *training = need_of(&c[SKP__COST_TRAINING]);
  return SKP_OK;
}
