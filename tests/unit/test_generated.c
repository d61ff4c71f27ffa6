/* test_generated.c: the generated sets are the same bytes everywhere, and their labels say what their pictures show.
 * SPDX-License-Identifier: MIT */
#include "data/source.h"
#include "test.h"

enum { MOST = 32 * 32 * 3, CLASSES = 10 };

static int values(const struct skp_source *s) { return s->H * s->W * s->C; }

/* Fills `pixels`, through an image that is new each time. */
static void draw(const struct skp_source *s, int64_t i, uint8_t *pixels, int32_t *label) {
  struct skp_image image = {.H = 0};
  ck_ok(s->image(s, i, &image, label));
  ck_assert(image.H == s->H && image.W == s->W && image.C == s->C);
  memcpy(pixels, image.pixels, (size_t)values(s));
  skp__image_free(&image);
}

static uint64_t hash_samples(const struct skp_source *s, int64_t n) {
  uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
  uint8_t bytes[MOST + 1];
  for (int64_t i = 0; i < n; i++) {
    int32_t label;
    draw(s, i, bytes, &label);
    bytes[values(s)] = (uint8_t)label;
    for (int b = 0; b <= values(s); b++) hash = (hash ^ bytes[b]) * 0x100000001b3u;
  }
  return hash;
}

static const struct {
  const char *set;
  skp_split split;
  int64_t n;
  int side, C;
  const char *first, *last; /* classes */
  uint64_t hash;            /* of the first 1000: a change of the set is a change for every user's results */
} sets[] = {{"digits", SKP_SPLIT_TRAIN, 60000, 28, 1, "0", "9", 0xec027a6f9a65cbfe},
            {"digits", SKP_SPLIT_TEST, 10000, 28, 1, "0", "9", 0x4cf7bdcbfaf8fab3},
            {"shapes", SKP_SPLIT_TRAIN, 20000, 32, 3, "disc", "heart", 0x9bd763231cd3afdd},
            {"shapes", SKP_SPLIT_TEST, 4000, 32, 3, "disc", "heart", 0x2ea4b0b8b52661a7}};
enum { SETS = sizeof sets / sizeof *sets };

START_TEST(same_everywhere) {
  struct skp_source *s;
  ck_ok(skp__source_open(&s, sets[_i].set, sets[_i].split));
  ck_assert_int_eq(s->n, sets[_i].n);
  ck_assert(s->H == sets[_i].side && s->W == sets[_i].side && s->C == sets[_i].C && s->classes == CLASSES);
  ck_assert_str_eq(s->name, sets[_i].set);
  ck_assert_str_eq(s->class_names[0], sets[_i].first);
  ck_assert_str_eq(s->class_names[CLASSES - 1], sets[_i].last);
  uint64_t hash = hash_samples(s, 1000);
  ck_assert_msg(hash == sets[_i].hash, "the hash is 0x%llx", (unsigned long long)hash);
  skp__source_destroy(s);
}
END_TEST

START_TEST(any_order) {
  struct skp_source *forwards, *backwards;
  uint8_t want[MOST], got[MOST];
  int32_t want_label, got_label;
  ck_ok(skp__source_open(&forwards, sets[_i].set, sets[_i].split));
  ck_ok(skp__source_open(&backwards, sets[_i].set, sets[_i].split));
  for (int64_t i = 99; i >= 0; i--) draw(backwards, i, got, &got_label);
  for (int again = 0; again < 2; again++)
    for (int64_t i = 0; i < 100; i++) {
      draw(forwards, i, want, &want_label);
      draw(backwards, i, got, &got_label);
      ck_assert_mem_eq(got, want, (size_t)values(forwards));
      ck_assert_int_eq(got_label, want_label);
      ck_ok(forwards->image(forwards, i, NULL, &got_label)); /* the label alone */
      ck_assert_int_eq(got_label, want_label);
    }
  skp__source_destroy(forwards);
  skp__source_destroy(backwards);
}
END_TEST

/* Assigns test pictures to the class with the nearest mean of training pictures. The mean tells much of a digit, and
 * next to nothing of a shape. */
static const struct {
  const char *set;
  int least, most; /* right ones, in percent */
} by_mean[] = {{"digits", 30, 90}, {"shapes", 7, 25}};

static int nearest(const double mean[CLASSES][MOST], const uint8_t *pixels, int n) {
  double least = 1e30;
  int best = 0;
  for (int c = 0; c < CLASSES; c++) {
    double distance = 0;
    for (int p = 0; p < n; p++) distance += (pixels[p] - mean[c][p]) * (pixels[p] - mean[c][p]);
    if (distance < least) {
      least = distance;
      best = c;
    }
  }
  return best;
}

START_TEST(what_means_tell) {
  enum { MEANS = 3000, TRIED = 1000 };
  struct skp_source *train, *test;
  static double mean[CLASSES][MOST];
  double count[CLASSES] = {0};
  uint8_t pixels[MOST];
  int32_t label;
  ck_ok(skp__source_open(&train, by_mean[_i].set, SKP_SPLIT_TRAIN));
  ck_ok(skp__source_open(&test, by_mean[_i].set, SKP_SPLIT_TEST));
  for (int64_t i = 0; i < MEANS; i++) {
    draw(train, i, pixels, &label);
    count[label]++;
    for (int p = 0; p < values(train); p++) mean[label][p] += pixels[p];
  }
  for (int c = 0; c < CLASSES; c++) {
    ck_assert_msg(count[c] > 0.8 * MEANS / CLASSES && count[c] < 1.2 * MEANS / CLASSES, "class %d: %g samples", c,
                  count[c]);
    for (int p = 0; p < values(train); p++) mean[c][p] /= count[c];
  }
  int right = 0;
  for (int64_t i = 0; i < TRIED; i++) {
    draw(test, i, pixels, &label);
    right += nearest((const double(*)[MOST])mean, pixels, values(test)) == label;
  }
  ck_assert_msg(right > TRIED / 100 * by_mean[_i].least && right < TRIED / 100 * by_mean[_i].most, "%d of %d", right,
                TRIED);
  skp__source_destroy(train);
  skp__source_destroy(test);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("generated");
  TCase *c = tcase_create("generated");
  tcase_add_loop_test(c, same_everywhere, 0, SETS);
  tcase_add_loop_test(c, any_order, 0, SETS);
  tcase_add_loop_test(c, what_means_tell, 0, 2);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
