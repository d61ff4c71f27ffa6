/* micro_batch.c: how many images go through the network at once in training. SPDX-License-Identifier: MIT
 *
 *   the images of an epoch ─> steps of `batch`, the last one may be smaller
 *   ─> micro-batches of one size, the last one may be smaller, dealt out to the ranks
 *   (by shares: a part of the step for each rank, which it cuts for itself)
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

/* What a rank has of a full step by the shares. */
static struct skp__part share_of(const struct skp__micro *p, int64_t rank) {
  const int64_t n = skp__micro_full(p), first = skp__shares_first(p->shares, p->ranks, rank, n);
  return (struct skp__part){first, skp__shares_first(p->shares, p->ranks, rank + 1, n) - first};
}

static int64_t size_of(const struct skp__micro *p, int64_t rank) {
  const int64_t n = p->shares ? share_of(p, rank).n : skp__micro_full(p);
  int64_t size = p->shares ? (n + p->most - 1) / p->most : even_size(p);
  while (size < n && leaves_one(p, n, size)) size++;
  return size;
}

static struct skp__part part_of(const struct skp__micro *p, int64_t rank, int64_t n) {
  const int64_t even = p->most * size_of(p, rank);
  struct skp__part part = p->shares ? share_of(p, rank) : (struct skp__part){rank * even, even};
  if (part.first > n) part.first = n;
  if (part.n > n - part.first) part.n = n - part.first;
  return part;
}

static int64_t pieces_of(const struct skp__micro *p, int64_t rank, int64_t n) {
  const int64_t size = size_of(p, rank);
  return (part_of(p, rank, n).n + size - 1) / size;
}

int64_t skp__micro_size(const struct skp__micro *p) { return size_of(p, p->rank); }
struct skp__part skp__micro_part(const struct skp__micro *p, int64_t n) {
  return part_of(p, p->rank, n);
}
int64_t skp__micro_pieces(const struct skp__micro *p, int64_t n) { return pieces_of(p, p->rank, n); }

int64_t skp__micro_rounds(const struct skp__micro *p, int64_t n) {
  int64_t most = 0;
  for (int64_t q = 0; q < p->ranks; q++) most = pieces_of(p, q, n) > most ? pieces_of(p, q, n) : most;
  return most;
}

int64_t skp__micro_epoch(const struct skp__micro *p) {
  const int64_t last = p->images % p->batch;
  bool alone = false;
  for (int64_t q = 0; q < p->ranks; q++) {
    const int64_t own = part_of(p, q, last).n;
    alone = alone || (own && leaves_one(p, own, size_of(p, q)));
  }
  return p->images > p->batch && alone ? p->images - 1 : p->images;
}

static int64_t largest(const struct skp__micro *p) {
  int64_t most = 0;
  for (int64_t q = 0; q < p->ranks; q++) most = size_of(p, q) > most ? size_of(p, q) : most;
  return most;
}

bool skp__micro_cut(struct skp__micro *p) {
  const int64_t before = largest(p);
  while (largest(p) == before && p->most * p->ranks < skp__micro_full(p)) p->most *= 2;
  return largest(p) < before;
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

/* By shares each rank has images, and micro-batches that may be. */
static skp_status check_shares(const struct skp__micro *p) {
  for (int64_t q = 0; q < p->ranks; q++) {
    const struct skp__part part = share_of(p, q);
    if (part.n < 1 || leaves_one(p, part.n, size_of(p, q)))
      return skp__fail(SKP_USAGE,
                       "Of %lld images in a step rank %lld has %lld by %s %.60s%s. Take a larger %s, or other shares.",
                       (long long)skp__micro_full(p), (long long)q, (long long)part.n, skp__option("shares"), p->shares,
                       part.n < 1 ? "" : ", and a micro-batch of one image, which this network cannot learn from",
                       skp__option("batch"));
  }
  return SKP_OK;
}

static skp_status check(const struct skp__micro *p) {
  char advice[160] = "There is only one image to train on";
  if (skp__micro_full(p) < p->ranks)
    return skp__fail(SKP_USAGE, "A step has %lld images, of which %lld ranks cannot have one each: take a larger %s.",
                     (long long)skp__micro_full(p), (long long)p->ranks, skp__option("batch"));
  if (p->shares) return check_shares(p);
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
                           const struct skp_ranks *ranks, const char *shares) {
  *p = (struct skp__micro){.images = images,
                           .batch = m->recipe.batch,
                           .most = m->recipe.accumulate,
                           .ranks = skp__ranks_size(ranks),
                           .rank = skp__ranks_rank(ranks),
                           .shares = skp__shares_fixed(shares) ? shares : NULL};
  SKP_TRY(skp__shares_check(shares, p->ranks));
  SKP_TRY(find_layer(p, m));
  return check(p);
}
