/* test_digits.c: the generated set is the same bytes everywhere, and its labels say what its pictures show.
 * SPDX-License-Identifier: MIT */
#include "data/data.h"
#include "test.h"

enum { PIXELS = 28 * 28 };

/* Fills `pixels`, through an image that is new each time. */
static void draw(const struct skp_source *s, int64_t i, uint8_t *pixels, int32_t *label) {
  struct skp_image image = {.H = 0};
  ck_ok(s->image(s, i, &image, label));
  ck_assert(image.H == 28 && image.W == 28 && image.C == 1);
  memcpy(pixels, image.pixels, PIXELS);
  skp__image_free(&image);
}

static uint64_t hash_samples(const struct skp_source *s, int64_t n) {
  uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
  uint8_t bytes[PIXELS + 1];
  for (int64_t i = 0; i < n; i++) {
    int32_t label;
    draw(s, i, bytes, &label);
    bytes[PIXELS] = (uint8_t)label;
    for (int b = 0; b <= PIXELS; b++) hash = (hash ^ bytes[b]) * 0x100000001b3u;
  }
  return hash;
}

static const struct {
  skp_split split;
  int64_t n;
  uint64_t hash; /* of the first 1000: a change of the set is a change for every user's results */
} splits[] = {{SKP_SPLIT_TRAIN, 60000, 0xec027a6f9a65cbfe}, {SKP_SPLIT_TEST, 10000, 0x4cf7bdcbfaf8fab3}};

START_TEST(same_everywhere) {
  struct skp_source *s;
  ck_ok(skp__source_open(&s, "digits", splits[_i].split));
  ck_assert_int_eq(s->n, splits[_i].n);
  ck_assert(s->H == 28 && s->W == 28 && s->C == 1 && s->classes == 10);
  ck_assert_str_eq(s->name, "digits");
  ck_assert_str_eq(s->class_names[0], "0");
  ck_assert_str_eq(s->class_names[9], "9");
  uint64_t hash = hash_samples(s, 1000);
  ck_assert_msg(hash == splits[_i].hash, "the hash is 0x%llx", (unsigned long long)hash);
  skp__source_destroy(s);
}
END_TEST

START_TEST(any_order) {
  struct skp_source *forwards, *backwards;
  uint8_t want[PIXELS], got[PIXELS];
  int32_t want_label, got_label;
  ck_ok(skp__source_open(&forwards, "digits", SKP_SPLIT_TRAIN));
  ck_ok(skp__source_open(&backwards, "digits", SKP_SPLIT_TRAIN));
  for (int64_t i = 99; i >= 0; i--) draw(backwards, i, got, &got_label);
  for (int again = 0; again < 2; again++)
    for (int64_t i = 0; i < 100; i++) {
      draw(forwards, i, want, &want_label);
      draw(backwards, i, got, &got_label);
      ck_assert_mem_eq(got, want, PIXELS);
      ck_assert_int_eq(got_label, want_label);
      ck_ok(backwards->image(backwards, i, NULL, &got_label));
      ck_assert_int_eq(got_label, want_label);
    }
  skp__source_destroy(forwards);
  skp__source_destroy(backwards);
}
END_TEST

/* Assigns test pictures to the class with the nearest mean of training pictures: far better than a guess, far from perfect. */
START_TEST(labels_fit_pictures) {
  enum { MEANS = 4000, TRIED = 1000 };
  struct skp_source *train, *test;
  static double mean[10][PIXELS];
  double count[10] = {0};
  uint8_t pixels[PIXELS];
  int32_t label;
  ck_ok(skp__source_open(&train, "digits", SKP_SPLIT_TRAIN));
  ck_ok(skp__source_open(&test, "digits", SKP_SPLIT_TEST));
  for (int64_t i = 0; i < MEANS; i++) {
    draw(train, i, pixels, &label);
    count[label]++;
    for (int p = 0; p < PIXELS; p++) mean[label][p] += pixels[p];
  }
  for (int c = 0; c < 10; c++) {
    ck_assert_msg(count[c] > 0.8 * MEANS / 10 && count[c] < 1.2 * MEANS / 10, "class %d: %g samples", c, count[c]);
    for (int p = 0; p < PIXELS; p++) mean[c][p] /= count[c];
  }
  int right = 0;
  for (int64_t i = 0; i < TRIED; i++) {
    draw(test, i, pixels, &label);
    double least = 1e30;
    int nearest = 0;
    for (int c = 0; c < 10; c++) {
      double distance = 0;
      for (int p = 0; p < PIXELS; p++) distance += (pixels[p] - mean[c][p]) * (pixels[p] - mean[c][p]);
      if (distance < least) {
        least = distance;
        nearest = c;
      }
    }
    right += nearest == label;
  }
  ck_assert_msg(right > TRIED * 3 / 10 && right < TRIED * 9 / 10, "%d of %d", right, TRIED);
  skp__source_destroy(train);
  skp__source_destroy(test);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("digits");
  TCase *c = tcase_create("digits");
  tcase_add_loop_test(c, same_everywhere, 0, (int)(sizeof splits / sizeof *splits));
  tcase_add_test(c, any_order);
  tcase_add_test(c, labels_fit_pictures);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
