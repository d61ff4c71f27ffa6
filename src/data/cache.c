/* cache.c: decoded images of a small set, kept from the first time on. SPDX-License-Identifier: MIT
 *
 * Each slot is filled once, by whichever thread comes first; what another thread decoded meanwhile is dropped. The
 * content of a slot never changes, so readers need no lock. */
#include "data/cache.h"
#include "base/array.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct kept {
  int H, W, C;
  uint8_t pixels[];
};

struct skp__cache {
  int64_t n;
  _Atomic(struct kept *) slot[];
};

skp_status skp__cache_create(struct skp__cache **out, int64_t n) {
  SKP_TRY(skp__alloc(out, 1, sizeof **out + (size_t)n * sizeof *(*out)->slot));
  (*out)->n = n;
  return SKP_OK;
}

void skp__cache_destroy(struct skp__cache *c) {
  if (!c) return;
  for (int64_t i = 0; i < c->n; i++) free(atomic_load(&c->slot[i]));
  free(c);
}

skp_status skp__cache_get(const struct skp__cache *c, int64_t i, struct skp_image *out, bool *there) {
  const struct kept *kept = c ? atomic_load(&c->slot[i]) : NULL;
  *there = kept;
  if (!kept) return SKP_OK;
  SKP_TRY(skp__image_room(out, kept->H, kept->W, kept->C));
  memcpy(out->pixels, kept->pixels, (size_t)kept->H * (size_t)kept->W * (size_t)kept->C);
  return SKP_OK;
}

skp_status skp__cache_put(struct skp__cache *c, int64_t i, const struct skp_image *image) {
  size_t bytes = (size_t)image->H * (size_t)image->W * (size_t)image->C;
  struct kept *kept, *nothing = NULL;
  if (!c) return SKP_OK;
  SKP_TRY(skp__alloc(&kept, 1, sizeof *kept + bytes));
  kept->H = image->H;
  kept->W = image->W;
  kept->C = image->C;
  memcpy(kept->pixels, image->pixels, bytes);
  if (!atomic_compare_exchange_strong(&c->slot[i], &nothing, kept)) free(kept);
  return SKP_OK;
}
