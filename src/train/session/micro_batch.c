/* micro_batch.c: how many images go through the network at once in training. SPDX-License-Identifier: MIT
 *
 *   the images of an epoch ─> steps of `batch`, the last one may be smaller
 *   ─> micro-batches of one size, the last one may be smaller, dealt out to the ranks
 *
 * A batchnorm on maps of one pixel needs two images at least: a single image is its channels' mean, and nothing is left
 * of it. So where such a layer learns, no micro-batch may have one image. In full steps the recipe is to blame, and
 * refused, as PyTorch does; the one image too many at the end of an epoch is left out. */
#include "train/session/micro_batch.h"
#include "base/host.h"

enum { LEAST = 2 };

int64_t skp__micro_full(const struct skp__micro *p) { return p->images < p->batch ? p->images : p->batch; }

static bool leaves_one(const struct skp__micro *p, int64_t images, int64_t size) {
  return *p->layer && (size < LEAST || images % size == 1);
}

static int64_t even_size(const struct skp__micro *p) {
  const int64_t all = p->most * p->ranks;
  return (skp__micro_full(p) + all - 1) / all;
}

int64_t skp__micro_size(const struct skp__micro *p) {
  int64_t n = skp__micro_full(p), size = even_size(p);
  while (size < n && leaves_one(p, n, size)) size++;
  return size;
}

int64_t skp__micro_pieces(const struct skp__micro *p, int64_t n) {
  const int64_t size = skp__micro_size(p), all = (n + size - 1) / size, before = p->rank * p->most;
  return all <= before ? 0 : all - before < p->most ? all - before : p->most;
}

int64_t skp__micro_epoch(const struct skp__micro *p) {
  int64_t last = p->images % p->batch;
  return p->images > p->batch && last && leaves_one(p, last, skp__micro_size(p)) ? p->images - 1 : p->images;
}

bool skp__micro_cut(struct skp__micro *p) {
  int64_t before = skp__micro_size(p);
  while (skp__micro_size(p) == before && p->most * p->ranks < skp__micro_full(p)) p->most *= 2;
  return skp__micro_size(p) < before;
}

/* Finds a batchnorm that learns from one value a channel when there is one image. */
static skp_status find_layer(struct skp__micro *p, const struct skp_model *m) {
  struct skp_graph *g;
  SKP_TRY(skp__graph_instance(&g, m->graph, 1, true));
  skp_status status = skp__recipe_select(g, &m->recipe);
  for (size_t n = 0; n < g->nodes.n && status == SKP_OK && !*p->layer; n++) {
    const struct skp_node *node = &g->nodes.at[n];
    if (node->op != &skp__op_batchnorm || !node->attrs.batchnorm.training) continue;
    const struct skp_shape *x = &g->tensors.at[node->in[0]].shape;
    if (x->dim[1] * x->dim[2] == 1) snprintf(p->layer, sizeof p->layer, "%s", *node->scope ? node->scope : "batchnorm");
  }
  skp__graph_destroy(g);
  return status;
}

static skp_status check(const struct skp__micro *p) {
  char advice[160] = "There is only one image to train on";
  if (skp__micro_full(p) < p->ranks)
    return skp__fail(SKP_USAGE, "A step has %lld images, of which %lld ranks cannot have one each: take a larger %s.",
                     (long long)skp__micro_full(p), (long long)p->ranks, skp__option("batch"));
  if (!leaves_one(p, skp__micro_full(p), even_size(p))) return SKP_OK;
  if (p->images > 1)
    snprintf(advice, sizeof advice, "Take a larger %s than 1, or larger images (%s)", skp__option("batch"),
             skp__option("size"));
  if (p->images > 1 && p->batch > 1)
    snprintf(advice, sizeof advice,
             "Of %lld images in %lld micro-batches one has a single image: take another %s or %s",
             (long long)skp__micro_full(p), (long long)(p->most * p->ranks), skp__option("batch"),
             skp__option("accumulate"));
  return skp__fail(SKP_USAGE,
                   "%s normalises maps of one pixel, so a single image gives it one value a channel, of which it can "
                   "learn nothing. %s.",
                   p->layer, advice);
}

skp_status skp__micro_plan(struct skp__micro *p, const struct skp_model *m, int64_t images,
                           const struct skp_ranks *ranks) {
  *p = (struct skp__micro){.images = images,
                           .batch = m->recipe.batch,
                           .most = m->recipe.accumulate,
                           .ranks = skp__ranks_size(ranks),
                           .rank = skp__ranks_rank(ranks)};
  SKP_TRY(find_layer(p, m));
  return check(p);
}
