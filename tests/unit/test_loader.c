/* test_loader.c: every sample once an epoch, in an order that only seed and epoch
 * decide; errors arrive; it always ends.
 * SPDX-License-Identifier: MIT */
#include "data/loader.h"
#include "test.h"
#include <unistd.h>

/* ---- a source whose samples tell their numbers ------------------------------------------------------------------- */

struct numbers {
  struct skp_source base;
  int64_t bad;   /* this one cannot be read; -1: none */
  int64_t pause; /* microseconds that every third sample takes longer */
  int64_t odd;   /* this one has two channels, of which nothing can be made; -1: none */
  int64_t spoilt;
};

static skp_status image(const struct skp_source *s, int64_t i, struct skp_image *out, int32_t *label) {
  const struct numbers *n = (const struct numbers *)s;
  if (i == n->bad) return skp__fail(SKP_FORMAT, "picture %lld is torn.", (long long)i);
  if (i == n->spoilt) {
    out->H = 0;
    return SKP_OK;
  }
  if (i == n->odd) {
    *label = (int32_t)i;
    return skp__image_room(out, 2, 3, 2);
  }
  if (n->pause && i % 3 == 0) usleep((useconds_t)n->pause);
  SKP_TRY(skp__image_room(out, s->H, s->W, s->C));
  for (int p = 0; p < s->H * s->W * s->C; p++) out->pixels[p] = (uint8_t)(i + p);
  *label = (int32_t)i;
  return SKP_OK;
}

static skp_status spoilt(const struct skp_source *s, int64_t i, skp_status why) {
  struct numbers *n = (struct numbers *)(uintptr_t)s;
  ck_assert_int_eq(i, n->odd);
  ck_assert_int_eq(n->spoilt, -1); /* noted once */
  n->spoilt = i;
  return why == SKP_UNSUPPORTED ? SKP_OK : why;
}

static struct numbers numbers(int64_t n) {
  return (struct numbers){{.name = (char *)"numbers", .n = n, .H = 2, .W = 3, .C = 3, .image = image}, -1, 0, -1, -1};
}

static struct skp_loader_options options(int64_t batch, int threads) {
  return (struct skp_loader_options){.batch = batch, .shuffle = true, .seed = 7, .threads = threads, .depth = 3};
}

/* Appends the labels of `batches` batches to `out`; returns how many there were. */
static int64_t labels(const struct numbers *s, const struct skp_loader_options *o, int batches, int32_t *out) {
  struct skp_loader *l;
  int64_t n = 0;
  ck_ok(skp__loader_create(&l, &s->base, o));
  for (int b = 0; b < batches; b++) {
    struct skp_batch *batch;
    ck_ok(skp__loader_next(l, &batch, NULL));
    memcpy(out + n, batch->labels, (size_t)batch->n * sizeof *out);
    n += batch->n;
    skp__loader_give_back(l, batch);
  }
  skp__loader_destroy(l);
  return n;
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

/* With an end, no batch comes after the last. */
START_TEST(it_ends_when_asked_to) {
  struct numbers s = numbers(7);
  struct skp_loader_options o = options(3, 2);
  struct skp_loader *l;
  struct skp_batch *batch;
  o.epochs = 2;
  ck_ok(skp__loader_create(&l, &s.base, &o));
  for (int b = 0; b < 6; b++) {
    ck_ok(skp__loader_next(l, &batch, NULL));
    ck_assert_int_eq(batch->epoch, b / 3);
    skp__loader_give_back(l, batch);
  }
  ck_fails(skp__loader_next(l, &batch, NULL), SKP_INTERNAL, "over");
  skp__loader_destroy(l);
}
END_TEST

START_TEST(each_sample_once_an_epoch) {
  enum { N = 23 };
  struct numbers s = numbers(N);
  struct skp_loader_options o = options(5, 2);
  int32_t got[3 * N];
  ck_assert_int_eq(labels(&s, &o, 15, got), 3 * N);
  for (int epoch = 0; epoch < 3; epoch++) {
    int seen[N] = {0};
    for (int i = 0; i < N; i++) seen[got[epoch * N + i]]++;
    for (int i = 0; i < N; i++) ck_assert_int_eq(seen[i], 1);
  }
  ck_assert(memcmp(got, got + N, N * sizeof *got)); /* a fresh order each time */
  ck_assert(memcmp(got + N, got + 2 * N, N * sizeof *got));
}
END_TEST

START_TEST(order_depends_on_seed_only) {
  enum { N = 50, TOTAL = 4 * N };
  struct numbers s = numbers(N), slow = numbers(N);
  slow.pause = 300;
  struct skp_loader_options one = options(7, 1), many = options(7, 5), other = options(7, 1);
  many.depth = 9;
  other.seed = 8;
  int32_t a[TOTAL], b[TOTAL], c[TOTAL];
  labels(&s, &one, 32, a);
  labels(&slow, &many, 32, b);
  labels(&s, &other, 32, c);
  ck_assert_mem_eq(a, b, sizeof a);
  ck_assert(memcmp(a, c, sizeof a));
}
END_TEST

START_TEST(stored_order) {
  struct numbers s = numbers(10);
  struct skp_loader_options o = options(4, 3);
  o.shuffle = false;
  int32_t got[20];
  ck_assert_int_eq(labels(&s, &o, 6, got), 20);
  for (int i = 0; i < 20; i++) ck_assert_int_eq(got[i], i % 10);
}
END_TEST

/* Three epochs of 4 batches: from any batch on, the same come as after all those before it. */
START_TEST(starts_anywhere) {
  enum { N = 23, BATCHES = 4, TOTAL = 3 * N };
  struct numbers s = numbers(N);
  struct skp_loader_options o = options(6, 1);
  int32_t all[TOTAL], got[TOTAL];
  labels(&s, &o, 3 * BATCHES, all);
  for (int start = 0; start < 3 * BATCHES; start++) {
    struct skp_loader_options from = options(6, 1 + start % 3);
    from.start = start;
    int64_t before = (int64_t)(start / BATCHES) * N + (int64_t)(start % BATCHES) * 6;
    ck_assert_int_eq(labels(&s, &from, 3 * BATCHES - start, got), TOTAL - before);
    ck_assert_mem_eq(got, all + before, (size_t)(TOTAL - before) * sizeof *got);
    struct skp_loader *l;
    struct skp_batch *batch;
    ck_ok(skp__loader_create(&l, &s.base, &from));
    ck_ok(skp__loader_next(l, &batch, NULL));
    ck_assert_int_eq(batch->epoch, start / BATCHES);
    ck_assert_int_eq(batch->index, start % BATCHES);
    skp__loader_destroy(l);
  }
}
END_TEST

/* ---- classes that come equally often ----------------------------------------------------------------------------- */

enum { UNEVEN = 24 };

/* 2 images of class 0, none of class 1, 4 of class 2, 16 of class 3, 2 without a label. The loader delivers the number
 * of the image as its label. */
static int32_t class_of(int64_t i) { return i < 2 ? 0 : i < 6 ? 2 : i < 22 ? 3 : -1; }

static skp_status uneven_image(const struct skp_source *s, int64_t i, struct skp_image *out, int32_t *label) {
  *label = class_of(i);
  if (!out) return SKP_OK;
  return image(s, i, out, label);
}

static struct numbers uneven(void) {
  struct numbers s = numbers(UNEVEN);
  s.base.image = uneven_image;
  s.base.classes = 4;
  return s;
}

/* An epoch has as many images as the set, and each class that has some as often as the
 * others; over epochs each of its images, too. */
START_TEST(balances_classes) {
  enum { EPOCHS = 8, TOTAL = EPOCHS * UNEVEN };
  struct numbers s = uneven();
  struct skp_loader_options o = options(5, 3);
  int32_t got[TOTAL];
  int seen[UNEVEN] = {0};
  o.balanced = true;
  ck_assert_int_eq(labels(&s, &o, EPOCHS * 5, got), TOTAL);
  for (int epoch = 0; epoch < EPOCHS; epoch++) {
    int of[4] = {0};
    for (int i = 0; i < UNEVEN; i++) of[class_of(got[epoch * UNEVEN + i])]++;
    ck_assert(of[0] == 8 && of[1] == 0 && of[2] == 8 && of[3] == 8);
  }
  for (int i = 0; i < TOTAL; i++) seen[got[i]]++;
  for (int i = 0; i < 22; i++) ck_assert_int_eq(seen[i], 8 * EPOCHS / (i < 2 ? 2 : i < 6 ? 4 : 16));
  ck_assert(memcmp(got, got + UNEVEN, UNEVEN * sizeof *got));
}
END_TEST

/* From any batch on, by any number of threads, the same come as after all those before it. */
START_TEST(balances_from_anywhere) {
  enum { BATCHES = 5, TOTAL = 4 * UNEVEN };
  struct numbers s = uneven();
  struct skp_loader_options o = options(5, 1);
  int32_t all[TOTAL], got[TOTAL];
  o.balanced = true;
  labels(&s, &o, 4 * BATCHES, all);
  for (int start = 0; start < 4 * BATCHES; start++) {
    const int before = start / BATCHES * UNEVEN + start % BATCHES * 5;
    o.start = start;
    o.threads = 1 + start % 3;
    ck_assert_int_eq(labels(&s, &o, 4 * BATCHES - start, got), TOTAL - before);
    ck_assert_mem_eq(got, all + before, (size_t)(TOTAL - before) * sizeof *got);
  }
  o.seed = 8;
  o.start = 0;
  labels(&s, &o, 4 * BATCHES, got);
  ck_assert(memcmp(got, all, sizeof all));
}
END_TEST

/* In stored order the classes take turns. */
START_TEST(balances_in_stored_order) {
  static const int32_t want[] = {0, 2, 6, 1, 3, 7, 0, 4, 8, 1, 5, 9, 0, 2, 10};
  struct numbers s = uneven();
  struct skp_loader_options o = options(15, 2);
  int32_t got[UNEVEN];
  o.balanced = true;
  o.shuffle = false;
  labels(&s, &o, 1, got);
  ck_assert_mem_eq(got, want, sizeof want);
}
END_TEST

/* An image that comes again in an epoch is seen otherwise. */
START_TEST(repeated_images_differ) {
  struct numbers s = uneven();
  struct skp_loader_options o = options(UNEVEN, 2);
  struct skp_loader *l;
  struct skp_batch *batch;
  int distinct = 0, of_first = 0;
  float first[8];
  o.balanced = true;
  o.augment = (struct skp_augment){.brightness = 1};
  ck_ok(skp__loader_create(&l, &s.base, &o));
  ck_ok(skp__loader_next(l, &batch, NULL));
  for (int i = 0; i < UNEVEN; i++) {
    if (batch->labels[i] != 1) continue;
    first[of_first] = batch->x[i * 18 + 17];
    for (int k = 0; k <= of_first; k++) distinct += first[k] != first[of_first];
    of_first++;
  }
  ck_assert_int_eq(of_first, 4);
  ck_assert_int_ge(distinct, 4); /* of 6 pairs; bright images may be cut alike */
  skp__loader_destroy(l);
}
END_TEST

START_TEST(wrap_fills_up) {
  static const int32_t want[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 0, 1, 2, 3};
  static const int32_t want_small[] = {0, 1, 2, 0, 0, 1, 2, 0};
  struct numbers s = numbers(10), small = numbers(3);
  struct skp_loader_options o = options(4, 2);
  o.shuffle = false;
  o.wrap = true;
  int32_t got[16];
  ck_assert_int_eq(labels(&s, &o, 4, got), 16);
  ck_assert_mem_eq(got, want, sizeof want);
  ck_assert_int_eq(labels(&small, &o, 2, got), 8); /* a batch larger than the set */
  ck_assert_mem_eq(got, want_small, sizeof want_small);
}
END_TEST

/* What ranks get of the batches is together what one gets who takes them whole: each image in the same view, mixed with
 * the same one. In the last batch of an epoch there is nothing left for the last rank. */
START_TEST(shares_are_the_batch) {
  enum { N = 14, BATCH = 8, RANKS = 3, SHARE = 3, VALUES = 18, BATCHES = 4 };
  struct numbers s = numbers(N);
  struct skp_loader_options o = options(BATCH, 2);
  struct skp_loader *l, *part[RANKS];
  struct skp_batch *whole, *its;
  o.augment = (struct skp_augment){.flip = true, .crop_padding = 1, .brightness = 0.5, .mixup = 1};
  ck_ok(skp__loader_create(&l, &s.base, &o));
  o.share = SHARE;
  for (int r = 0; r < RANKS; r++) {
    o.first = r * SHARE;
    ck_ok(skp__loader_create(&part[r], &s.base, &o));
  }
  for (int b = 0; b < BATCHES; b++) {
    int64_t n = 0;
    ck_ok(skp__loader_next(l, &whole, NULL));
    ck_assert_int_eq(whole->n, b % 2 ? N - BATCH : BATCH);
    for (int r = 0; r < RANKS; r++) {
      ck_ok(skp__loader_next(part[r], &its, NULL));
      ck_assert(its->whole == whole->n && its->first == n && its->n <= SHARE);
      ck_assert_mem_eq(its->x, whole->x + n * VALUES, (size_t)its->n * VALUES * sizeof *its->x);
      ck_assert_mem_eq(its->labels, whole->labels + n, (size_t)its->n * sizeof *its->labels);
      ck_assert_mem_eq(its->other, whole->other + n, (size_t)its->n * sizeof *its->other);
      ck_assert_mem_eq(its->lambda, whole->lambda + n, (size_t)its->n * sizeof *its->lambda);
      ck_assert_mem_eq(its->samples, whole->samples + n, (size_t)its->n * sizeof *its->samples);
      n += its->n;
      skp__loader_give_back(part[r], its);
    }
    ck_assert_int_eq(n, whole->n);
    skp__loader_give_back(l, whole);
  }
  skp__loader_destroy(l);
  for (int r = 0; r < RANKS; r++) skp__loader_destroy(part[r]);
}
END_TEST

START_TEST(begins_within) {
  static const int32_t want[] = {3, 4, 5, 6, 3, 4, 5, 6};
  struct numbers s = numbers(10);
  struct skp_loader_options o = options(3, 2);
  int32_t got[8];
  o.shuffle = false;
  o.from = 3;
  o.images = 4;
  ck_assert_int_eq(labels(&s, &o, 4, got), 8);
  ck_assert_mem_eq(got, want, sizeof want);
}
END_TEST

START_TEST(numbered_and_normalised) {
  struct numbers s = numbers(5);
  struct skp_loader_options o = options(2, 1);
  o.shuffle = false;
  o.n_norm = 2;
  o.mean[0] = 0.5f, o.mean[1] = 0.25f, o.std[0] = 0.5f, o.std[1] = 2;
  struct skp_loader *l;
  ck_ok(skp__loader_create(&l, &s.base, &o));
  ck_assert_int_eq(skp__loader_batches(l), 3);
  for (int b = 0; b < 7; b++) {
    struct skp_batch *batch;
    ck_ok(skp__loader_next(l, &batch, NULL));
    ck_assert_int_eq(batch->epoch, b / 3);
    ck_assert_int_eq(batch->index, b % 3);
    ck_assert_int_eq(batch->n, b % 3 == 2 ? 1 : 2);
    for (int64_t i = 0; i < batch->n; i++)
      for (int p = 0; p < 18; p++) {
        int c = p % 3 ? 1 : 0; /* the last of the means serves the third channel too */
        float byte = (float)(uint8_t)(batch->labels[i] + p);
        ck_assert_float_eq(batch->x[i * 18 + p], (byte / 255.0f - o.mean[c]) / o.std[c]);
      }
    skp__loader_give_back(l, batch);
  }
  skp__loader_destroy(l);
}
END_TEST

START_TEST(plain_pixels) {
  struct numbers s = numbers(256);
  struct skp_loader_options o = options(256, 1);
  struct skp_loader *l;
  struct skp_batch *batch;
  double waited = -1;
  ck_ok(skp__loader_create(&l, &s.base, &o));
  ck_ok(skp__loader_next(l, &batch, &waited));
  for (int i = 0; i < 256; i++) ck_assert_float_eq(batch->x[18 * i], (float)batch->labels[i] / 255.0f);
  ck_assert_double_ge(waited, -1);
  skp__loader_destroy(l); /* a held batch needs no giving back then */
}
END_TEST

/* Images of 2 × 3 with the bytes i + p become squares: the shorter side is resized, the middle cut out. */
START_TEST(fitted) {
  struct numbers s = numbers(1);
  struct skp_loader_options o = options(1, 1);
  struct skp_loader *l;
  struct skp_batch *batch;
  o.size = 2;
  o.channels = 1;
  ck_ok(skp__loader_create(&l, &s.base, &o));
  ck_ok(skp__loader_next(l, &batch, NULL));
  const int middle[] = {0, 3, 9, 12}; /* an offset of 1/2 is rounded to even: columns 0 and 1 */
  for (int i = 0; i < 4; i++) {
    double luma = middle[i] * 0.299 + (middle[i] + 1) * 0.587 + (middle[i] + 2) * 0.114;
    ck_assert_double_eq_tol((double)batch->x[i] * 255, luma, 0.51);
  }
  skp__loader_destroy(l);
}
END_TEST

START_TEST(errors_arrive) {
  struct numbers s = numbers(100);
  s.bad = 42;
  struct skp_loader_options o = options(10, _i);
  o.shuffle = false;
  struct skp_loader *l;
  struct skp_batch *batch;
  ck_ok(skp__loader_create(&l, &s.base, &o));
  for (int b = 0; b < 4; b++) {
    ck_ok(skp__loader_next(l, &batch, NULL));
    skp__loader_give_back(l, batch);
  }
  for (int again = 0; again < 2; again++) {
    ck_fails(skp__loader_next(l, &batch, NULL), SKP_FORMAT, "sample 42 of numbers: picture 42 is torn.");
    ck_assert_ptr_null(batch);
  }
  skp__loader_destroy(l);
}
END_TEST

/* Nothing can be made of a sample that was read: where the source takes that for damage, the next one stands in, or
 * nothing; else it is the error of the batch. */
START_TEST(spoilt_samples) {
  enum { N = 7 };
  for (int how = 0; how < 3; how++) {
    struct numbers s = numbers(N);
    struct skp_loader_options o = options(N, 1);
    struct skp_loader *l;
    struct skp_batch *batch;
    s.odd = 4;
    s.base.spoilt = how ? spoilt : NULL;
    o.shuffle = false;
    o.stand_in = how == 1;
    ck_ok(skp__loader_create(&l, &s.base, &o));
    if (!how) {
      ck_fails(skp__loader_next(l, &batch, NULL), SKP_UNSUPPORTED, "sample 4 of numbers: An image of 2 channels");
    } else {
      ck_ok(skp__loader_next(l, &batch, NULL));
      for (int i = 0; i < N; i++) ck_assert_int_eq(batch->labels[i], i != 4 ? i : how == 1 ? 5 : -1);
      for (int i = 0; i < N; i++) ck_assert_int_eq(batch->samples[i], i == 4 && how == 1 ? 5 : i);
    }
    skp__loader_destroy(l);
  }
}
END_TEST

/* An error is that of the sample that was read. */
START_TEST(names_who_stood_in) {
  struct numbers s = numbers(7);
  struct skp_loader_options o = options(7, 1);
  struct skp_loader *l;
  struct skp_batch *batch;
  s.spoilt = 4;
  s.bad = 5;
  o.shuffle = false;
  o.stand_in = true;
  ck_ok(skp__loader_create(&l, &s.base, &o));
  ck_fails(skp__loader_next(l, &batch, NULL), SKP_FORMAT, "sample 5 of numbers: picture 5 is torn.");
  skp__loader_destroy(l);
}
END_TEST

START_TEST(held_batches_stay) {
  struct numbers s = numbers(40);
  struct skp_loader_options o = options(10, 2);
  o.shuffle = false;
  struct skp_loader *l;
  struct skp_batch *held[3], *more;
  ck_ok(skp__loader_create(&l, &s.base, &o));
  for (int b = 0; b < 3; b++) ck_ok(skp__loader_next(l, &held[b], NULL));
  ck_fails(skp__loader_next(l, &more, NULL), SKP_INTERNAL, "All 3 batches");
  skp__loader_give_back(l, NULL);
  skp__loader_give_back(l, held[0]);
  skp__loader_give_back(l, held[2]); /* in any order */
  ck_ok(skp__loader_next(l, &more, NULL));
  ck_assert_int_eq(more->labels[0], 30);
  ck_assert_int_eq(held[1]->labels[0], 10);
  skp__loader_destroy(l);
}
END_TEST

START_TEST(ends_at_any_time) {
  struct numbers s = numbers(64);
  s.pause = 200;
  for (int taken = 0; taken < 12; taken++) {
    struct skp_loader_options o = options(4, 1 + taken % 4);
    struct skp_loader *l;
    ck_ok(skp__loader_create(&l, &s.base, &o));
    for (int b = 0; b < taken; b++) {
      struct skp_batch *batch;
      ck_ok(skp__loader_next(l, &batch, NULL));
      skp__loader_give_back(l, batch);
    }
    if (taken % 2) usleep(5000); /* the ring is full now */
    skp__loader_destroy(l);
  }
  skp__loader_destroy(NULL);
}
END_TEST

START_TEST(refuses) {
  struct numbers s = numbers(10), empty = numbers(0), deep = numbers(10), mixed = numbers(10);
  deep.base.C = 5;
  mixed.base.H = mixed.base.W = 0;
  struct skp_loader *l;
  struct skp_loader_options o = options(0, 1);
  ck_fails(skp__loader_create(&l, &s.base, &o), SKP_USAGE, "batch of at least 1");
  o = options(4, 0);
  ck_fails(skp__loader_create(&l, &s.base, &o), SKP_USAGE, "1 thread");
  o = options(4, 1);
  o.start = -1;
  ck_fails(skp__loader_create(&l, &s.base, &o), SKP_INTERNAL, "start at batch -1");
  o = options(4, 1);
  ck_fails(skp__loader_create(&l, &empty.base, &o), SKP_FORMAT, "has 0 samples");
  ck_fails(skp__loader_create(&l, &deep.base, &o), SKP_INTERNAL, "channels");
  ck_fails(skp__loader_create(&l, &mixed.base, &o), SKP_INTERNAL, "several sizes");
  o.n_norm = 1;
  ck_fails(skp__loader_create(&l, &s.base, &o), SKP_USAGE, "standard deviation 0");
  o = options(INT64_MAX / 100, 1);
  ck_fails(skp__loader_create(&l, &s.base, &o), SKP_USAGE, "too large");
  ck_assert_ptr_null(l);
}
END_TEST

/* What is loaded as bytes is, once normalised, what is loaded as numbers. */
START_TEST(bytes_are_not_normalised_yet) {
  struct numbers s = numbers(40);
  struct skp_loader_options o = options(8, 2);
  struct skp_loader *as_bytes, *as_numbers;
  float levels[3][SKP_LEVELS];
  o.augment = (struct skp_augment){.crop = true, .crop_padding = 2, .flip = true, .brightness = 0.2, .hue = 0.1};
  o.n_norm = 1;
  o.mean[0] = 0.5f, o.std[0] = 0.25f;
  skp__normalising(levels, 3, o.mean, o.std, o.n_norm);
  ck_ok(skp__loader_create(&as_numbers, &s.base, &o));
  o.bytes = true;
  ck_ok(skp__loader_create(&as_bytes, &s.base, &o));
  for (int b = 0; b < 5; b++) {
    struct skp_batch *bytes, *floats;
    ck_ok(skp__loader_next(as_bytes, &bytes, NULL));
    ck_ok(skp__loader_next(as_numbers, &floats, NULL));
    ck_assert(!bytes->x && !floats->bytes);
    for (int i = 0; i < 8 * 18; i++) ck_assert_float_eq(levels[i % 3][bytes->bytes[i]], floats->x[i]);
    skp__loader_give_back(as_bytes, bytes);
    skp__loader_give_back(as_numbers, floats);
  }
  skp__loader_destroy(as_bytes);
  skp__loader_destroy(as_numbers);
}
END_TEST

static const struct {
  struct skp_augment a;
  bool floats, can;
} may_be_bytes[] = {
    {{.crop_padding = 2, .flip = true, .trivial_augment = true, .hue = 0.1}, false, true},
    {{.views = 4}, false, true},
    {{.flip = true}, true, false},
    {{.cutout = 3}, false, false},
    {{.erasing = 0.1}, false, false},
    {{.mixup = 0.1}, false, false},
    {{.cutmix = 0.1}, false, false},
};

START_TEST(bytes_where_there_are_some) {
  struct numbers s = numbers(16);
  struct skp_loader_options o = options(8, 1);
  struct skp_loader *l = NULL;
  o.augment = may_be_bytes[_i].a;
  o.bytes = true;
  s.base.floats = may_be_bytes[_i].floats;
  if (may_be_bytes[_i].can)
    ck_ok(skp__loader_create(&l, &s.base, &o));
  else
    ck_fails(skp__loader_create(&l, &s.base, &o), SKP_INTERNAL, "as bytes");
  skp__loader_destroy(l);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("loader");
  TCase *c = tcase_create("loader");
  tcase_set_timeout(c, 60);
  tcase_add_test(c, each_sample_once_an_epoch);
  tcase_add_test(c, it_ends_when_asked_to);
  tcase_add_test(c, order_depends_on_seed_only);
  tcase_add_test(c, stored_order);
  tcase_add_test(c, starts_anywhere);
  tcase_add_test(c, balances_classes);
  tcase_add_test(c, balances_from_anywhere);
  tcase_add_test(c, balances_in_stored_order);
  tcase_add_test(c, repeated_images_differ);
  tcase_add_test(c, wrap_fills_up);
  tcase_add_test(c, shares_are_the_batch);
  tcase_add_test(c, begins_within);
  tcase_add_test(c, numbered_and_normalised);
  tcase_add_test(c, bytes_are_not_normalised_yet);
  tcase_add_loop_test(c, bytes_where_there_are_some, 0, sizeof may_be_bytes / sizeof *may_be_bytes);
  tcase_add_test(c, plain_pixels);
  tcase_add_test(c, fitted);
  tcase_add_loop_test(c, errors_arrive, 1, 4);
  tcase_add_test(c, held_batches_stay);
  tcase_add_test(c, spoilt_samples);
  tcase_add_test(c, names_who_stood_in);
  tcase_add_test(c, ends_at_any_time);
  tcase_add_test(c, refuses);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
