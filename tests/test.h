/* test.h: what all libcheck programs here share. SPDX-License-Identifier: MIT */
#ifndef SKP_TESTS_TEST_H
#define SKP_TESTS_TEST_H

#include "base/error.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exit status by which ctest knows a skipped test. */
enum { SKP_TEST_SKIPPED = 77 };

/* Fails the test with the library's own text unless `expr` is SKP_OK. */
#define ck_ok(expr)                                                                                                    \
  do {                                                                                                                 \
    skp_status ck_status_ = (expr);                                                                                    \
    ck_assert_msg(ck_status_ == SKP_OK, "%s: %s: %s", #expr, skp_status_name(ck_status_), skp_error_message());        \
  } while (0)

/* Fails unless `expr` has this status and the error text contains `part` ("" for any). */
#define ck_fails(expr, status, part)                                                                                   \
  do {                                                                                                                 \
    skp_status ck_status_ = (expr);                                                                                    \
    ck_assert_msg(ck_status_ == (status), "%s: %s instead of %s: %s", #expr, skp_status_name(ck_status_),              \
                  skp_status_name(status), skp_error_message());                                                       \
    ck_assert_msg(strstr(skp_error_message(), part), "%s: the text lacks '%s': %s", #expr, part, skp_error_message()); \
  } while (0)

/* Runs a suite as a program: each test in a process of its own. */
static inline int skp__test_main(Suite *suite) {
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
