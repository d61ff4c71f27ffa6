/* test_selftest.c: the generated cases on the device that the environment chooses. SPDX-License-Identifier: MIT */
#include "test.h"
#include "verify/verify.h"
#include "where.h"

static struct skp_backend *b;

static void judge(bool quick, uint64_t seed) {
  struct skp_verify_options what = {.quick = quick, .seed = seed, .to = stdout};
  struct skp_verify_result result;
  ck_ok(skp__verify(&result, b, &what));
  ck_assert_int_gt(result.passed, 0);
  ck_assert_int_eq(result.failed, 0);
}

START_TEST(quick) { judge(true, 1); }
END_TEST

START_TEST(all) { judge(false, 2); }
END_TEST

static void open_device(void) {
  const struct skp_backend_options where = where_else((struct skp_backend_options){0});
  ck_ok(skp__backend_open(&b, &where));
}

static void close_device(void) { skp__backend_close(b); }

int main(void) {
  Suite *suite = suite_create("selftest");
  TCase *few = tcase_create("quick"),
        *rest = tcase_create("all"); /* ci/matrix runs "quick" alone under a slow checker */
  tcase_set_timeout(few, 0);
  tcase_set_timeout(rest, 0);
  tcase_add_checked_fixture(few, open_device, close_device);
  tcase_add_checked_fixture(rest, open_device, close_device);
  tcase_add_test(few, quick);
  tcase_add_test(rest, all);
  suite_add_tcase(suite, few);
  suite_add_tcase(suite, rest);
  return skp__test_main(suite);
}
