/* golden.h: the golden cases, one test an op, on one backend. SPDX-License-Identifier: MIT */
#ifndef SKP_TESTS_GOLDEN_H
#define SKP_TESTS_GOLDEN_H

#include "base/file.h"
#include "test.h"
#include "verify/verify.h"
#include "where.h"

/* Two sets: a small one that every clone has (golden/make_golden.py), and the large one of the reference data. */
static const struct golden_set {
  const char *variable, *folder; /* the set lies in $variable/folder */
  const char *ops[24];
} golden_sets[] = {
    {"SKP_SOURCE_DIR",
     "tests/golden",
     {"conv2d",
      "batchnorm",
      "maxpool2d",
      "avgpool2d",
      "global_avgpool",
      "adaptive_avgpool2d",
      "relu",
      "add_relu",
      "sigmoid",
      "silu",
      "relu6",
      "hardsigmoid",
      "hardswish",
      "gelu",
      "mul",
      "layernorm",
      "upsample_nearest",
      "linear",
      "optimizer",
      "resize_bilinear",
      "softmax_cross_entropy"}},
    {"SKP_SHARED",
     "golden",
     {"conv2d", "batchnorm", "maxpool2d", "avgpool2d", "global_avgpool", "relu", "add_relu", "linear", "optimizer",
      "resize_bilinear", "softmax_cross_entropy"}},
};
static const char *golden_backend; /* NULL: the environment's choice */
static const struct golden_set *golden_set;
static char *golden_folder;

START_TEST(golden_op) {
  const struct skp_backend_options where = where_else((struct skp_backend_options){.backend = golden_backend});
  struct skp_verify_options what = {.cases = golden_folder, .op = golden_set->ops[_i], .to = stdout};
  struct skp_verify_result result;
  struct skp_backend *b;
  ck_ok(skp__backend_open(&b, &where));
  ck_ok(skp__verify(&result, b, &what));
  skp__backend_close(b);
  ck_assert_int_gt(result.passed, 0);
  ck_assert_int_eq(result.failed, 0);
}
END_TEST

static inline int golden_run(void) {
  int ops = 0;
  while (golden_set->ops[ops]) ops++;
  Suite *suite = suite_create(golden_set->folder);
  TCase *cases = tcase_create("ops");
  tcase_set_timeout(cases, 0);
  tcase_add_loop_test(cases, golden_op, 0, ops);
  suite_add_tcase(suite, cases);
  return skp__test_main(suite);
}

/* A whole program: its exit status. */
static inline int golden_main(const char *backend) {
  int status = 0, sets = 0;
  golden_backend = backend;
  for (size_t i = 0; i < sizeof golden_sets / sizeof *golden_sets; i++) {
    golden_set = &golden_sets[i];
    const char *base = getenv(golden_set->variable);
    bool there = base && skp__path_join(&golden_folder, base, golden_set->folder) == SKP_OK;
    if (there && skp__folder_exists(golden_folder)) {
      status |= golden_run();
      sets++;
    } else {
      printf("skipped: there is no reference data (%s/%s)\n", golden_set->variable, golden_set->folder);
    }
    free(golden_folder);
    golden_folder = NULL;
  }
  return sets ? status : SKP_TEST_SKIPPED;
}

#endif
