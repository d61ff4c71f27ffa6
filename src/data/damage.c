/* damage.c: images that cannot be read: named, counted, and passed over while they are few. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "data/data.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { FEW = 100 }; /* one of so many may be damaged */

struct skp_damage {
  const char *set;
  int64_t samples;
  pthread_mutex_t lock; /* guards what follows */
  bool strict;
  uint8_t *known;         /* [samples] */
  SKP_ARRAY(char *) text; /* what is wrong with each, in the order in which they were met */
};

skp_status skp__damage_create(struct skp_damage **out, const char *set, int64_t samples) {
  struct skp_damage *d;
  *out = NULL;
  SKP_TRY(skp__alloc(&d, 1, sizeof *d));
  pthread_mutex_init(&d->lock, NULL);
  d->set = set;
  d->samples = samples;
  *out = d;
  return skp__alloc(&d->known, (size_t)samples, sizeof *d->known);
}

void skp__damage_destroy(struct skp_damage *d) {
  if (!d) return;
  for (size_t i = 0; i < d->text.n; i++) free(d->text.at[i]);
  SKP_FREE(&d->text);
  pthread_mutex_destroy(&d->lock);
  free(d->known);
  free(d);
}

static void list(struct skp__text *text, const struct skp_damage *d, size_t from) {
  enum { SHOWN = 10 };
  for (size_t i = from; i < d->text.n && i < from + SHOWN; i++) skp__text_add(text, "\n  %s", d->text.at[i]);
  if (d->text.n > from + SHOWN) skp__text_add(text, "\n  … and %zu more", d->text.n - from - SHOWN);
}

/* Under the lock: whether there is more of it than is borne. */
static skp_status judge(const struct skp_damage *d) {
  struct skp__text text = {.n = 0};
  size_t n = d->text.n;
  if (!n || (!d->strict && (int64_t)n <= d->samples / FEW)) return SKP_OK;
  list(&text, d, 0);
  if (d->strict) return skp__fail(SKP_FORMAT, "%s has damaged images:%s", d->set, text.at);
  return skp__fail(SKP_FORMAT, "%zu of the %lld images of %s %s damaged, more than 1 in %d:%s", n,
                   (long long)d->samples, d->set, n == 1 ? "is" : "are", FEW, text.at);
}

static skp_status note(struct skp_damage *d, int64_t sample) {
  SKP_TRY(SKP_GROW(&d->text));
  d->known[sample] = 1;
  return skp__strdup(&d->text.at[d->text.n - 1], skp_error_message());
}

skp_status skp__damage_note(struct skp_damage *d, int64_t sample, skp_status why) {
  if (why != SKP_FORMAT && why != SKP_IO && why != SKP_SHAPE) return why;
  pthread_mutex_lock(&d->lock);
  skp_status status = d->known[sample] ? SKP_OK : note(d, sample);
  if (status == SKP_OK) status = judge(d);
  pthread_mutex_unlock(&d->lock);
  return status;
}

bool skp__damage_known(struct skp_damage *d, int64_t sample) {
  pthread_mutex_lock(&d->lock);
  bool known = d->known[sample];
  pthread_mutex_unlock(&d->lock);
  return known;
}

skp_status skp__damage_be_strict(struct skp_damage *d) {
  if (!d) return SKP_OK;
  pthread_mutex_lock(&d->lock);
  d->strict = true;
  skp_status status = judge(d);
  pthread_mutex_unlock(&d->lock);
  return status;
}

int64_t skp__damage_list(struct skp_damage *d, int64_t from, struct skp__text *text) {
  if (!d) return 0;
  pthread_mutex_lock(&d->lock);
  int64_t n = (int64_t)d->text.n;
  list(text, d, (size_t)from);
  pthread_mutex_unlock(&d->lock);
  return n;
}
