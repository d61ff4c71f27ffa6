/* golden.h: the golden cases, one test an op, on one backend. SPDX-License-Identifier: MIT */
#ifndef SKP_TESTS_GOLDEN_H
#define SKP_TESTS_GOLDEN_H

#include "base/file.h"
#include "test.h"
#include "verify/verify.h"

static const char *const golden_ops[] = {
    "conv2d",   "batchnorm", "maxpool2d", "avgpool2d",       "global_avgpool",       "relu",
    "add_relu", "linear",    "optimizer", "resize_bilinear", "softmax_cross_entropy"};
static char *golden_folder;
static const char *golden_backend; /* NULL: the environment's choice */

START_TEST(golden_op) {
  struct skp_backend_options where = {.backend = golden_backend};
  struct skp_verify_options what = {.cases = golden_folder, .op = golden_ops[_i], .to = stdout};
  struct skp_verify_result result;
  struct skp_backend *b;
  ck_ok(skp__backend_open(&b, &where));
  ck_ok(skp__verify(&result, b, &what));
  skp__backend_close(b);
  ck_assert_int_gt(result.passed, 0);
  ck_assert_int_eq(result.failed, 0);
}
END_TEST

/* A whole program: its exit status. */
static inline int golden_main(const char *backend) {
  const char *shared = getenv("SKP_SHARED");
  golden_backend = backend;
  if (!shared || skp__path_join(&golden_folder, shared, "golden") != SKP_OK || !skp__folder_exists(golden_folder)) {
    puts("skipped: there is no reference data (SKP_SHARED/golden)");
    return SKP_TEST_SKIPPED;
  }
  Suite *suite = suite_create("golden");
  TCase *ops = tcase_create("ops");
  tcase_set_timeout(ops, 0);
  tcase_add_loop_test(ops, golden_op, 0, sizeof golden_ops / sizeof *golden_ops);
  suite_add_tcase(suite, ops);
  int status = skp__test_main(suite);
  free(golden_folder);
  return status;
}

#endif
