/* test_split.c: a source dealt into two sets. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "data/source.h"
#include "test.h"
#include <stdlib.h>
#include <string.h>

enum { N = 100 };

/* Image i is one pixel i with the label i % 3. */
static skp_status image(const struct skp_source *s, int64_t i, struct skp_image *out, int32_t *label) {
  (void)s;
  *label = (int32_t)(i % 3);
  if (!out) return SKP_OK;
  SKP_TRY(skp__image_room(out, 1, 1, 1));
  out->pixels[0] = (uint8_t)i;
  return SKP_OK;
}

static void destroy(struct skp_source *s) { free(s); }

static struct skp_source *whole(void) {
  struct skp_source *s = calloc(1, sizeof *s);
  *s = (struct skp_source){.n = N, .H = 1, .W = 1, .C = 1, .classes = 3, .image = image, .destroy = destroy};
  ck_ok(skp__strdup(&s->name, "all"));
  ck_ok(skp__source_name_by_number(s));
  return s;
}

/* Marks the images of a set, which come in the order of the source. */
static void mark(int *seen, const struct skp_source *s) {
  struct skp_image pixel = {.pixels = NULL};
  int last = -1;
  for (int64_t i = 0; i < s->n; i++) {
    int32_t label;
    ck_ok(s->image(s, i, &pixel, &label));
    ck_assert_int_gt(pixel.pixels[0], last);
    last = pixel.pixels[0];
    ck_assert_int_eq(label, last % 3);
    seen[last]++;
  }
  skp__image_free(&pixel);
}

START_TEST(deals_each_once) {
  struct skp_source *all = whole(), *train, *valid;
  int seen[N] = {0}, held[2][N] = {{0}, {0}};
  for (uint64_t seed = 0; seed < 2; seed++) {
    ck_ok(skp__source_split(&train, &valid, all, 0.1, seed));
    ck_assert_int_eq(train->n, 90);
    ck_assert_int_eq(valid->n, 10);
    ck_assert_str_eq(valid->class_names[2], "2");
    mark(seen, train);
    mark(seen, valid);
    mark(held[seed], valid);
    skp__source_destroy(train);
    skp__source_destroy(valid);
  }
  for (int i = 0; i < N; i++) ck_assert_int_eq(seen[i], 2);
  ck_assert(memcmp(held[0], held[1], sizeof held[0]) != 0); /* the seed decides */
  ck_ok(skp__source_split(&train, &valid, all, 0.1, 1));
  int again[N] = {0};
  mark(again, valid);
  ck_assert(memcmp(held[1], again, sizeof again) == 0);
  skp__source_destroy(train);
  skp__source_destroy(valid);
  skp__source_destroy(all);
}
END_TEST

/* Of each class the same fraction, to whole images; one at least is left to train on. */
START_TEST(by_class) {
  static const struct {
    double fraction;
    int64_t held[3];
  } cases[] = {{0.1, {4, 3, 3}}, {0.3, {10, 10, 10}}, {0.5, {17, 17, 16}}, {0.01, {1, 0, 0}}, {0.999, {33, 32, 32}}};
  struct skp_source *all = whole(), *train, *valid; /* 34, 33 and 33 images */
  int64_t of[3], left[3];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ck_ok(skp__source_split(&train, &valid, all, cases[i].fraction, 7));
    ck_ok(skp__source_count(valid, of));
    ck_ok(skp__source_count(train, left));
    for (int c = 0; c < 3; c++) ck_assert_int_eq(of[c], cases[i].held[c]);
    for (int c = 0; c < 3; c++) ck_assert_int_eq(of[c] + left[c], c ? 33 : 34);
    skp__source_destroy(train);
    skp__source_destroy(valid);
  }
  skp__source_destroy(all);
}
END_TEST

START_TEST(nothing_left) {
  struct skp_source *all = whole(), *train, *valid;
  ck_fails(skp__source_split(&train, &valid, all, 0.001, 1), SKP_USAGE, "leaves 0 to judge by and 100 to train on");
  skp__source_destroy(all);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("split");
  TCase *t = tcase_create("split");
  tcase_add_test(t, deals_each_once);
  tcase_add_test(t, by_class);
  tcase_add_test(t, nothing_left);
  suite_add_tcase(suite, t);
  return skp__test_main(suite);
}
