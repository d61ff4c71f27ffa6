/* split.c: a source's images dealt into two sets. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "base/random.h"
#include "data/data.h"
#include <math.h>
#include <stdlib.h>

struct subset {
  struct skp_source s; /* first */
  const struct skp_source *whole;
  uint32_t *pick; /* [n], ascending */
};

static skp_status image(const struct skp_source *s, int64_t i, struct skp_image *out, int32_t *label) {
  const struct subset *subset = (const struct subset *)s;
  return subset->whole->image(subset->whole, subset->pick[i], out, label);
}

static const char *name_of(const struct skp_source *s, int64_t i) {
  const struct subset *subset = (const struct subset *)s;
  return subset->whole->name_of(subset->whole, subset->pick[i]);
}

static void destroy(struct skp_source *s) {
  free(((struct subset *)s)->pick);
  free(s);
}

static int ascending(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static skp_status copy_names(struct skp_source *to, const struct skp_source *from) {
  SKP_TRY(skp__strdup(&to->name, from->name));
  SKP_TRY(skp__alloc(&to->class_names, (size_t)from->classes, sizeof *to->class_names));
  for (int c = 0; c < from->classes; c++) SKP_TRY(skp__strdup(&to->class_names[c], from->class_names[c]));
  return SKP_OK;
}

static skp_status take(struct skp_source **out, const struct skp_source *whole, const uint32_t *pick, int64_t n) {
  struct subset *subset;
  *out = NULL;
  SKP_TRY(skp__alloc(&subset, 1, sizeof *subset));
  *out = &subset->s;
  subset->whole = whole;
  subset->s = (struct skp_source){.kind = whole->kind,
                                  .n = n,
                                  .H = whole->H,
                                  .W = whole->W,
                                  .C = whole->C,
                                  .classes = whole->classes,
                                  .numbered = whole->numbered,
                                  .image = image,
                                  .name_of = whole->name_of ? name_of : NULL,
                                  .damage = whole->damage,
                                  .destroy = destroy};
  SKP_TRY(copy_names(&subset->s, whole));
  SKP_TRY(skp__alloc(&subset->pick, (size_t)n, sizeof *subset->pick));
  for (int64_t i = 0; i < n; i++) subset->pick[i] = pick[i];
  qsort(subset->pick, (size_t)n, sizeof *subset->pick, ascending);
  return SKP_OK;
}

skp_status skp__source_split(struct skp_source **train, struct skp_source **valid, const struct skp_source *whole,
                             double share, uint64_t seed) {
  const uint64_t stream = 0x76616c6964; /* a stream of its own among the run's random numbers */
  int64_t n = whole->n, held = (int64_t)floor(share * (double)n + 0.5);
  uint32_t *order;
  *train = *valid = NULL;
  if (held < 1 || held >= n || n > UINT32_MAX)
    return skp__fail(SKP_USAGE, "valid_split %g of the %lld images of %s leaves %lld to judge by and %lld to train on.",
                     share, (long long)n, whole->name, (long long)held, (long long)(n - held));
  SKP_TRY(skp__alloc(&order, (size_t)n, sizeof *order));
  skp__random_permutation(order, (uint32_t)n, seed, stream);
  skp_status status = take(valid, whole, order, held);
  if (status == SKP_OK) status = take(train, whole, order + held, n - held);
  free(order);
  if (status == SKP_OK) return SKP_OK;
  skp__source_destroy(*valid);
  skp__source_destroy(*train);
  *train = *valid = NULL;
  return status;
}
