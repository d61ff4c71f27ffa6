/* test_relabel.c: labels by the names of their classes. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "data/data.h"
#include "test.h"

enum { MOST = 4 };

/* Two images of each class: 0, 0, 1, 1, …; the last has no label. */
static skp_status image(const struct skp_source *s, int64_t i, struct skp_image *out, int32_t *label) {
  (void)out;
  *label = i == s->n - 1 ? -1 : (int32_t)(i / 2);
  return SKP_OK;
}

static void destroy(struct skp_source *s) { free(s); }

static struct skp_source *make(const char *const *names, bool numbered) {
  struct skp_source *s;
  ck_ok(skp__alloc(&s, 1, sizeof *s));
  while (s->classes < MOST && names[s->classes]) s->classes++;
  s->n = 2 * s->classes + 1;
  s->numbered = numbered;
  s->image = image;
  s->destroy = destroy;
  ck_ok(skp__strdup(&s->name, "SET"));
  ck_ok(skp__alloc(&s->class_names, (size_t)s->classes, sizeof *s->class_names));
  for (int c = 0; c < s->classes; c++) ck_ok(skp__strdup(&s->class_names[c], names[c]));
  return s;
}

static const struct {
  const char *here[MOST], *learned[MOST];
  bool numbered;
  int32_t want[MOST];  /* of each class of the data */
  const char *unknown; /* part of what is said of the others; NULL: there are none */
} known[] = {
    {{"a", "b"}, {"a", "b"}, false, {0, 1}, NULL},
    {{"a", "c"}, {"a", "b", "c"}, false, {0, 2}, NULL},
    {{"c"}, {"a", "b", "c"}, false, {2}, NULL},
    {{"b", "a"}, {"a", "b"}, false, {1, 0}, NULL},
    {{"a", "dog", "b"},
     {"a", "b"},
     false,
     {0, -1, 1},
     "2 of the 7 images of SET are of a class that the network does not know, and do not count: dog (2)"},
    {{"A", "a"}, {"a", "b"}, false, {-1, 0}, "A (2)"},              /* names are not guessed at */
    {{"0", "1", "2"}, {"0", "10", "2"}, true, {0, -1, 2}, "1 (2)"}, /* label 2 is what a folder called 2 is */
    {{"0", "1", "10"}, {"00", "01", "10"}, false, {0, 1, 2}, NULL}, /* as numbers */
    {{"1a", "01a"}, {"01a", "1a"}, false, {1, 0}, NULL},            /* these are none */
    {{"caf\u00e9", "z"}, {"z", "cafe\u0301"}, false, {1, 0}, NULL}, /* one name in two Unicode forms */
    {{"\xff", "z"}, {"z", "\xff"}, false, {1, 0}, NULL},            /* no Unicode at all */
};

START_TEST(names_decide) {
  struct skp__text unknown = {.n = 0};
  int n = 0, classes = 0;
  while (n < MOST && known[_i].learned[n]) n++;
  struct skp_source *s = make(known[_i].here, known[_i].numbered);
  while (classes < MOST && known[_i].here[classes]) classes++;
  ck_ok(skp__source_relabel(&s, (char *const *)(uintptr_t)known[_i].learned, n, &unknown));
  for (int64_t i = 0; i < s->n; i++) {
    int32_t label;
    ck_ok(s->image(s, i, NULL, &label));
    ck_assert_int_eq(label, i == s->n - 1 ? -1 : known[_i].want[i / 2]);
  }
  ck_assert_int_eq(s->n, 2 * classes + 1);
  if (known[_i].unknown)
    ck_assert_msg(strstr(unknown.at, known[_i].unknown) != NULL, "%s", unknown.at);
  else
    ck_assert_uint_eq(unknown.n, 0);
  skp__source_destroy(s);
}
END_TEST

static const struct {
  const char *here[MOST], *learned[MOST];
  bool numbered;
  const char *text;
} strange[] = {
    {{"0", "1"}, {"cat", "dog"}, true, "its labels are mere numbers (0, 1), whereas the network learned cat, dog"},
    {{"0", "1"}, {"0", "dog"}, true, "--labels number"}, /* one name in common by chance */
    {{"x", "y"}, {"cat", "dog"}, false, "it has (x, y), whereas the network learned cat, dog"},
    {{"cat", "dog"}, {"0", "1"}, false, "--labels number"},
};

START_TEST(names_that_say_nothing) {
  struct skp__text unknown = {.n = 0};
  struct skp_source *s = make(strange[_i].here, strange[_i].numbered);
  ck_fails(skp__source_relabel(&s, (char *const *)(uintptr_t)strange[_i].learned, 2, &unknown), SKP_SHAPE,
           strange[_i].text);
  skp__source_destroy(s);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("relabel");
  TCase *names = tcase_create("names");
  tcase_add_loop_test(names, names_decide, 0, sizeof known / sizeof *known);
  tcase_add_loop_test(names, names_that_say_nothing, 0, sizeof strange / sizeof *strange);
  suite_add_tcase(suite, names);
  return skp__test_main(suite);
}
