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
  skp_status status = skp__micro_plan(p, m, images, NULL, NULL);
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
  ck_fails(skp__micro_plan(&p, m, 9, NULL, NULL), SKP_USAGE, "larger batch");
  m->recipe.freeze_bn = true;
  ck_ok(skp__micro_plan(&p, m, 9, NULL, NULL));
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

/* ---- shares ------------------------------------------------------------------------------------------------------ */

static skp_status share_out(struct skp__micro *p, const char *network, int64_t images, int64_t batch,
                            int64_t accumulate, const char *shares, int64_t ranks) {
  SKP_TRY(plan(p, network, images, batch, accumulate));
  p->ranks = ranks;
  p->shares = shares;
  return SKP_OK;
}

/* Whatever the shares, a step's images are those of the ranks, one after the other, each in some micro-batch. */
START_TEST(shares_are_the_step) {
  static const char *const of[] = {NULL, "3:1:1", "1:5:2", "20:43:1"};
  struct skp__micro p;
  for (size_t k = 0; k < sizeof of / sizeof *of; k++)
    for (int64_t accumulate = 1; accumulate < 4; accumulate++) {
      ck_ok(share_out(&p, plain, 1000, 64, accumulate, of[k], 3));
      for (int64_t n = 1; n <= 64; n++) {
        int64_t first = 0, rounds = 0;
        for (p.rank = 0; p.rank < 3; p.rank++) {
          const struct skp__part part = skp__micro_part(&p, n);
          const int64_t pieces = skp__micro_pieces(&p, n), size = skp__micro_size(&p);
          ck_assert_int_eq(part.first, first);
          ck_assert_int_ge(pieces * size, part.n);
          ck_assert_int_lt((pieces - 1) * size, part.n ? part.n : 1);
          ck_assert_int_le(pieces, accumulate);
          rounds = pieces > rounds ? pieces : rounds;
          first += part.n;
        }
        p.rank = 0;
        ck_assert_int_eq(first, n);
        ck_assert_int_eq(skp__micro_rounds(&p, n), rounds);
      }
    }
}
END_TEST

START_TEST(shares_are_as_said) {
  struct skp__micro p;
  ck_ok(share_out(&p, plain, 1000, 64, 1, "3:1", 2));
  ck_assert_int_eq(skp__micro_part(&p, 64).n, 48);
  p.rank = 1;
  ck_assert_int_eq(skp__micro_part(&p, 64).n, 16);
  ck_assert_int_eq(skp__micro_part(&p, 50).n, 2);
  ck_assert_int_eq(skp__micro_part(&p, 48).n, 0);
}
END_TEST

/* No rank is left with a single image where that is too few: the last step goes without it. */
START_TEST(shares_leave_none_alone) {
  struct skp__micro p;
  ck_ok(share_out(&p, pixel, 64 + 49, 64, 1, "3:1", 2));
  ck_assert_int_eq(skp__micro_epoch(&p), 64 + 48);
  ck_ok(share_out(&p, pixel, 64 + 50, 64, 1, "3:1", 2));
  ck_assert_int_eq(skp__micro_epoch(&p), 64 + 50);
  ck_ok(share_out(&p, pixel, 1000, 64, 2, "59:5", 2)); /* of 5 images in two micro-batches 3 and 2 */
  p.rank = 1;
  ck_assert_int_eq(skp__micro_size(&p), 3);
}
END_TEST

/* All ranks cut as often, until the largest micro-batch is as small as it can be. */
START_TEST(shares_are_cut_alike) {
  struct skp__micro p, q;
  ck_ok(share_out(&p, plain, 1000, 64, 1, "62:2", 2));
  q = p;
  q.rank = 1;
  int cuts = 0;
  for (bool more = true; more; cuts++) {
    more = skp__micro_cut(&p);
    ck_assert_int_eq(skp__micro_cut(&q), more);
    ck_assert_int_eq(p.most, q.most);
  }
  ck_assert_int_gt(cuts, 5);
  ck_assert_int_le(skp__micro_size(&p), 2);
}
END_TEST

START_TEST(shares_are_checked) {
  ck_ok(skp__shares_check(NULL, 2));
  ck_ok(skp__shares_check("equal", 2));
  ck_ok(skp__shares_check("measured", 1));
  ck_ok(skp__shares_check("3:1", 2));
  static const char *const bad[] = {"", "3:", ":1", "3:0", "-3:1", "3;1", "3:1:", "3 :1", "fast", "9999999:1", "3:1x"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    ck_fails(skp__shares_check(bad[i], 2), SKP_USAGE, "a whole number for each rank");
  ck_fails(skp__shares_check("3:1", 3), SKP_USAGE, "is for 2 ranks, and there are 3");
  ck_fails(skp__shares_check("3:1", 1), SKP_USAGE, "is for 2 ranks, and there is 1");
  struct skp_model *m = step_parse(plain);
  struct skp__micro p;
  ck_fails(skp__micro_plan(&p, m, 9, NULL, "3:1"), SKP_USAGE, "and there is 1");
  skp__model_destroy(m);
}
END_TEST

static const struct {
  double speed[3];
  int64_t n;
  const char *shares;
} measured[] = {{{100, 100, 100}, 64, "22:21:21"},
                {{300, 100, 100}, 10, "6:2:2"},
                {{1e6, 1, 1}, 64, "62:1:1"},
                {{1, 1e6, 1}, 3, "1:1:1"},
                {{255, 125, 120}, 100, "51:25:24"}};

START_TEST(shares_by_speed) {
  char *text;
  ck_ok(skp__shares_by_speed(&text, measured[_i].speed, 3, measured[_i].n));
  ck_assert_str_eq(text, measured[_i].shares);
  ck_ok(skp__shares_check(text, 3));
  free(text);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("micro_batch");
  TCase *c = tcase_create("micro_batch");
  tcase_add_loop_test(c, layout, 0, sizeof layouts / sizeof *layouts);
  tcase_add_test(c, single_images_are_refused);
  tcase_add_test(c, a_frozen_layer_is_no_hindrance);
  tcase_add_test(c, cutting);
  tcase_add_test(c, shares_are_the_step);
  tcase_add_test(c, shares_are_as_said);
  tcase_add_test(c, shares_leave_none_alone);
  tcase_add_test(c, shares_are_cut_alike);
  tcase_add_test(c, shares_are_checked);
  tcase_add_loop_test(c, shares_by_speed, 0, sizeof measured / sizeof *measured);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
