/* test_model.c: model files: what they build, what they may not do, first values, file layout. SPDX-License-Identifier: MIT */
#include "model/model.h"
#include "test.h"

static struct skp_model *load(const char *name) {
  const char *source = getenv("SKP_SOURCE_DIR");
  char path[1024];
  struct skp_model *m;
  snprintf(path, sizeof path, "%s/models/%s.lua", source ? source : ".", name);
  ck_ok(skp__model_load(&m, path, NULL, 0, 0, NULL));
  return m;
}

START_TEST(both_models_load) {
  struct skp_model *m = load("identity");
  skp__model_destroy(m);
  m = load("resize");
  skp__model_destroy(m);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("model");
  TCase *c = tcase_create("files");
  tcase_add_test(c, both_models_load);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
