/* damage.c: images that cannot be read: named, counted, and passed over while they are few.
 * SPDX-License-Identifier: MIT */
#include "data/damage.h"
#include "base/array.h"
#include "base/host.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* One of so many may be damaged; and so many in any case. */
enum { FEW = 100, ALWAYS = 5 };

struct defect {
  char *text;
  bool missing; /* the file cannot be opened; else what it holds is no picture */
};

struct skp_damage {
  const char *set;
  int64_t samples;
  pthread_mutex_t lock;           /* guards what follows */
  int64_t most;                   /* are borne */
  uint8_t *known;                 /* [samples] */
  SKP_ARRAY(struct defect) found; /* in the order in which they were met */
  struct skp_damage *whole;       /* where it is noted instead; NULL: here */
  int64_t first;                  /* its sample 0 there */
};

skp_status skp__damage_create(struct skp_damage **out, const char *set, int64_t samples) {
  struct skp_damage *d;
  *out = NULL;
  SKP_TRY(skp__alloc(&d, 1, sizeof *d));
  pthread_mutex_init(&d->lock, NULL);
  d->set = set;
  d->samples = samples;
  d->most = SKP_DAMAGE_USUAL;
  *out = d;
  return skp__alloc(&d->known, (size_t)samples, sizeof *d->known);
}

void skp__damage_destroy(struct skp_damage *d) {
  if (!d) return;
  for (size_t i = 0; i < d->found.n; i++) free(d->found.at[i].text);
  SKP_FREE(&d->found);
  pthread_mutex_destroy(&d->lock);
  free(d->known);
  free(d);
}

static void list(struct skp__text *text, const struct skp_damage *d, size_t from) {
  enum { SHOWN = 10 };
  for (size_t i = from; i < d->found.n && i < from + SHOWN; i++) skp__text_add(text, "\n  %s", d->found.at[i].text);
  if (d->found.n > from + SHOWN) skp__text_add(text, "\n  … and %zu more", d->found.n - from - SHOWN);
}

static const char *word(const struct skp_damage *d, size_t from) {
  size_t missing = 0, all = d->found.n - from;
  for (size_t i = from; i < d->found.n; i++) missing += d->found.at[i].missing;
  return !missing ? "damaged" : missing == all ? "missing" : "damaged or missing";
}

static int64_t borne(const struct skp_damage *d) {
  const int64_t few = d->samples / FEW;
  return d->most != SKP_DAMAGE_USUAL ? d->most : few > ALWAYS ? few : ALWAYS;
}

/* How many are borne, where others are sound. */
static void say_borne(struct skp__text *text, const struct skp_damage *d) {
  const char *name = skp__option("max_damaged");
  if ((int64_t)d->found.n == d->samples) return;
  if (d->most != SKP_DAMAGE_USUAL)
    skp__text_add(text, ", more than %s says", name);
  else
    skp__text_add(text, ", more than 1 in 100 and than 5 (%s N bears more)", name);
}

/* Under the lock: whether there is more of it than is borne. */
static skp_status judge(const struct skp_damage *d) {
  struct skp__text text = {.n = 0};
  const int64_t n = (int64_t)d->found.n, most = borne(d);
  if (!n || (n <= most && n < d->samples)) return SKP_OK;
  if (most) say_borne(&text, d);
  skp__text_add(&text, ":");
  list(&text, d, 0);
  if (!most) return skp__fail(SKP_FORMAT, "%s has %s images%s", d->set, word(d, 0), text.at);
  return skp__fail(SKP_FORMAT, "%lld of the %lld images of %s %s %s%s", (long long)n, (long long)d->samples, d->set,
                   n == 1 ? "is" : "are", word(d, 0), text.at);
}

skp_status skp__damage_judge(struct skp_damage *d) {
  if (d->whole) return skp__damage_judge(d->whole);
  pthread_mutex_lock(&d->lock);
  skp_status status = judge(d);
  pthread_mutex_unlock(&d->lock);
  return status;
}

skp_status skp__damage_bear(struct skp_damage *d, int64_t most) {
  if (!d) return SKP_OK;
  pthread_mutex_lock(&d->lock);
  d->most = most;
  skp_status status = judge(d);
  pthread_mutex_unlock(&d->lock);
  return status;
}

static skp_status note(struct skp_damage *d, int64_t sample, skp_status why) {
  SKP_TRY(SKP_GROW(&d->found));
  d->known[sample] = 1;
  d->found.at[d->found.n - 1].missing = why == SKP_IO;
  return skp__strdup(&d->found.at[d->found.n - 1].text, skp_error_message());
}

skp_status skp__damage_note(struct skp_damage *d, int64_t sample, skp_status why) {
  static const skp_status its_own[] = {SKP_FORMAT, SKP_IO, SKP_SHAPE, SKP_UNSUPPORTED, SKP_MEMORY}; /* too large */
  bool own = false;
  if (d->whole) return skp__damage_note(d->whole, d->first + sample, why);
  for (size_t i = 0; i < sizeof its_own / sizeof *its_own; i++) own = own || why == its_own[i];
  if (!own) return why;
  pthread_mutex_lock(&d->lock);
  skp_status status = d->known[sample] ? SKP_OK : note(d, sample, why);
  pthread_mutex_unlock(&d->lock);
  return status;
}

skp_status skp__damage_join(struct skp_damage *part, struct skp_damage *whole, int64_t first) {
  if (!part) return SKP_OK;
  memcpy(whole->known + first, part->known, (size_t)part->samples);
  part->whole = whole;
  part->first = first;
  for (size_t i = 0; i < part->found.n; i++) {
    SKP_TRY(SKP_GROW(&whole->found));
    whole->found.at[whole->found.n - 1] = part->found.at[i];
    part->found.at[i].text = NULL; /* taken over */
  }
  return SKP_OK;
}

bool skp__damage_known(struct skp_damage *d, int64_t sample) {
  if (d->whole) return skp__damage_known(d->whole, d->first + sample);
  pthread_mutex_lock(&d->lock);
  bool known = d->known[sample];
  pthread_mutex_unlock(&d->lock);
  return known;
}

int64_t skp__damage_list(struct skp_damage *d, int64_t from, struct skp__text *text) {
  if (!d) return 0;
  pthread_mutex_lock(&d->lock);
  int64_t n = (int64_t)d->found.n;
  list(text, d, (size_t)from);
  pthread_mutex_unlock(&d->lock);
  return n;
}

const char *skp__damage_word(struct skp_damage *d, int64_t from) {
  pthread_mutex_lock(&d->lock);
  const char *what = word(d, (size_t)from);
  pthread_mutex_unlock(&d->lock);
  return what;
}
