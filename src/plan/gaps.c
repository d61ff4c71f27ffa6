/* gaps.c: see gaps.h. SPDX-License-Identifier: MIT
 *
 * A binary tree over the times (node k has the children 2k and 2k + 1). What is taken lies in the few nodes whose times
 * make up its lifetime. For each time the tree knows a height below which all is taken: no gap lies lower than the
 * greatest height of a lifetime, and only what ends above it need be looked at, which in deep networks is next to
 * nothing. */
#include "plan/gaps.h"
#include "base/array.h"
#include <stdbool.h>
#include <stdlib.h>

struct taken {
  int64_t offset, end;
};

struct node {
  int64_t height;              /* the greatest of its times; where children lag behind, see settle */
  int64_t top;                 /* the greatest end of what lies in it and below */
  SKP_ARRAY(struct taken) own; /* by their ends */
};

struct skp__gaps {
  int leaves; /* a power of two */
  struct node *node;
  SKP_ARRAY(struct taken) rivals; /* of the search in hand */
};

/* Where a walk through the tree is: node k, which has the times low … high. */
struct at {
  int k, low, high;
};

struct span {
  int first, last;
};

static struct at lower(struct at a) { return (struct at){2 * a.k, a.low, (a.low + a.high) / 2}; }
static struct at upper(struct at a) { return (struct at){2 * a.k + 1, (a.low + a.high) / 2 + 1, a.high}; }
static bool apart(struct at a, struct span s) { return a.high < s.first || a.low > s.last; }
static bool within(struct at a, struct span s) { return a.low >= s.first && a.high <= s.last; }
static struct at root(const struct skp__gaps *g) { return (struct at){1, 0, g->leaves - 1}; }
static int64_t greater(int64_t a, int64_t b) { return a > b ? a : b; }

/* ---- heights ---------------------------------------------------------------------------------------------------- */

/* What the greatest times of a node were raised to reaches its children. */
static void settle(struct skp__gaps *g, int k) {
  struct node *child = &g->node[2 * k];
  const int64_t was = greater(child[0].height, child[1].height);
  for (int i = 0; i < 2; i++)
    if (child[i].height == was) child[i].height = g->node[k].height;
}

static int64_t height(struct skp__gaps *g, struct at a, struct span s) {
  if (apart(a, s)) return 0;
  if (within(a, s)) return g->node[a.k].height;
  settle(g, a.k);
  return greater(height(g, lower(a), s), height(g, upper(a), s));
}

/* Raises the times whose height is `from`, the greatest of the span, to `to`. */
static void raise(struct skp__gaps *g, struct at a, struct span s, int64_t from, int64_t to) {
  if (apart(a, s)) return;
  if (within(a, s)) {
    if (g->node[a.k].height == from) g->node[a.k].height = to;
    return;
  }
  settle(g, a.k);
  raise(g, lower(a), s, from, to);
  raise(g, upper(a), s, from, to);
  g->node[a.k].height = greater(g->node[2 * a.k].height, g->node[2 * a.k + 1].height);
}

/* ---- what is taken ---------------------------------------------------------------------------------------------- */

static skp_status insert(struct node *n, struct taken t) {
  SKP_TRY(SKP_GROW(&n->own));
  size_t i = n->own.n - 1;
  for (; i && n->own.at[i - 1].end > t.end; i--) n->own.at[i] = n->own.at[i - 1];
  n->own.at[i] = t;
  return SKP_OK;
}

static skp_status add(struct skp__gaps *g, struct at a, struct span s, struct taken t) {
  if (apart(a, s)) return SKP_OK;
  g->node[a.k].top = greater(g->node[a.k].top, t.end);
  if (within(a, s)) return insert(&g->node[a.k], t);
  SKP_TRY(add(g, lower(a), s, t));
  return add(g, upper(a), s, t);
}

/* Lists what is taken in the span and ends above `floor`. */
static skp_status list(struct skp__gaps *g, struct at a, struct span s, int64_t floor) {
  const struct node *n = &g->node[a.k];
  if (apart(a, s) || n->top <= floor) return SKP_OK;
  for (size_t i = n->own.n; i-- > 0 && n->own.at[i].end > floor;) {
    SKP_TRY(SKP_GROW(&g->rivals));
    g->rivals.at[g->rivals.n - 1] = n->own.at[i];
  }
  if (a.low == a.high) return SKP_OK;
  SKP_TRY(list(g, lower(a), s, floor));
  return list(g, upper(a), s, floor);
}

static int by_offset(const void *a, const void *b) {
  const struct taken *x = a, *y = b;
  return (x->offset > y->offset) - (x->offset < y->offset);
}

skp_status skp__gaps_lowest(struct skp__gaps *g, int64_t *offset, int first, int last, int64_t bytes) {
  const struct span s = {first, last};
  int64_t at = height(g, root(g), s);
  g->rivals.n = 0;
  SKP_TRY(list(g, root(g), s, at));
  if (g->rivals.n) qsort(g->rivals.at, g->rivals.n, sizeof *g->rivals.at, by_offset);
  for (size_t i = 0; i < g->rivals.n && g->rivals.at[i].offset - at < bytes; i++) at = greater(at, g->rivals.at[i].end);
  *offset = at;
  return SKP_OK;
}

skp_status skp__gaps_take(struct skp__gaps *g, int64_t offset, int first, int last, int64_t bytes) {
  const struct span s = {first, last};
  if (height(g, root(g), s) == offset) raise(g, root(g), s, offset, offset + bytes);
  return add(g, root(g), s, (struct taken){offset, offset + bytes});
}

/* ---- making and ending ------------------------------------------------------------------------------------------ */

skp_status skp__gaps_create(struct skp__gaps **out, int times) {
  struct skp__gaps *g;
  *out = NULL;
  SKP_TRY(skp__alloc(&g, 1, sizeof *g));
  g->leaves = 1;
  while (g->leaves < times) g->leaves *= 2;
  skp_status status = skp__alloc(&g->node, 2 * (size_t)g->leaves, sizeof *g->node);
  if (status == SKP_OK)
    *out = g;
  else
    skp__gaps_destroy(g);
  return status;
}

void skp__gaps_destroy(struct skp__gaps *g) {
  if (!g) return;
  for (int k = 0; g->node && k < 2 * g->leaves; k++) SKP_FREE(&g->node[k].own);
  SKP_FREE(&g->rivals);
  free(g->node);
  free(g);
}
