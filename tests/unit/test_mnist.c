/* test_mnist.c: the real MNIST, read and counted through the loader. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "data/loader.h"
#include "test.h"

static char folder[4096];

static const struct {
  int64_t n;
  int32_t first;      /* label of the first sample */
  int64_t classes[3]; /* how many samples of classes 0, 1 and 5 */
  double mean;        /* of all pixels, 0 to 1 */
} splits[] = {
    [SKP_SPLIT_TRAIN] = {60000, 5, {5923, 6742, 5421}, 0.1307},
    [SKP_SPLIT_TEST] = {10000, 7, {980, 1135, 892}, 0.1325},
};

START_TEST(mnist) {
  struct skp_source *s;
  struct skp_loader *l;
  struct skp_loader_options o = {.batch = 128, .shuffle = true, .threads = 2, .depth = 3};
  int64_t count[10] = {0}, n = 0;
  double sum = 0;
  ck_ok(skp__source_open(&s, folder, (skp_split)_i));
  ck_assert(s->n == splits[_i].n && s->H == 28 && s->W == 28 && s->C == 1 && s->classes == 10);
  int32_t label;
  ck_ok(s->image(s, 0, NULL, &label));
  ck_assert_int_eq(label, splits[_i].first);
  ck_ok(skp__loader_create(&l, s, &o));
  for (int64_t b = skp__loader_batches(l); b > 0; b--) {
    struct skp_batch *batch;
    ck_ok(skp__loader_next(l, &batch, NULL));
    n += batch->n;
    for (int64_t i = 0; i < batch->n; i++) count[batch->labels[i]]++;
    for (int64_t i = 0; i < batch->n * 28 * 28; i++) sum += (double)batch->x[i];
    skp__loader_give_back(l, batch);
  }
  ck_assert_int_eq(n, splits[_i].n);
  ck_assert_int_eq(count[0], splits[_i].classes[0]);
  ck_assert_int_eq(count[1], splits[_i].classes[1]);
  ck_assert_int_eq(count[5], splits[_i].classes[2]);
  ck_assert_double_eq_tol(sum / (double)n / (28 * 28), splits[_i].mean, 1e-4);
  skp__loader_destroy(l);
  skp__source_destroy(s);
}
END_TEST

int main(void) {
  const char *shared = getenv("SKP_SHARED");
  snprintf(folder, sizeof folder, "%s/data/mnist", shared ? shared : "");
  if (!skp__folder_exists(folder)) {
    printf("skipped: no reference data (%s)\n", folder);
    return SKP_TEST_SKIPPED;
  }
  Suite *suite = suite_create("mnist");
  TCase *c = tcase_create("mnist");
  tcase_set_timeout(c, 60);
  tcase_add_loop_test(c, mnist, 0, 2);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
