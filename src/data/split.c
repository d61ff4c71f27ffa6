/* split.c: a source's images dealt into two sets, of each class the same fraction. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "base/random.h"
#include "data/overlay.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static skp_status copy_classes(struct skp_source *to, const struct skp_source *from) {
  SKP_TRY(skp__alloc(&to->class_names, (size_t)from->classes, sizeof *to->class_names));
  to->classes = from->classes;
  for (int c = 0; c < from->classes; c++) SKP_TRY(skp__strdup(&to->class_names[c], from->class_names[c]));
  return SKP_OK;
}

static skp_status take(struct skp_source **out, const struct skp_source *whole, const uint32_t *pick, int64_t n) {
  struct skp__overlay *subset;
  *out = NULL;
  SKP_TRY(skp__overlay_create(&subset, whole));
  *out = &subset->s;
  SKP_TRY(copy_classes(&subset->s, whole));
  SKP_TRY(skp__alloc(&subset->pick, (size_t)n, sizeof *subset->pick));
  memcpy(subset->pick, pick, (size_t)n * sizeof *pick);
  qsort(subset->pick, (size_t)n, sizeof *subset->pick, ascending);
  subset->s.n = n;
  return SKP_OK;
}

/* ---- how many of each class -------------------------------------------------------------------------------------- */

struct quota {
  int64_t images, held, most; /* most: that may be held out, so that one is left to learn the class by */
  double owed;                /* of the fraction, beyond those held */
};

/* By label, those without one last. */
static size_t group(const struct skp_source *s, int32_t label) { return (size_t)(label < 0 ? s->classes : label); }

static skp_status count(struct quota *q, const struct skp_source *s) {
  for (int64_t i = 0; i < s->n; i++) {
    int32_t label;
    SKP_TRY(s->image(s, i, NULL, &label));
    q[group(s, label)].images++;
  }
  return SKP_OK;
}

/* The one that is owed most, the first of those; NULL: none may give any more. */
static struct quota *most_owed(struct quota *q, size_t groups) {
  struct quota *best = NULL;
  for (size_t g = 0; g < groups; g++)
    if (q[g].held < q[g].most && (!best || q[g].owed > best->owed)) best = &q[g];
  return best;
}

/* Whole images of each class as near to the fraction as goes, and of all together as many as the fraction says. */
static int64_t deal(struct quota *q, size_t groups, int64_t n, double fraction) {
  const int64_t wanted = (int64_t)floor(fraction * (double)n + 0.5);
  int64_t held = 0;
  for (size_t g = 0; g < groups; g++) {
    const int64_t whole = (int64_t)floor(fraction * (double)q[g].images);
    q[g].most = q[g].images > 1 ? q[g].images - 1 : 0;
    q[g].held = whole < q[g].most ? whole : q[g].most;
    q[g].owed = fraction * (double)q[g].images - (double)q[g].held;
    held += q[g].held;
  }
  for (struct quota *more; held < wanted && (more = most_owed(q, groups)); held++) {
    more->held++;
    more->owed -= 1;
  }
  return held;
}

/* Brings those that are held out to the front: of each class the first in this order, as many as its quota. */
static skp_status sort_out(uint32_t *to, const uint32_t *order, const struct skp_source *s, struct quota *q,
                           int64_t held) {
  int64_t valid = 0, train = held;
  for (int64_t i = 0; i < s->n; i++) {
    int32_t label;
    SKP_TRY(s->image(s, order[i], NULL, &label));
    struct quota *its = &q[group(s, label)];
    to[its->held > 0 ? valid++ : train++] = order[i];
    its->held -= its->held > 0;
  }
  return SKP_OK;
}

/* ---- the two sets ------------------------------------------------------------------------------------------------ */

static skp_status take_both(struct skp_source **train, struct skp_source **valid, const struct skp_source *whole,
                            struct quota *q, int64_t held, uint32_t *order, uint64_t seed) {
  const uint64_t stream = 0x76616c6964; /* a stream of its own among the run's random numbers */
  const int64_t n = whole->n;
  skp__random_permutation(order, (uint32_t)n, seed, stream);
  SKP_TRY(sort_out(order + n, order, whole, q, held));
  SKP_TRY(take(valid, whole, order + n, held));
  return take(train, whole, order + n + held, n - held);
}

static skp_status split(struct skp_source **train, struct skp_source **valid, const struct skp_source *whole,
                        struct quota *q, double fraction, uint64_t seed) {
  uint32_t *order;
  SKP_TRY(count(q, whole));
  const int64_t n = whole->n, held = deal(q, (size_t)whole->classes + 1, n, fraction);
  if (held < 1 || held >= n || n > UINT32_MAX)
    return skp__fail(SKP_USAGE, "valid_split %g of the %lld images of %s leaves %lld to judge by and %lld to train on.",
                     fraction, (long long)n, whole->name, (long long)held, (long long)(n - held));
  SKP_TRY(skp__alloc(&order, 2 * (size_t)n, sizeof *order));
  skp_status status = take_both(train, valid, whole, q, held, order, seed);
  free(order);
  return status;
}

skp_status skp__source_split(struct skp_source **train, struct skp_source **valid, const struct skp_source *whole,
                             double fraction, uint64_t seed) {
  struct quota *q;
  *train = *valid = NULL;
  SKP_TRY(skp__alloc(&q, (size_t)whole->classes + 1, sizeof *q));
  skp_status status = split(train, valid, whole, q, fraction, seed);
  free(q);
  if (status == SKP_OK) return SKP_OK;
  skp__source_destroy(*valid);
  skp__source_destroy(*train);
  *train = *valid = NULL;
  return status;
}
