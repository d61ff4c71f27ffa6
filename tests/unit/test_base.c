/* test_base.c: texts, errors, arrays, random numbers. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/utf8.h"
#include "test.h"
#include <math.h>
#include <pthread.h>
#include <stdbool.h>

/* Under AddressSanitizer an allocation that is too large gives NULL too, as it does without. */
const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void) {
  return "allocator_may_return_null=1";
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

/* Bytes that are no UTF-8: cut short, too long a form, a surrogate, Latin-1. */
START_TEST(bytes_as_text) {
  static const struct {
    const char *bytes, *repaired, *escaped;
  } cases[] = {{"", "", ""},
               {"a\xc3\xa9\xe2\x82\xac\\", "a\xc3\xa9\xe2\x82\xac\\", "a\xc3\xa9\xe2\x82\xac\\"},
               {"caf\xe9", "caf\xef\xbf\xbd", "caf\\xE9"},
               {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd", "\\xC0\\xAF"},
               {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "\\xED\\xA0\\x80"},
               {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd", "\\xE2\\x82"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *text;
    ck_ok(skp__utf8_repaired(&text, cases[i].bytes));
    ck_assert_str_eq(text, cases[i].repaired);
    free(text);
    ck_ok(skp__utf8_escaped(&text, cases[i].bytes));
    ck_assert_str_eq(text, cases[i].escaped);
    free(text);
  }
}
END_TEST

/* What a terminal obeys: C0, DEL, C1 as a byte and as UTF-8, line separators, turns of direction; not blanks, not é. */
START_TEST(words_that_steer) {
  static const struct {
    const char *bytes, *shown;
  } cases[] = {{"a\nb\x1b[1m\x7f", "a\\x0Ab\\x1B[1m\\x7F"},
               {"\xc2\x9b\xc2\xa0", "\\xC2\\x9B\xc2\xa0"},
               {"\x9b", "\\x9B"},
               {"caf\xc3\xa9 \xe2\x80\xa7", "caf\xc3\xa9 \xe2\x80\xa7"},
               {"\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa7", "\\xE2\\x80\\xA8\\xE2\\x80\\xAE\\xE2\\x81\\xA7"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *text;
    ck_ok(skp__utf8_shown(&text, cases[i].bytes));
    ck_assert_str_eq(text, cases[i].shown);
    free(text);
  }
  char cut[8];
  skp__utf8_show(cut, sizeof cut, "abcd\x1b", NULL); /* an escape is whole or not there */
  ck_assert_str_eq(cut, "abcd");
}
END_TEST

static char *printed(void (*print)(FILE *to)) {
  struct skp__memory m;
  ck_assert(skp__memory_open(&m));
  print(m.to);
  ck_assert(skp__memory_close(&m));
  return m.text;
}

static void print_words(FILE *to) { skp_print(to, "\033[K%s:\t%d\n%s\n", "a\nb\033c", 7, "d\te"); }
/* Longer than what needs no memory, the format too. */
static void print_long(FILE *to) {
  char word[5001], format[3000];
  memset(word, 'w', sizeof word - 1);
  word[4000] = '\n';
  word[sizeof word - 1] = 0;
  memset(format, 'f', sizeof format);
  strcpy(format + sizeof format - 4, "%s\n");
  skp_print(to, format, word);
}
static void print_lines(FILE *to) { skp__print_lines(to, "a\n\tb\033c\r"); }

/* Line ends and escapes of the format stay, those of the words do not; lines of a stranger stay lines. */
START_TEST(words_printed) {
  char *words = printed(print_words), *lines = printed(print_lines);
  ck_assert_str_eq(words, "\033[Ka\\x0Ab\\x1Bc:\t7\nd\\x09e\n");
  ck_assert_str_eq(lines, "a\n\tb\\x1Bc\\x0D");
  char *all = printed(print_long);
  ck_assert_uint_eq(strlen(all), 2996 + 5000 + 3 + 1); /* \x0A for a line end */
  ck_assert_mem_eq(all + 2996 + 4000, "\\x0Aww", 6);
  free(all);
  free(words);
  free(lines);
}
END_TEST

START_TEST(bytes_as_ascii) {
  char all[256], *coded, *back;
  for (int i = 1; i < 256; i++) all[i - 1] = (char)i;
  all[255] = 0;
  ck_ok(skp__percent_encoded(&coded, all));
  for (const char *at = coded; *at; at++) ck_assert(*at >= 0x20 && *at < 0x7f);
  ck_ok(skp__percent_decoded(&back, coded));
  ck_assert_str_eq(back, all);
  free(coded);
  free(back);
  ck_ok(skp__percent_decoded(&back, "100%, %4, %zz, %2541"));
  ck_assert_str_eq(back, "100%, %4, %zz, %41");
  free(back);
}
END_TEST

/* ---- errors ------------------------------------------------------------------------------------------------------ */

START_TEST(error_texts) {
  ck_assert_int_eq(skp__fail(SKP_IO, "Cannot open %s: %d.", "x", 7), SKP_IO);
  ck_assert_str_eq(skp_error_message(), "Cannot open x: 7.");
  ck_assert_int_eq(skp__fail_in(SKP_IO, "model %s", "a.lua"), SKP_IO);
  ck_assert_str_eq(skp_error_message(), "model a.lua: Cannot open x: 7.");
  ck_assert_int_eq(skp__fail(SKP_MODEL, "again: %s", skp_error_message()), SKP_MODEL); /* its own text as argument */
  ck_assert_str_eq(skp_error_message(), "again: model a.lua: Cannot open x: 7.");
  skp__fail(SKP_IO, "%s\n%s", "\033]0;x\a", "\xc2\x9b");
  ck_assert_str_eq(skp_error_message(), "\\x1B]0;x\\x07\n\\xC2\\x9B"); /* nothing that steers, whoever prints it */
  skp__fail_in(SKP_IO, "a\nb");
  ck_assert_str_eq(skp_error_message(), "a\\x0Ab: \\x1B]0;x\\x07\n\\xC2\\x9B");
  ck_assert_int_eq(skp__fail_memory("a list", 12), SKP_MEMORY);
  ck_assert_str_eq(skp_error_message(), "Out of memory: 12 bytes for a list.");
  skp__fail_memory("a list", 0);
  ck_assert_str_eq(skp_error_message(), "Out of memory for a list.");
}
END_TEST

START_TEST(error_texts_are_cut) {
  char *longest = malloc(100001);
  memset(longest, 'x', 100000);
  longest[100000] = 0;
  skp__fail(SKP_BUILD, "%s", longest);
  const size_t cut = strlen(skp_error_message());
  ck_assert_uint_gt(cut, 4000);
  ck_assert_uint_lt(cut, 100000);
  skp__fail_in(SKP_BUILD, "%s", longest);
  ck_assert_uint_eq(strlen(skp_error_message()), cut);
  free(longest);
}
END_TEST

START_TEST(status_names) {
  ck_assert_str_eq(skp_status_name(SKP_OK), "OK");
  ck_assert_str_eq(skp_status_name(SKP_INTERNAL), "INTERNAL");
  ck_assert_str_eq(skp_status_text(SKP_SHAPE), "shapes do not fit");
  ck_assert_str_eq(skp_status_name((skp_status)999), "unknown");
  ck_assert_str_eq(skp_status_text((skp_status)-1), "unknown error");
}
END_TEST

static void *fail_elsewhere(void *unused) {
  (void)unused;
  skp__fail(SKP_IO, "elsewhere");
  return NULL;
}

START_TEST(errors_of_threads_are_apart) {
  pthread_t thread;
  skp__fail(SKP_IO, "here");
  ck_assert_int_eq(pthread_create(&thread, NULL, fail_elsewhere, NULL), 0);
  pthread_join(thread, NULL);
  ck_assert_str_eq(skp_error_message(), "here");
}
END_TEST

static skp_status passed_up(skp_status status, int *reached) {
  SKP_TRY(status);
  ++*reached;
  return SKP_OK;
}

START_TEST(try_passes_up) {
  int reached = 0;
  ck_assert_int_eq(passed_up(SKP_FORMAT, &reached), SKP_FORMAT);
  ck_assert_int_eq(reached, 0);
  ck_assert_int_eq(passed_up(SKP_OK, &reached), SKP_OK);
  ck_assert_int_eq(reached, 1);
}
END_TEST

/* ---- arrays ------------------------------------------------------------------------------------------------------ */

START_TEST(array_grows) {
  struct item {
    int key, zero[7];
  };
  SKP_ARRAY(struct item) a = {0};
  for (int i = 0; i < 1000; i++) {
    ck_ok(SKP_GROW(&a));
    ck_assert_uint_eq(a.n, (size_t)i + 1);
    ck_assert_uint_le(a.n, a.capacity);
    for (int j = 0; j < 7; j++) ck_assert_int_eq(a.at[i].zero[j], 0);
    a.at[i].key = i;
    a.at[i].zero[3] = -1;
  }
  for (int i = 0; i < 1000; i++) ck_assert_int_eq(a.at[i].key, i);
  SKP_FREE(&a);
  ck_assert_ptr_null(a.at);
  ck_assert_uint_eq(a.n + a.capacity, 0);
  ck_ok(SKP_GROW(&a)); /* can be used again */
  SKP_FREE(&a);
}
END_TEST

START_TEST(array_too_large) {
  void *at = NULL;
  size_t n = SIZE_MAX / 4, capacity = n;
  ck_fails(skp__array_grow(&at, &n, &capacity, 16), SKP_MEMORY, "a list");
  ck_assert_uint_eq(n, SIZE_MAX / 4);
  ck_assert_ptr_null(at);
}
END_TEST

START_TEST(allocation) {
  int64_t *numbers;
  char *text;
  ck_ok(skp__alloc(&numbers, 100, sizeof *numbers));
  for (int i = 0; i < 100; i++) ck_assert_int_eq(numbers[i], 0);
  free(numbers);
  ck_ok(skp__alloc(&numbers, 0, sizeof *numbers));
  ck_assert_ptr_nonnull(numbers);
  free(numbers);
  ck_fails(skp__alloc(&numbers, SIZE_MAX / 2, sizeof *numbers), SKP_MEMORY, "Out of memory");
  ck_assert_ptr_null(numbers);
  ck_ok(skp__format(&text, "%s-%03d", "block", 7));
  ck_assert_str_eq(text, "block-007");
  free(text);
  ck_ok(skp__strdup(&text, "äö"));
  ck_assert_str_eq(text, "äö");
  free(text);
}
END_TEST

/* ---- random numbers ---------------------------------------------------------------------------------------------- */

/* The same on every machine, for ever: checkpoints and runs depend on it. Computed
 * apart, with whole numbers of any size. */
START_TEST(random_is_fixed) {
  ck_assert_uint_eq(skp__random_bits(0, 0, 0), UINT64_C(0x01d614f74e2a26c6));
  ck_assert_uint_eq(skp__random_bits(1, 2, 3), UINT64_C(0x85d3f5be3b6dddee));
  ck_assert_uint_eq(skp__random_bits(UINT64_MAX, UINT64_MAX, UINT64_MAX), UINT64_C(0xe04fb0742e4916aa));
  struct skp__random r = skp__random_start(5, 6);
  for (uint64_t i = 0; i < 10; i++) ck_assert_uint_eq(skp__random_next(&r), skp__random_bits(5, 6, i));
}
END_TEST

/* Neighbouring seeds, streams and indices share about half of their bits. */
START_TEST(random_mixes) {
  double together = 0;
  for (uint64_t i = 0; i < 1000; i++) {
    const uint64_t bits = skp__random_bits(i, i, i);
    const int different[] = {__builtin_popcountll(bits ^ skp__random_bits(i + 1, i, i)),
                             __builtin_popcountll(bits ^ skp__random_bits(i, i + 1, i)),
                             __builtin_popcountll(bits ^ skp__random_bits(i, i, i + 1))};
    for (int j = 0; j < 3; j++) {
      ck_assert_int_gt(different[j], 8); /* 6 standard deviations */
      ck_assert_int_lt(different[j], 56);
      together += different[j];
    }
  }
  ck_assert_double_eq_tol(together / 3000, 32, 0.4);
}
END_TEST

START_TEST(random_moments) {
  enum { n = 100000 };
  struct skp__random r = skp__random_start(1, 2);
  double sum = 0, square = 0, fourth = 0, uniform = 0, uniform_square = 0;
  for (int i = 0; i < n; i++) {
    const double x = skp__random_normal(&r), u = skp__random_uniform(&r), between = skp__random_between(&r, -3, 5);
    ck_assert(u >= 0 && u < 1);
    ck_assert(between >= -3 && between < 5);
    sum += x;
    square += x * x;
    fourth += x * x * x * x;
    uniform += u;
    uniform_square += u * u;
  }
  ck_assert_double_eq_tol(sum / n, 0, 0.015); /* each about 5 standard deviations */
  ck_assert_double_eq_tol(square / n, 1, 0.023);
  ck_assert_double_eq_tol(fourth / n, 3, 0.16);
  ck_assert_double_eq_tol(uniform / n, 0.5, 0.005);
  ck_assert_double_eq_tol(uniform_square / n, 1. / 3, 0.005);
}
END_TEST

START_TEST(random_below_is_even) {
  static const uint32_t sizes[] = {1, 2, 3, 10, 97, 3000000000u};
  struct skp__random r = skp__random_start(3, 4);
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    enum { cells = 10, draws = 50000 };
    double count[cells] = {0}, chi2 = 0;
    for (int i = 0; i < draws; i++) {
      const uint32_t x = skp__random_below(&r, sizes[s]);
      ck_assert_uint_lt(x, sizes[s]);
      count[(uint64_t)x * cells / sizes[s]]++;
    }
    for (int c = 0; c < cells; c++) { /* values that fall into the cell */
      const double values = ceil((c + 1.) * sizes[s] / cells) - ceil((double)c * sizes[s] / cells);
      const double expected = draws * values / sizes[s];
      if (expected > 0)
        chi2 += (count[c] - expected) * (count[c] - expected) / expected;
      else
        ck_assert_double_eq(count[c], 0);
    }
    ck_assert_double_lt(chi2, 33); /* 9 degrees of freedom: 1 in 10000 */
  }
}
END_TEST

START_TEST(random_permutations) {
  enum { n = 1000 };
  uint32_t order[n], again[n], other[n], same = 0;
  bool seen[n] = {false};
  skp__random_permutation(order, n, 7, 1);
  skp__random_permutation(again, n, 7, 1);
  skp__random_permutation(other, n, 7, 2);
  ck_assert_mem_eq(order, again, sizeof order);
  for (int i = 0; i < n; i++) {
    ck_assert_uint_lt(order[i], n);
    ck_assert(!seen[order[i]]);
    seen[order[i]] = true;
    same += order[i] == other[i];
  }
  ck_assert_uint_lt(same, 10);
  skp__random_permutation(order, 0, 7, 1);
  skp__random_permutation(order, 1, 7, 1);
  ck_assert_uint_eq(order[0], 0);
}
END_TEST

/* Each of the 24 orders of 4 is as likely as the others. */
START_TEST(random_permutations_are_even) {
  enum { draws = 24000 };
  double count[256] = {0}, chi2 = 0;
  for (uint64_t i = 0; i < draws; i++) {
    uint32_t o[4];
    skp__random_permutation(o, 4, 9, i);
    count[o[0] | o[1] << 2 | o[2] << 4 | o[3] << 6]++;
  }
  int orders = 0;
  for (int c = 0; c < 256; c++) {
    if (count[c] == 0) continue;
    orders++;
    chi2 += (count[c] - 1000) * (count[c] - 1000) / 1000;
  }
  ck_assert_int_eq(orders, 24);
  ck_assert_double_lt(chi2, 55); /* 23 degrees of freedom: 1 in 5000 */
}
END_TEST

int main(void) {
  Suite *suite = suite_create("base");
  TCase *plain = tcase_create("errors, arrays, random");
  tcase_add_test(plain, bytes_as_text);
  tcase_add_test(plain, bytes_as_ascii);
  tcase_add_test(plain, words_that_steer);
  tcase_add_test(plain, words_printed);
  tcase_add_test(plain, error_texts);
  tcase_add_test(plain, error_texts_are_cut);
  tcase_add_test(plain, status_names);
  tcase_add_test(plain, errors_of_threads_are_apart);
  tcase_add_test(plain, try_passes_up);
  tcase_add_test(plain, array_grows);
  tcase_add_test(plain, array_too_large);
  tcase_add_test(plain, allocation);
  tcase_add_test(plain, random_is_fixed);
  tcase_add_test(plain, random_mixes);
  tcase_add_test(plain, random_moments);
  tcase_add_test(plain, random_below_is_even);
  tcase_add_test(plain, random_permutations);
  tcase_add_test(plain, random_permutations_are_even);
  suite_add_tcase(suite, plain);
  return skp__test_main(suite);
}
