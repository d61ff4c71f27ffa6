/* dump.c: a graph as text, one line a node. SPDX-License-Identifier: MIT */
#include "graph/graph.h"
#include <string.h>

static void dump_values(const struct skp_graph *g, const skp_value *v, int n, bool shapes, FILE *to) {
  const char *comma = "";
  for (int i = 0; i < n; i++) {
    if (v[i] == SKP_NONE) continue;
    char text[96];
    const struct skp_tensor *t = &g->tensors.at[v[i]];
    skp_print(to, "%s%s", comma, t->name);
    if (shapes) fprintf(to, " %s", skp__shape_text(text, sizeof text, &t->shape));
    comma = ", ";
  }
}

static void dump_attrs(const struct skp_node *node, FILE *to) {
  const char *before = " {";
  for (const struct skp_attr *a = node->op->attrs; a && a->name; a++) {
    double value = skp__attr_get(a, &node->attrs);
    if ((float)value == (float)a->fallback) continue;
    fprintf(to, "%s%s ", before, a->name);
    if (a->kind == SKP_ATTR_CHOICE)
      fprintf(to, "%s", a->choices[(int)value]);
    else
      fprintf(to, "%.7g", value);
    before = ", ";
  }
  if (*before == ',') fputc('}', to);
}

void skp__graph_dump(const struct skp_graph *g, FILE *to) {
  for (size_t n = 0; n < g->nodes.n; n++) {
    const struct skp_node *node = &g->nodes.at[n];
    dump_values(g, node->out, node->n_out, true, to);
    fprintf(to, " = %s", node->op->name);
    dump_attrs(node, to);
    fputs(" (", to);
    dump_values(g, node->in, node->n_in, false, to);
    fputs(")\n", to);
  }
}
