/* test_relabel.c: labels go by the names of classes, whatever order a set has them in. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "data/source.h"
#include "test.h"
#include <stdlib.h>

/* Image i is of class i % classes. */
static skp_status image(const struct skp_source *s, int64_t i, struct skp_image *out, int32_t *label) {
  (void)out;
  *label = (int32_t)(i % s->classes);
  return SKP_OK;
}

static void destroy(struct skp_source *s) { free(s); }

enum { MOST = 16 };

/* Copies names up to NULL; how many there are. */
static int copy(char **to, const char *const *names) {
  int n = 0;
  for (; n < MOST && names[n]; n++) ck_ok(skp__strdup(&to[n], names[n]));
  return n;
}

/* A set of the classes with these names, or of so many numbers. */
static struct skp_source *set_of(const char *const *names, int numbers, const char *kind) {
  struct skp_source *s;
  ck_ok(skp__alloc(&s, 1, sizeof *s));
  *s = (struct skp_source){.kind = kind, .n = 40, .classes = numbers, .image = image, .destroy = destroy};
  ck_ok(skp__strdup(&s->name, "set"));
  if (numbers) {
    ck_ok(skp__source_name_by_number(s));
  } else {
    ck_ok(skp__alloc(&s->class_names, MOST, sizeof *s->class_names));
    s->classes = copy(s->class_names, names);
  }
  return s;
}

/* A network of `classes` classes that knows these names. */
static struct skp_labels network_of(const char *const *names, int classes, const char *kind) {
  struct skp_labels l = {.classes = classes};
  ck_ok(skp__alloc(&l.names, MOST, sizeof *l.names));
  l.known = copy(l.names, names);
  if (!classes) l.classes = l.known;
  if (kind) ck_ok(skp__strdup(&l.kind, kind));
  return l;
}

#define NAMES(...) ((const char *const[MOST + 1]){__VA_ARGS__, NULL})
#define NO_NAMES   ((const char *const[MOST + 1]){NULL})

/* `want`: the place of each class of the set. */
static struct skp_source *check(const struct skp_source *whole, struct skp_labels network, bool by_number,
                                const int *want) {
  struct skp_source *s;
  int classes = whole->classes;
  int64_t unknown = 0;
  ck_ok(skp__source_relabel_view(&s, whole, &network, by_number));
  for (int64_t i = 0; i < s->n; i++) {
    int32_t label;
    ck_ok(s->image(s, i, NULL, &label));
    ck_assert_int_eq(label, want[i % classes]);
    ck_assert_int_lt(label, s->classes);
    unknown += label < 0;
  }
  ck_assert_int_eq(s->unknown.images, unknown);
  skp__labels_free(&network);
  return s;
}

static void check_all(struct skp_source *whole, struct skp_labels network, bool by_number, const int *want) {
  skp__source_destroy(check(whole, network, by_number, want));
  skp__source_destroy(whole);
}

START_TEST(by_name) {
  struct skp_source *whole = set_of(NAMES("apple", "kiwi", "lime", "pear"), 0, NULL);
  struct skp_source *s =
      check(whole, network_of(NAMES("apple", "fig", "kiwi", "pear"), 0, NULL), false, (const int[]){0, 2, -1, 3});
  ck_assert_int_eq(s->classes, 4);
  ck_assert_str_eq(s->class_names[1], "fig");
  ck_assert_int_eq(s->unknown.classes, 1);
  ck_assert_str_eq(s->unknown.names[0], "lime");
  ck_assert_int_eq(s->unknown.images, 10);
  skp__source_destroy(s);
  skp__source_destroy(whole);
  check_all(set_of(NAMES("pear"), 0, NULL), network_of(NAMES("apple", "fig", "pear"), 0, NULL), false,
            (const int[]){2});
  check_all(set_of(NAMES("Pear", "fig "), 0, NULL), network_of(NAMES("fig", "pear"), 0, NULL), false,
            (const int[]){-1, -1});
}
END_TEST

START_TEST(by_value_of_numbers) {
  const char *const *folders = NAMES("0", "1", "10", "11", "2", "3");
  check_all(set_of(NO_NAMES, 12, NULL), network_of(folders, 0, NULL), false,
            (const int[]){0, 1, 4, 5, -1, -1, -1, -1, -1, -1, 2, 3});
  check_all(set_of(folders, 0, NULL), network_of(NAMES("0", "1", "2", "3"), 0, NULL), false,
            (const int[]){0, 1, -1, -1, 2, 3});
  check_all(set_of(NAMES("00", "003", "03"), 0, NULL), network_of(NAMES("0", "3"), 0, NULL), false,
            (const int[]){0, 1, 1});
  check_all(set_of(NO_NAMES, 4, NULL), network_of(NAMES("03", "3", "000", "02"), 0, NULL), false,
            (const int[]){2, -1, 3, 1}); /* spelled alike comes first */
  check_all(set_of(NAMES("003"), 0, NULL), network_of(NAMES("03", "3"), 0, NULL), false,
            (const int[]){-1}); /* which of the two? */
}
END_TEST

START_TEST(forms_of_unicode) {
  const char *composed = "caf\xc3\xa9", *decomposed = "cafe\xcc\x81", *broken = "caf\xe9";
  check_all(set_of(NAMES(decomposed, "tea", broken), 0, NULL), network_of(NAMES("a", composed, broken), 0, NULL), false,
            (const int[]){1, -1, 2});
  check_all(set_of(NAMES(composed), 0, NULL), network_of(NAMES(decomposed, "cafe"), 0, NULL), false, (const int[]){0});
}
END_TEST

START_TEST(by_number) {
  check_all(set_of(NAMES("b", "c", "d"), 0, NULL), network_of(NAMES("x", "y"), 2, NULL), true, (const int[]){0, 1, -1});
  /* A network without names takes on those of the set. */
  struct skp_source *whole = set_of(NAMES("b", "c"), 0, NULL);
  struct skp_source *s = check(whole, network_of(NO_NAMES, 5, NULL), false, (const int[]){0, 1});
  ck_assert_str_eq(s->class_names[1], "c");
  skp__source_destroy(s);
  skp__source_destroy(whole);
  /* Spare outputs have no names: a class called as their number is another. */
  check_all(set_of(NO_NAMES, 4, NULL), network_of(NAMES("0", "1"), 10, NULL), false, (const int[]){0, 1, -1, -1});
}
END_TEST

/* Bare labels and names may have a number in common by chance. */
START_TEST(numbers_beside_names) {
  check_all(set_of(NO_NAMES, 2, NULL), network_of(NAMES("0", "dog"), 0, NULL), false, (const int[]){-1, -1});
  check_all(set_of(NAMES("0", "cat"), 0, NULL), network_of(NAMES("0", "dog"), 0, NULL), false, (const int[]){0, -1});
  check_all(set_of(NAMES("1a", "01a"), 0, NULL), network_of(NAMES("01a", "1a"), 0, NULL), false, (const int[]){1, 0});
}
END_TEST

/* CIFAR's files number their classes alike whether their names lie beside them or not; other sets do not. */
START_TEST(kinds) {
  const char *const *names = NAMES("plane", "car", "bird"), *const *numbers = NAMES("0", "1", "2");
  check_all(set_of(NO_NAMES, 3, "CIFAR-10"), network_of(names, 0, "CIFAR-10"), false, (const int[]){0, 1, 2});
  check_all(set_of(names, 0, "CIFAR-10"), network_of(numbers, 0, "CIFAR-10"), false, (const int[]){0, 1, 2});
  check_all(set_of(NO_NAMES, 3, "CIFAR-10"), network_of(names, 0, NULL), false, (const int[]){-1, -1, -1});
  check_all(set_of(NO_NAMES, 3, NULL), network_of(names, 0, "CIFAR-10"), false, (const int[]){-1, -1, -1});
  check_all(set_of(names, 0, NULL), network_of(numbers, 0, NULL), false, (const int[]){-1, -1, -1});
  check_all(set_of(NAMES("car", "bird", "plane"), 0, NULL), network_of(names, 0, "CIFAR-10"), false,
            (const int[]){1, 2, 0});
}
END_TEST

int main(void) {
  Suite *suite = suite_create("relabel");
  TCase *tc = tcase_create("relabel");
  tcase_add_test(tc, by_name);
  tcase_add_test(tc, by_value_of_numbers);
  tcase_add_test(tc, forms_of_unicode);
  tcase_add_test(tc, by_number);
  tcase_add_test(tc, numbers_beside_names);
  tcase_add_test(tc, kinds);
  suite_add_tcase(suite, tc);
  return skp__test_main(suite);
}
