/* network.c: a network drawn: a column of blocks, one below the other, and the ways that pass some of them by.
 * SPDX-License-Identifier: MIT
 *
 *   nodes ─> blocks (neighbours whose scopes begin alike) ─> which block feeds which ─> boxes, lines, arcs */
#include "train/checkpoint/checkpoint.h"
#include "train/report/page/page.h"
#include <string.h>

enum { MOST = 400, BOX = 46, GAP = 20, LEFT = 30, WIDTH = 430, TOTAL = 520, LANES = 5, LABELS = 16, LABEL = 40 };

struct block {
  size_t first, last; /* nodes */
  int scope;          /* letters of the first one's scope that name it */
  int64_t parameters;
};

struct drawing {
  const struct skp_graph *g;
  size_t n;
  struct block at[MOST]; /* each node is in one, and they are in the nodes' order */
};

/* ---- blocks ------------------------------------------------------------------------------------------------------ */

/* Letters of a scope that say to which block it belongs: all but the last name, three names at most. */
static int stem(const char *scope) {
  enum { DEEPEST = 3 };
  const char *last = strrchr(scope, '.');
  const char *at = scope;
  for (int i = 0; last && i < DEEPEST && at < last; i++) at += strcspn(at + (i > 0), ".") + (i > 0);
  return last ? (int)(at < last ? at - scope : last - scope) : 0;
}

/* Whether a node goes on with the block: the same beginning, or something deeper inside of a block that is a part. */
static bool goes_on(const struct drawing *d, const struct block *b, const struct skp_node *node) {
  const char *own = d->g->nodes.at[b->first].scope, *scope = node->scope;
  const int n = stem(scope);
  if (d->g->nodes.at[b->last].op->kind == SKP_KIND_POOL) return false;
  if (!strncmp(own, scope, (size_t)b->scope) && n == b->scope) return true;
  const bool within = b->scope && !strncmp(own, scope, (size_t)b->scope) && scope[b->scope] == '.';
  return (within || !strncmp(own, scope, strlen(scope))) && memchr(own, '.', (size_t)b->scope);
}

static void find_blocks(struct drawing *d) {
  for (size_t i = 0; i < d->g->nodes.n; i++) {
    const struct skp_node *node = &d->g->nodes.at[i];
    const bool same = d->n && (d->n == MOST || goes_on(d, &d->at[d->n - 1], node));
    if (!same) d->at[d->n++] = (struct block){.first = i, .scope = stem(node->scope)};
    struct block *b = &d->at[d->n - 1];
    b->last = i;
    b->parameters += skp__graph_parameters(d->g, node);
  }
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

/* What a node does: "conv2d 3×3", "relu". */
static void label(char text[LABEL], const struct skp_graph *g, const struct skp_node *node) {
  const char *name = node->op->name;
  snprintf(text, LABEL, "%s", name);
  if (node->op->kind != SKP_KIND_CONVOLUTION) return;
  const struct skp_shape *w = &g->tensors.at[node->in[1]].shape;
  snprintf(text, LABEL, "%s %lld×%lld", name, (long long)w->dim[0], (long long)w->dim[1]);
}

/* Its operations, each once with its number. */
static void put_operations(FILE *to, const struct drawing *d, const struct block *b) {
  char name[LABELS][LABEL];
  int count[LABELS] = {0}, labels = 0;
  for (size_t i = b->first; i <= b->last; i++) {
    char own[LABEL];
    int k = 0;
    label(own, d->g, &d->g->nodes.at[i]);
    while (k < labels && strcmp(name[k], own) != 0) k++;
    if (k == LABELS) continue;
    if (k == labels) memcpy(name[labels++], own, LABEL);
    count[k]++;
  }
  for (int k = 0; k < labels; k++) fprintf(to, count[k] > 1 ? "%s%s ×%d" : "%s%s", k ? ", " : "", name[k], count[k]);
}

/* By its scope, or where that is no more than a layer's by the layer that has the parameters. */
static void put_name(FILE *to, const struct drawing *d, const struct block *b) {
  char text[200];
  size_t best = b->first;
  for (size_t i = b->first; i <= b->last && !b->scope; i++)
    if (skp__graph_parameters(d->g, &d->g->nodes.at[i]) > skp__graph_parameters(d->g, &d->g->nodes.at[best])) best = i;
  const struct skp_node *node = &d->g->nodes.at[best];
  const bool bare = !b->scope && !skp__graph_parameters(d->g, node);
  snprintf(text, sizeof text, "%.*s", b->scope ? b->scope : (int)sizeof text - 1, bare ? node->op->name : node->scope);
  skp__page_text(to, text);
}

/* Of one image. */
static void put_shape(FILE *to, const struct skp_shape *s) {
  for (int i = 1; i < s->rank; i++) fprintf(to, "%s%lld", i > 1 ? "×" : "", (long long)s->dim[i]);
}

/* ---- drawing ----------------------------------------------------------------------------------------------------- */

static int top(size_t block) { return GAP + BOX / 2 + (int)block * (BOX + GAP) + GAP; }

static void put_box(FILE *to, const struct drawing *d, size_t i) {
  const struct block *b = &d->at[i];
  const int y = top(i);
  fprintf(to,
          "<rect class=\"box\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\"/><text class=\"name\" x=\"%d\" "
          "y=\"%d\">",
          LEFT, y, WIDTH, BOX, LEFT + 10, y + 18);
  put_name(to, d, b);
  fprintf(to, "</text><text x=\"%d\" y=\"%d\" text-anchor=\"end\">", LEFT + WIDTH - 10, y + 18);
  put_shape(to, &d->g->tensors.at[d->g->nodes.at[b->last].out[0]].shape);
  if (b->parameters) fprintf(to, " · %lld parameters", (long long)b->parameters);
  fprintf(to, "</text><text x=\"%d\" y=\"%d\">", LEFT + 10, y + 36);
  put_operations(to, d, b);
  fprintf(to, "</text>\n");
}

/* From block `from` (-1: the images) past those between to block `to_block`. */
static void put_way(FILE *to, int from, int to_block) {
  const int begin = from < 0 ? top(0) - GAP : top((size_t)from) + BOX, end = top((size_t)to_block);
  if (to_block == from + 1) {
    fprintf(to, "<line class=\"edge\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>", LEFT + WIDTH / 2, LEFT + WIDTH / 2,
            begin, end);
    return;
  }
  const int x = LEFT + WIDTH, lane = x + 14 + 10 * (from % LANES);
  fprintf(to, "<path class=\"edge\" d=\"M%d %dC%d %d %d %d %d %d\"/>", x, begin - BOX / 2, lane + 20, begin, lane + 20,
          end, x, end + BOX / 2);
}

/* What comes into the block takes two ways through it, which meet in an addition. */
static void put_bypass(FILE *to, size_t i) {
  const int y = top(i);
  fprintf(to, "<path class=\"edge\" d=\"M%d %dC%d %d %d %d %d %d\"/>", LEFT, y + 6, LEFT - 26, y + 10, LEFT - 26,
          y + BOX - 10, LEFT, y + BOX - 6);
}

static int block_of(const struct drawing *d, int node) {
  size_t i = 0;
  while (d->at[i].last < (size_t)node) i++;
  return (int)i;
}

static int source_of(const struct drawing *d, skp_value v) {
  const int producer = d->g->tensors.at[v].producer;
  return producer < 0 ? (v == d->g->input ? -1 : -2) : block_of(d, producer);
}

/* All ways into a block, each once. */
static void put_ways(FILE *to, const struct drawing *d, size_t i) {
  const struct block *b = &d->at[i];
  int readers = 0; /* nodes that take what comes from elsewhere */
  bool adds = false, drawn[1 + MOST] = {false};
  for (size_t k = b->first; k <= b->last; k++) {
    const struct skp_node *node = &d->g->nodes.at[k];
    adds = adds || node->op == &skp__op_add;
    for (int v = 0; v < node->n_in; v++) {
      const int from = node->in[v] == SKP_NONE ? -2 : source_of(d, node->in[v]);
      if (from < -1 || from == (int)i) continue;
      readers++;
      if (!drawn[from + 1]) put_way(to, from, (int)i);
      drawn[from + 1] = true;
    }
  }
  if (adds && readers > 1) put_bypass(to, i);
}

static void put_drawing(FILE *to, const struct drawing *d, bool alone) {
  char text[96];
  int64_t parameters = 0;
  for (size_t i = 0; i < d->n; i++) parameters += d->at[i].parameters;
  snprintf(text, sizeof text, "The network: %zu blocks, %lld parameters", d->n, (long long)parameters);
  skp__page_begin_svg(to, text, TOTAL, top(d->n), alone);
  fprintf(to, "<text class=\"name\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">", LEFT + WIDTH / 2, GAP);
  put_shape(to, &d->g->tensors.at[d->g->input].shape);
  fprintf(to, "</text>\n");
  for (size_t i = 0; i < d->n; i++) put_ways(to, d, i);
  for (size_t i = 0; i < d->n; i++) put_box(to, d, i);
  fprintf(to, "</svg>\n");
}

void skp__page_network(FILE *to, const struct skp_graph *g, bool alone) {
  struct drawing d = {.g = g};
  find_blocks(&d);
  put_drawing(to, &d, alone);
}

bool skp__page_model(struct skp_model **out, const struct skp_folder *run) {
  return skp__checkpoint_found(run->path) && skp__checkpoint_model(out, NULL, run->path) == SKP_OK;
}
