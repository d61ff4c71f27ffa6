/* balance.c: which images an epoch shows where all classes shall come equally often. SPDX-License-Identifier: MIT
 *
 * The classes take turns without end, from epoch to epoch: draw number g of all epochs is one of class g % classes, its
 * draw number t = g / classes. A class's images come in rounds, each of them once a round in an order of the round's
 * own: so within a class all are seen equally often, too. All of that is a pure function of (seed, g). An image that
 * comes again in an epoch has another number (its sample and samples × round), so that
 * augmentation shows another view of it. */
#include "data/balance.h"
#include "base/array.h"
#include "base/random.h"
#include <stdlib.h>

struct class {
  uint32_t *member, *order; /* [n] samples; places of the members in the round */
  uint32_t n;
  int64_t round; /* that `order` is for; -1: none yet */
};

struct skp__balance {
  struct class *class; /* [classes] that have images */
  int classes;
  uint32_t *samples; /* of all classes, one after the other, and as many of their orders */
  int64_t n;
  uint64_t seed;
  bool shuffle;
};

static skp_status count(int64_t **of, const struct skp_source *s) {
  SKP_TRY(skp__alloc(of, (size_t)s->classes, sizeof **of));
  return skp__source_count(s, *of);
}

/* Gives each class with images its part of `samples`. */
static void deal_out(struct skp__balance *b, const int64_t *of, int classes, int *place) {
  uint32_t *next = b->samples;
  for (int c = 0; c < classes; c++) {
    place[c] = of[c] ? b->classes : -1;
    if (!of[c]) continue;
    b->class[b->classes++] = (struct class){.member = next, .order = next + b->n, .round = -1};
    next += of[c];
  }
}

static skp_status fill(struct skp__balance *b, const struct skp_source *s, const int *place) {
  for (int64_t i = 0; i < s->n; i++) {
    int32_t label;
    SKP_TRY(s->image(s, i, NULL, &label));
    if (label < 0) continue; /* without a label it belongs to no class */
    struct class *class = &b->class[place[label]];
    class->order[class->n] = class->n;
    class->member[class->n++] = (uint32_t)i;
  }
  return b->classes ? SKP_OK
                    : skp__fail(SKP_FORMAT, "%s has no image with a label: there are no classes to balance.", s->name);
}

static skp_status set_up(struct skp__balance *b, const struct skp_source *s) {
  int64_t *of = NULL;
  int *place = NULL;
  skp_status status = count(&of, s);
  if (status == SKP_OK) status = skp__alloc(&place, (size_t)s->classes, sizeof *place);
  if (status == SKP_OK) status = skp__alloc(&b->class, (size_t)s->classes, sizeof *b->class);
  if (status == SKP_OK) status = skp__alloc(&b->samples, 2 * (size_t)s->n, sizeof *b->samples);
  if (status == SKP_OK) deal_out(b, of, s->classes, place);
  if (status == SKP_OK) status = fill(b, s, place);
  free(of);
  free(place);
  return status;
}

skp_status skp__balance_create(struct skp__balance **out, const struct skp_source *s, uint64_t seed, bool shuffle) {
  struct skp__balance *b;
  *out = NULL;
  SKP_TRY(skp__alloc(&b, 1, sizeof *b));
  b->n = s->n;
  b->seed = seed;
  b->shuffle = shuffle;
  skp_status status = set_up(b, s);
  if (status == SKP_OK)
    *out = b;
  else
    skp__balance_destroy(b);
  return status;
}

void skp__balance_destroy(struct skp__balance *b) {
  if (!b) return;
  free(b->class);
  free(b->samples);
  free(b);
}

static void begin_round(const struct skp__balance *b, struct class *class, int64_t round) {
  const uint64_t of_classes = 0x636c61737365; /* keeps these numbers apart from others of the same seed */
  const uint64_t number = (uint64_t)(class - b->class);
  class->round = round;
  if (b->shuffle)
    skp__random_permutation(class->order, class->n, skp__random_bits(b->seed ^ of_classes, number, 0), (uint64_t)round);
}

static int64_t draw(const struct skp__balance *b, int64_t g) {
  struct class *class = &b->class[g % b->classes];
  const int64_t t = g / b->classes, round = t / class->n;
  if (class->round != round) begin_round(b, class, round);
  return class->member[class->order[t % class->n]] + b->n * round;
}

void skp__balance_epoch(struct skp__balance *b, int64_t *number, int64_t epoch) {
  for (int64_t i = 0; i < b->n; i++) number[i] = draw(b, epoch * b->n + i);
}
