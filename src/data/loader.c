/* loader.c: worker threads prepare batches ahead of the device. SPDX-License-Identifier: MIT
 *
 * Batches are numbered from 0 without end; batch b belongs in slot b % depth of a ring. A worker claims the next number
 * once its slot is free, takes that batch's sample numbers (all under the lock), fills the slot (without it) and marks
 * it ready. The order of the samples is therefore decided by the number of the batch
 * alone, whichever worker fills it. */
#include "data/loader.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/host.h"
#include "base/machine.h"
#include "base/random.h"
#include "base/thread.h"
#include "base/trace.h"
#include "data/balance.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CHANNELS = 4 };

enum state { FREE, FILLING, READY, HELD };

struct slot {
  struct skp_batch batch; /* first: a batch's address is its slot's */
  enum state state;
  int64_t *picks; /* [batch] numbers of the images; below the source's n, that of the sample, else it came before */
  int64_t before; /* the same of the image before them, in the whole batch */
  skp_status status;
  char *error; /* text when status is not SKP_OK; NULL if there was no memory even for that */
};

struct skp_loader {
  const struct skp_source *source;
  struct skp_loader_options o;
  int H, W, C;                           /* of the images delivered */
  int shorter;                           /* side to which those stored are scaled first; 0: not at all */
  float table[MAX_CHANNELS][SKP_LEVELS]; /* normalised value of each byte */
  int threads;                           /* started */
  pthread_t *thread;

  pthread_mutex_t lock; /* guards what follows */
  pthread_cond_t freed, ready;
  bool stop;
  int64_t claimed, delivered;   /* batches so far, those before the start included */
  int64_t ordered;              /* the epoch that `order` is for, -1: none yet */
  uint32_t *order;              /* [n] of the epoch that is being claimed */
  struct skp__balance *balance; /* NULL: the images of an epoch are the samples */
  int64_t *number;              /* [n] with balance: the images of the epoch */
  struct slot *slot; /* [depth]; a slot's content belongs to its filler while FILLING, to the caller while HELD */
};

/* Images of an epoch. */
static int64_t images(const struct skp_loader *l) { return l->o.images ? l->o.images : l->source->n; }

int skp__loader_workers(void) {
  enum { ENOUGH = 4 };
  const int cores = skp__machine_cores();
  return cores < ENOUGH ? cores : ENOUGH;
}

int64_t skp__loader_batches(const struct skp_loader *l) { return (images(l) + l->o.batch - 1) / l->o.batch; }

/* ---- workers ----------------------------------------------------------------------------------------------------- */

/* Under the lock. */
static void begin_epoch(struct skp_loader *l, int64_t epoch) {
  if (l->o.shuffle) skp__random_permutation(l->order, (uint32_t)l->source->n, l->o.seed, (uint64_t)epoch);
  if (l->balance) skp__balance_epoch(l->balance, l->number, epoch);
  l->ordered = epoch;
}

/* Under the lock: the number of image i of the epoch. */
static int64_t pick(const struct skp_loader *l, int64_t i) {
  const uint32_t place = l->order[(l->o.from + i) % l->source->n];
  return l->balance ? l->number[place] : place;
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* Under the lock: the numbers of the images of the next batch. The first of a whole one comes after its last. */
static void pick_samples(struct skp_loader *l, struct slot *slot) {
  const int64_t batches = skp__loader_batches(l);
  struct skp_batch *b = &slot->batch;
  b->epoch = l->claimed / batches;
  b->index = l->claimed % batches;
  if (l->ordered != b->epoch) begin_epoch(l, b->epoch);
  const int64_t begin = b->index * l->o.batch, left = images(l) - begin;
  b->whole = l->o.wrap ? l->o.batch : least(left, l->o.batch);
  b->first = least(l->o.first, b->whole);
  b->n = l->o.share ? least(b->whole - b->first, l->o.share) : b->whole;
  for (int64_t i = 0; i < b->n; i++) slot->picks[i] = pick(l, begin + b->first + i);
  slot->before = pick(l, begin + (b->first + b->whole - 1) % b->whole);
}

/* Under the lock: whether that batch lies beyond the last epoch. */
static bool beyond(const struct skp_loader *l, int64_t batch) {
  return l->o.epochs && batch >= l->o.epochs * skp__loader_batches(l);
}

/* Claims the next batch; NULL when the loader stops. */
static struct slot *claim(struct skp_loader *l) {
  pthread_mutex_lock(&l->lock);
  struct slot *slot = &l->slot[l->claimed % l->o.depth];
  while (!l->stop && (slot->state != FREE || beyond(l, l->claimed))) {
    pthread_cond_wait(&l->freed, &l->lock);
    slot = &l->slot[l->claimed % l->o.depth]; /* another worker may have claimed meanwhile */
  }
  if (l->stop) {
    slot = NULL;
  } else {
    slot->state = FILLING;
    pick_samples(l, slot);
    l->claimed++;
  }
  pthread_mutex_unlock(&l->lock);
  return slot;
}

/* What one worker works in. */
struct desk {
  struct skp_image stored, spare;
  int *column;   /* [W]: see skp__view_render */
  float *before; /* an image: see skp__mix */
};

static skp_status set_up_desk(struct desk *d, const struct skp_loader *l) {
  SKP_TRY(skp__alloc(&d->column, (size_t)l->W, sizeof *d->column));
  return skp__alloc(&d->before, (size_t)l->H * (size_t)l->W * (size_t)l->C, sizeof *d->before);
}

/* The image of a sample; of a damaged one, the image and the label of the next sound one, or none of both. *sample
 * becomes the one that it is; *sound: there is one. */
static skp_status read_image(const struct skp_loader *l, struct skp_image *image, int64_t *sample, int32_t *label,
                             bool *sound) {
  const struct skp_source *s = l->source;
  const int64_t wanted = *sample;
  SKP_TRY(s->image(s, wanted, image, label));
  for (int64_t k = 1; l->o.stand_in && !image->H && k < s->n; k++) {
    *sample = (wanted + k) % s->n;
    SKP_TRY(s->image(s, *sample, image, label));
  }
  *sound = image->H;
  if (*sound) return SKP_OK;
  *sample = wanted;
  *label = -1;
  SKP_TRY(skp__image_room(image, l->H, l->W, l->C));
  memset(image->pixels, 0, (size_t)l->H * (size_t)l->W * (size_t)l->C);
  return SKP_OK;
}

/* Values that the source has in place of pixels. */
static skp_status take_values(const struct skp_loader *l, const struct skp_image *image, float *x) {
  if (image->H != l->H || image->W != l->W || image->C != l->C)
    return skp__fail(SKP_SHAPE, "Floats are taken as they are: %d×%d×%d here, but the network takes %d×%d×%d.",
                     image->H, image->W, image->C, l->H, l->W, l->C);
  const int64_t pixels = (int64_t)l->H * l->W;
  for (int c = 0; c < l->C; c++) {
    const int from = c < l->o.n_norm ? c : l->o.n_norm - 1;
    const float mean = from < 0 ? 0 : l->o.mean[from], std = from < 0 ? 1 : l->o.std[from];
    for (int64_t at = c; at < pixels * l->C; at += l->C) x[at] = (image->values[at] - mean) / std;
  }
  return SKP_OK;
}

/* An image as it is stored, made what the network takes, seen as chance and the epoch want it. */
static skp_status show(const struct skp_loader *l, struct desk *d, const struct skp_batch *b, int64_t number,
                       int64_t at) {
  const int64_t values = (int64_t)l->H * l->W * l->C;
  struct skp_image *image = &d->stored;
  struct skp__view view;
  if (image->values) return take_values(l, image, b->x + at * values);
  SKP_TRY(skp__image_set_channels(image, l->C));
  skp__view_draw(&view, l->H, l->W, l->shorter, image, &l->o.augment, l->o.seed, b->epoch, number);
  if (b->x) return skp__view_render(b->x + at * values, &view, image, &d->spare, l->table, d->column);
  SKP_TRY(skp__view_show(&view, image, &d->spare, d->column));
  memcpy(b->bytes + at * values, image->pixels, (size_t)values);
  return SKP_OK;
}

/* Image `at` of a batch, read and shown. Of which nothing can be made is as damaged as what cannot be read: another
 * stands in. */
static skp_status prepare(const struct skp_loader *l, struct desk *d, const struct skp_batch *b, int64_t number,
                          int64_t at) {
  const struct skp_source *s = l->source;
  for (;;) {
    bool sound;
    b->samples[at] = number % s->n;
    SKP_TRY(read_image(l, &d->stored, &b->samples[at], &b->labels[at], &sound));
    skp_status status = show(l, d, b, number, at);
    if (status == SKP_OK || !sound || !s->spoilt) return status;
    SKP_TRY(s->spoilt(s, b->samples[at], status));
  }
}

/* The image before the first is in the batch, unless that is a share. */
static skp_status mix(const struct skp_loader *l, struct slot *slot, struct desk *d) {
  struct skp_batch *b = &slot->batch;
  const int64_t values = (int64_t)l->H * l->W * l->C;
  int32_t label = b->labels[b->n - 1];
  int64_t sample;
  struct skp_batch one = {.epoch = b->epoch, .index = b->index, .x = d->before, .labels = &label, .samples = &sample};
  if (b->n == b->whole)
    memcpy(d->before, b->x + (b->n - 1) * values, (size_t)values * sizeof *d->before);
  else
    SKP_TRY(prepare(l, d, &one, slot->before, 0));
  skp__mix(&(struct skp__mixing){b->n, l->H, l->W, l->C, b->x, b->labels, b->other, b->lambda, d->before, label},
           &l->o.augment, l->o.seed, b->epoch, b->index);
  return SKP_OK;
}

static skp_status fill(const struct skp_loader *l, struct slot *slot, struct desk *d) {
  struct skp_batch *b = &slot->batch;
  for (int64_t i = 0; i < b->n; i++) {
    skp_status status = prepare(l, d, b, slot->picks[i], i);
    if (status != SKP_OK) return skp__fail_in(status, "sample %lld of %s", (long long)b->samples[i], l->source->name);
  }
  return b->other && b->n ? mix(l, slot, d) : SKP_OK;
}

static void *work(void *user) {
  struct skp_loader *l = user;
  struct desk desk = {.column = NULL};
  skp_status memory = set_up_desk(&desk, l);
  skp__trace_thread("loader");
  for (struct slot *slot; (slot = claim(l));) {
    const double begin = skp__trace_begin();
    slot->status = memory == SKP_OK ? fill(l, slot, &desk) : memory;
    skp__trace_end("loader", "make a batch", begin);
    if (slot->status != SKP_OK && !slot->error) slot->error = strdup(skp_error_message());
    pthread_mutex_lock(&l->lock);
    slot->state = READY;
    pthread_cond_broadcast(&l->ready);
    pthread_mutex_unlock(&l->lock);
  }
  skp__image_free(&desk.stored);
  skp__image_free(&desk.spare);
  free(desk.column);
  free(desk.before);
  return NULL;
}

/* ---- the caller's side ------------------------------------------------------------------------------------------- */

/* Under the lock: waits for the slot; false when it is the caller who holds it. */
static bool wait_ready(struct skp_loader *l, struct slot *slot, double *waited) {
  if (slot->state == HELD) return false;
  if (slot->state == READY) return true;
  double start = skp__clock();
  while (slot->state != READY) pthread_cond_wait(&l->ready, &l->lock);
  if (waited) *waited += skp__clock() - start;
  skp__trace_end("wait", "wait for a batch", start);
  return true;
}

skp_status skp__loader_next(struct skp_loader *l, struct skp_batch **out, double *waited) {
  *out = NULL;
  pthread_mutex_lock(&l->lock);
  struct slot *slot = &l->slot[l->delivered % l->o.depth];
  bool over = beyond(l, l->delivered), ready = !over && wait_ready(l, slot, waited);
  if (ready && slot->status == SKP_OK) {
    slot->state = HELD;
    l->delivered++;
    *out = &slot->batch;
  }
  pthread_mutex_unlock(&l->lock);
  if (over) return skp__fail(SKP_INTERNAL, "The %lld epochs of the loader are over.", (long long)l->o.epochs);
  if (!ready) return skp__fail(SKP_INTERNAL, "All %d batches of the loader are held; give one back.", l->o.depth);
  return slot->status == SKP_OK
             ? SKP_OK
             : skp__fail(slot->status, "%s", slot->error ? slot->error : skp_status_text(slot->status));
}

void skp__loader_give_back(struct skp_loader *l, struct skp_batch *batch) {
  if (!batch) return;
  pthread_mutex_lock(&l->lock);
  ((struct slot *)batch)->state = FREE;
  pthread_cond_broadcast(&l->freed);
  pthread_mutex_unlock(&l->lock);
}

/* ---- making and ending ------------------------------------------------------------------------------------------- */

static skp_status check_options(const struct skp_source *s, const struct skp_loader_options *o) {
  if (s->n < 1 || s->n > UINT32_MAX)
    return skp__fail(SKP_FORMAT, "%s has %lld samples; from 1 to %lld can be loaded.", s->name, (long long)s->n,
                     (long long)UINT32_MAX);
  if (o->n_norm < 0 || o->n_norm > MAX_CHANNELS)
    return skp__fail(SKP_INTERNAL, "A loader takes up to %d means and deviations.", MAX_CHANNELS);
  if (!o->size && (!s->H || !s->W))
    return skp__fail(SKP_INTERNAL, "The images of %s are of several sizes; one must be asked for.", s->name);
  if (o->batch < 1 || o->threads < 1 || o->depth < 2)
    return skp__fail(SKP_USAGE, "A loader needs a batch of at least 1, 1 thread and a depth of 2, not %lld, %d and %d.",
                     (long long)o->batch, o->threads, o->depth);
  if (o->resize && o->resize < o->size)
    return skp__fail(SKP_INTERNAL, "Images resized to %d have no room for one of %d × %d.", o->resize, o->size,
                     o->size);
  if (o->images < 0 || o->images > s->n)
    return skp__fail(SKP_INTERNAL, "An epoch cannot have %lld of %lld images.", (long long)o->images, (long long)s->n);
  if (o->bytes && (s->floats || !skp__augment_keeps_bytes(&o->augment)))
    return skp__fail(SKP_INTERNAL, "These images cannot be loaded as bytes.");
  if (o->start < 0) return skp__fail(SKP_INTERNAL, "A loader cannot start at batch %lld.", (long long)o->start);
  for (int c = 0; c < o->n_norm; c++)
    if (!isfinite(o->mean[c]) || !isfinite(o->std[c]) || o->std[c] == 0)
      return skp__fail(SKP_USAGE, "Pixels cannot be normalised with mean %g and standard deviation %g.", o->mean[c],
                       o->std[c]);
  return SKP_OK;
}

/* What the images delivered are like. */
static skp_status set_shape(struct skp_loader *l) {
  const struct skp_source *s = l->source;
  const struct skp_loader_options *o = &l->o;
  l->H = o->size ? o->size : s->H;
  l->W = o->size ? o->size : s->W;
  l->shorter = o->resize ? o->resize : o->size;
  l->C = o->channels ? o->channels : s->C;
  if (o->size < 0 || l->C < 1 || l->C > MAX_CHANNELS)
    return skp__fail(SKP_INTERNAL, "A loader delivers images of 1 to %d channels.", MAX_CHANNELS);
  if (o->batch > INT64_MAX / 8 / ((int64_t)l->H * l->W * l->C) / o->depth)
    return skp__fail(SKP_USAGE, "A batch of %lld images of %d × %d × %d is too large.", (long long)o->batch, l->H, l->W,
                     l->C);
  return SKP_OK;
}

static skp_status make_ring(struct skp_loader *l) {
  size_t batch = (size_t)l->o.batch, values = (size_t)l->H * (size_t)l->W * (size_t)l->C;
  int64_t n = l->source->n;
  SKP_TRY(skp__alloc(&l->order, (size_t)n, sizeof *l->order));
  for (int64_t i = 0; i < n; i++) l->order[i] = (uint32_t)i;
  if (l->o.balanced) {
    SKP_TRY(skp__alloc(&l->number, (size_t)n, sizeof *l->number));
    SKP_TRY(skp__balance_create(&l->balance, l->source, l->o.seed, l->o.shuffle));
  }
  SKP_TRY(skp__alloc(&l->slot, (size_t)l->o.depth, sizeof *l->slot));
  for (int d = 0; d < l->o.depth; d++) {
    if (l->o.bytes) SKP_TRY(skp__alloc(&l->slot[d].batch.bytes, batch * values, 1));
    if (!l->o.bytes) SKP_TRY(skp__alloc(&l->slot[d].batch.x, batch * values, sizeof(float)));
    SKP_TRY(skp__alloc(&l->slot[d].batch.labels, batch, sizeof(int32_t)));
    SKP_TRY(skp__alloc(&l->slot[d].batch.samples, batch, sizeof(int64_t)));
    SKP_TRY(skp__alloc(&l->slot[d].picks, batch, sizeof(int64_t)));
    if (!skp__augment_mixes(&l->o.augment)) continue;
    SKP_TRY(skp__alloc(&l->slot[d].batch.other, batch, sizeof(int32_t)));
    SKP_TRY(skp__alloc(&l->slot[d].batch.lambda, batch, sizeof(float)));
  }
  return SKP_OK;
}

static skp_status start_workers(struct skp_loader *l) {
  SKP_TRY(skp__alloc(&l->thread, (size_t)l->o.threads, sizeof *l->thread));
  int error = 0;
  while (!error && l->threads < l->o.threads)
    if (!(error = skp__thread_start(&l->thread[l->threads], work, l))) l->threads++;
  return error ? skp__fail(SKP_MEMORY, "Cannot start loader thread %d: %s. Ask for fewer (%s).", l->threads + 1,
                           strerror(error), skp__option("workers"))
               : SKP_OK;
}

skp_status skp__loader_create(struct skp_loader **out, const struct skp_source *source,
                              const struct skp_loader_options *options) {
  struct skp_loader *l;
  *out = NULL;
  SKP_TRY(check_options(source, options));
  SKP_TRY(skp__alloc(&l, 1, sizeof *l));
  l->source = source;
  l->o = *options;
  l->claimed = l->delivered = options->start;
  l->ordered = -1;
  pthread_mutex_init(&l->lock, NULL);
  pthread_cond_init(&l->freed, NULL);
  pthread_cond_init(&l->ready, NULL);
  skp__normalising(l->table, MAX_CHANNELS, options->mean, options->std, options->n_norm);
  skp_status status = set_shape(l);
  if (status == SKP_OK) status = make_ring(l);
  if (status == SKP_OK) status = start_workers(l);
  if (status == SKP_OK)
    *out = l;
  else
    skp__loader_destroy(l);
  return status;
}

void skp__loader_destroy(struct skp_loader *l) {
  if (!l) return;
  pthread_mutex_lock(&l->lock);
  l->stop = true;
  pthread_cond_broadcast(&l->freed);
  pthread_mutex_unlock(&l->lock);
  for (int t = 0; t < l->threads; t++) pthread_join(l->thread[t], NULL);
  for (int d = 0; l->slot && d < l->o.depth; d++) {
    free(l->slot[d].batch.x);
    free(l->slot[d].batch.bytes);
    free(l->slot[d].batch.labels);
    free(l->slot[d].batch.samples);
    free(l->slot[d].batch.other);
    free(l->slot[d].batch.lambda);
    free(l->slot[d].picks);
    free(l->slot[d].error);
  }
  pthread_cond_destroy(&l->ready);
  pthread_cond_destroy(&l->freed);
  pthread_mutex_destroy(&l->lock);
  free(l->slot);
  free(l->order);
  free(l->number);
  skp__balance_destroy(l->balance);
  free(l->thread);
  free(l);
}
