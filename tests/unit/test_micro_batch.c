/* test_micro_batch.c: how an epoch's images are cut into steps and micro-batches, with and without a batchnorm on maps
 * of one pixel.
 * SPDX-License-Identifier: MIT */
#include "step.h"
#include "train/session/micro_batch.h"

static const char plain[] = "x = nn.batchnorm2d(nn.conv2d(x, 3, {kernel = 5})) return nn.linear(nn.flatten(x), 2)";
static const char pixel[] = "x = nn.batchnorm2d(nn.conv2d(x, 3, {kernel = 6}), {name = 'bn'}) "
                            "return nn.linear(nn.flatten(x), 2)";

static skp_status plan(struct skp__micro *p, const char *network, int64_t images, int64_t batch, int64_t accumulate) {
  struct skp_model *m = step_parse(network);
  m->recipe.batch = batch;
  m->recipe.accumulate = accumulate;
  skp_status status = skp__micro_plan(p, m, images, NULL);
  skp__model_destroy(m);
  return status;
}

static const struct {
  const char *network;
  int64_t images, batch, accumulate, size, epoch;
} layouts[] = {
    {plain, 9, 4, 1, 4, 9},  {plain, 9, 1, 1, 1, 9}, {plain, 9, 4, 4, 1, 9},   {plain, 1, 4, 1, 1, 1},
    {pixel, 9, 4, 1, 4, 8},  {pixel, 8, 4, 1, 4, 8}, {pixel, 10, 4, 1, 4, 10}, {pixel, 2, 64, 1, 2, 2},
    {pixel, 9, 64, 1, 9, 9}, {pixel, 9, 5, 2, 3, 8}, {pixel, 6, 5, 2, 3, 5},   {pixel, 13, 6, 3, 2, 12},
};

START_TEST(layout) {
  struct skp__micro p;
  ck_ok(plan(&p, layouts[_i].network, layouts[_i].images, layouts[_i].batch, layouts[_i].accumulate));
  ck_assert_int_eq(skp__micro_size(&p), layouts[_i].size);
  ck_assert_int_eq(skp__micro_epoch(&p), layouts[_i].epoch);
}
END_TEST

START_TEST(single_images_are_refused) {
  struct skp__micro p;
  ck_fails(plan(&p, pixel, 1, 4, 1), SKP_USAGE, "bn normalises maps of one pixel");
  ck_fails(plan(&p, pixel, 1, 4, 1), SKP_USAGE, "There is only one image");
  ck_fails(plan(&p, pixel, 9, 1, 1), SKP_USAGE, "larger batch");
  ck_fails(plan(&p, pixel, 9, 4, 4), SKP_USAGE, "Of 4 images in 4 micro-batches one has a single image");
  ck_fails(plan(&p, pixel, 9, 5, 3), SKP_USAGE, "Of 5 images in 3 micro-batches one has a single image");
}
END_TEST

/* With its running statistics a batchnorm needs no second image. */
START_TEST(a_frozen_layer_is_no_hindrance) {
  struct skp_model *m = step_parse(pixel);
  struct skp__micro p;
  m->recipe.batch = 1;
  ck_ok(skp__recipe_set(&m->recipe, "freeze", "bn"));
  ck_fails(skp__micro_plan(&p, m, 9, NULL), SKP_USAGE, "larger batch");
  m->recipe.freeze_bn = true;
  ck_ok(skp__micro_plan(&p, m, 9, NULL));
  skp__model_destroy(m);
}
END_TEST

/* Cutting ends, at the smallest micro-batches that are allowed, whatever the batch. */
START_TEST(cutting) {
  for (int64_t batch = 2; batch < 70; batch++) {
    struct skp__micro p;
    ck_ok(plan(&p, pixel, 1000, batch, 1));
    for (int64_t size = batch; skp__micro_cut(&p); size = skp__micro_size(&p))
      ck_assert_int_lt(skp__micro_size(&p), size);
    ck_assert_int_ge(skp__micro_size(&p), 2);
    ck_assert_int_le(skp__micro_size(&p), 7); /* 61 is one more than what 2 to 6 divide */
    ck_assert_int_ne(batch % skp__micro_size(&p), 1);
    ck_ok(plan(&p, plain, 1000, batch, 1));
    while (skp__micro_cut(&p)) continue;
    ck_assert_int_eq(skp__micro_size(&p), 1);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("micro_batch");
  TCase *c = tcase_create("micro_batch");
  tcase_add_loop_test(c, layout, 0, sizeof layouts / sizeof *layouts);
  tcase_add_test(c, single_images_are_refused);
  tcase_add_test(c, a_frozen_layer_is_no_hindrance);
  tcase_add_test(c, cutting);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
