/* select.c: which parameters are trained, and how: the recipe's patterns over their names. SPDX-License-Identifier: MIT
 *
 *   freeze = "conv1,layer1.*"        a pattern (see base/pattern.h) fits a parameter by its name,
 *                                    layer1.0.conv1.weight, or by the name of a
 *   lr_mult = "layer4=0.1,fc=10"     layer or scope that it belongs to: layer1.0.conv1, layer1.0, layer1
 *
 * Of several entries of lr_mult that fit, the last one counts; frozen is frozen. */
#include "base/pattern.h"
#include "base/text.h"
#include "model/model.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool fits(const char *pattern, const char *name) {
  char part[512];
  snprintf(part, sizeof part, "%s", name);
  while (!skp__pattern_fits(pattern, part)) {
    char *dot = strrchr(part, '.');
    if (!dot) return false;
    *dot = 0;
  }
  return true;
}

/* Names what there is: the first part of each parameter's name, once. */
static skp_status fail_pattern(const struct skp_graph *g, const char *field, const char *pattern) {
  struct skp__text known = {0};
  size_t last = 0;
  const char *before = "";
  for (size_t i = 0; i < g->tensors.n; i++) {
    const char *name = g->tensors.at[i].name;
    size_t n = strcspn(name, ".");
    if (!skp__is_parameter(&g->tensors.at[i]) || (n == last && strncmp(name, before, n) == 0)) continue;
    skp__text_add(&known, "%s%.*s", last ? ", " : "", (int)n, name);
    before = name;
    last = n;
  }
  return skp__fail(SKP_USAGE, "%s: no parameter of the network fits \"%s\". Their names begin with %s.", field, pattern,
                   known.at);
}

/* Splits "PATTERN=FACTOR". */
static skp_status read_factor(char *entry, float *out) {
  char *equals = strrchr(entry, '='), *end = entry;
  double factor = equals ? strtod(equals + 1, &end) : -1;
  if (!equals || end == equals + 1 || *end || !isfinite(factor) || factor < 0)
    return skp__fail(SKP_USAGE, "lr_mult wants PATTERN=FACTOR, as in fc=10, not \"%s\".", entry);
  *equals = 0;
  *out = (float)factor;
  return SKP_OK;
}

/* Sets the factor of the learning rate of what the entries of `list` fit: their own, or 0 without `factors`. */
static skp_status select_each(struct skp_graph *g, const char *field, const char *list, bool factors) {
  char entries[sizeof(skp__recipe_TEXT)], *rest = NULL;
  if (*list && !list[strspn(list, ",")]) return fail_pattern(g, field, list);
  snprintf(entries, sizeof entries, "%s", list);
  for (char *entry = strtok_r(entries, ",", &rest); entry; entry = strtok_r(NULL, ",", &rest)) {
    float factor = 0;
    bool any = false;
    if (factors) SKP_TRY(read_factor(entry, &factor));
    for (size_t i = 0; i < g->tensors.n; i++) {
      struct skp_tensor *t = &g->tensors.at[i];
      if (!skp__is_parameter(t) || !fits(entry, t->name)) continue;
      if (!t->idle) t->lr = factor;
      any = true;
    }
    if (!any) return fail_pattern(g, field, entry);
  }
  return SKP_OK;
}

/* Biases, and all that batchnorms learn. */
static void select_no_decay(struct skp_graph *g) {
  for (size_t i = 0; i < g->tensors.n; i++)
    if (skp__is_parameter(&g->tensors.at[i]) && g->tensors.at[i].shape.rank == 1) g->tensors.at[i].decay = 0;
}

/* Running statistics of a frozen batchnorm are used, and not written. */
static skp_status keep_statistics(struct skp_graph *g) {
  bool any = false;
  for (size_t n = 0; n < g->nodes.n; n++) {
    struct skp_node *node = &g->nodes.at[n];
    if (node->op != &skp__op_batchnorm) continue;
    if (g->tensors.at[node->in[1]].lr != 0 || g->tensors.at[node->in[2]].lr != 0) continue;
    node->attrs.batchnorm.training = 0;
    node->out[1] = node->out[2] = SKP_NONE;
    any = true;
  }
  return any ? SKP_OK : skp__fail(SKP_USAGE, "freeze_bn: no batchnorm is frozen; freeze = PATTERN says what is.");
}

skp_status skp__recipe_select(struct skp_graph *g, const struct skp_recipe *r) {
  SKP_TRY(select_each(g, "lr_mult", r->lr_mult, true));
  SKP_TRY(select_each(g, "freeze", r->freeze, false));
  if (r->no_decay) select_no_decay(g);
  if (r->freeze_bn && g->nodes.n) SKP_TRY(keep_statistics(g)); /* none in the update after micro-batches */
  for (size_t i = 0; i < g->tensors.n; i++)
    if (skp__is_parameter(&g->tensors.at[i]) && g->tensors.at[i].lr != 0) return SKP_OK;
  if (g->params == SKP_NONE) return SKP_OK;
  if (*r->freeze || *r->lr_mult) return skp__fail(SKP_USAGE, "freeze: nothing is left to train.");
  return skp__fail(SKP_MODEL, "No prediction depends on any parameter of the network: there is nothing to train.");
}
