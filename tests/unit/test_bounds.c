/* test_bounds.c: numbers that are not taken at their word. SPDX-License-Identifier: MIT */
#include "base/bounds.h"
#include "test.h"
#include <math.h>

START_TEST(whole_numbers) {
  static const double none[] = {-2, 5.5, 9, NAN, INFINITY, -INFINITY, 1e300};
  int64_t n = -7;
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) ck_assert(!skp__whole(&n, none[i], -1, 8));
  ck_assert_int_eq(n, -7);
  ck_assert(skp__whole(&n, 8, -1, 8) && n == 8);
  ck_assert(skp__whole(&n, 9223372036854775808.0, 0, INT64_MAX) && n == INT64_MAX);
}
END_TEST

START_TEST(digits) {
  static const char *const none[] = {"", "-1", "+1", " 1", "1 ", "0x1", "1e3", "18446744073709551616", "x"};
  uint64_t n = 7;
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) ck_assert(!skp__digits(&n, none[i], UINT64_MAX));
  ck_assert(!skp__digits(&n, "11", 10));
  ck_assert_uint_eq(n, 7);
  ck_assert(skp__digits(&n, "18446744073709551615", UINT64_MAX) && n == UINT64_MAX);
  ck_assert(skp__digits(&n, "010", 10) && n == 10);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("bounds");
  TCase *c = tcase_create("bounds");
  tcase_add_test(c, whole_numbers);
  tcase_add_test(c, digits);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
