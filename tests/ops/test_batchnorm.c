/* test_batchnorm.c: batch normalisation and its gradient by every method. SPDX-License-Identifier: MIT */
#include "methods.h"

/* Channel counts around the widths of vectors, pixels that leave a rest in rows and chunks. */
static const struct shape {
  int N, H, W, C, fuse;
  bool training;
} shapes[] = {
    {1, 1, 1, 1, SKP_FUSE_RELU, true},        {1, 1, 1, 17, SKP_FUSE_RELU, true},
    {3, 19, 37, 4, SKP_FUSE_NONE, true},      {3, 19, 37, 4, SKP_FUSE_ADD_RELU, true},
    {3, 19, 37, 4, SKP_FUSE_ADD_RELU, false}, {3, 19, 19, 1, SKP_FUSE_RELU, true},
    {5, 21, 27, 3, SKP_FUSE_ADD_RELU, true},  {5, 9, 13, 8, SKP_FUSE_NONE, false},
    {2, 16, 16, 16, SKP_FUSE_RELU, true},     {1, 13, 11, 17, SKP_FUSE_RELU, true},
    {5, 7, 9, 64, SKP_FUSE_ADD_RELU, true},   {2, 7, 7, 100, SKP_FUSE_NONE, true},
    {1, 2, 2, 4100, SKP_FUSE_NONE, true}, /* cpu: too many columns */
};
enum { SHAPES = sizeof shapes / sizeof *shapes, FOUR = 3 }; /* FOUR: 4 channels, add and relu */

/* Values of that mean and deviation 1; the first one is `first`, unless 0. */
static skp_value image(struct skp__case *c, struct skp_shape shape, float mean, float first) {
  float *data = noise(skp__shape_count(&shape), 1);
  for (int64_t i = 0; i < skp__shape_count(&shape); i++) data[i] += mean;
  if (first != 0) data[0] = first; /* NaN as well */
  return given(c, shape, data);
}

static skp_value positive(struct skp__case *c, struct skp_shape shape, uint64_t stream) {
  float *data = noise(skp__shape_count(&shape), stream);
  for (int64_t i = 0; i < skp__shape_count(&shape); i++) data[i] = 0.5f + fabsf(data[i]);
  return given(c, shape, data);
}

static void make(struct skp__case *c, const struct shape *s, float mean, float first) {
  const struct skp_shape x = skp__shape4(s->N, s->H, s->W, s->C), channels = skp__shape1(s->C);
  const bool residual = s->fuse == SKP_FUSE_ADD_RELU, need[SKP_MAX_IN] = {true, true, true, residual};
  const union skp_attrs attrs = {
      .batchnorm = {.eps = 1e-5f, .momentum = 0.1f, .training = s->training, .fuse = s->fuse}};
  skp_value out[SKP_MAX_OUT], din[SKP_MAX_IN];
  char id[100];
  snprintf(id, sizeof id, "%dx%dx%dx%d fuse %d training %d", s->N, s->H, s->W, s->C, s->fuse, s->training);
  ck_ok(skp__case_create(c, "batchnorm", id));
  const skp_value in[SKP_MAX_IN] = {image(c, x, mean, first),
                                    positive(c, channels, 2),
                                    input(c, channels, 3),
                                    residual ? input(c, x, 4) : SKP_NONE,
                                    input(c, channels, 5),
                                    positive(c, channels, 6),
                                    SKP_NONE,
                                    SKP_NONE};
  ck_ok(skp__case_node(c, &skp__op_batchnorm, &attrs, in, NULL, out));
  ck_ok(skp__case_gradient(c, 0, input(c, x, 7), need, din));
  ck_ok(skp__case_complete(c));
}

START_TEST(every_method_is_right) {
  struct skp__case c;
  make(&c, &shapes[_i], 0.25f, 0);
  judge_all(&c);
  skp__case_free(&c);
}
END_TEST

/* Sums of squares would lose 1e6 of 1e7 steps of a float here. The mean itself is a
 * float: what that costs is allowed, no more. */
START_TEST(a_large_mean_does_no_harm) {
  const float mean = 1000;
  struct skp__case c;
  make(&c, &shapes[_i], mean, 0);
  for (size_t i = 0; i < c.known.n; i++) c.known.at[i].tolerance += 4 * (double)mean * 0x1p-24;
  judge_all(&c);
  skp__case_free(&c);
}
END_TEST

/* A first value far from all others: an origin of sums as bad as can be. */
START_TEST(an_outlier_does_no_harm) {
  struct skp__case c;
  make(&c, &shapes[_i], 0.25f, 1000);
  for (size_t i = 0; i < c.known.n; i++) c.known.at[i].tolerance += 4 * 1000.0 * 0x1p-24;
  judge_all(&c);
  skp__case_free(&c);
}
END_TEST

/* By the statistics of x that are given, whose means lie around that, and which are others than x has. */
static void make_given(struct skp__case *c, const struct shape *s, float mean) {
  const struct skp_shape x = skp__shape4(s->N, s->H, s->W, s->C), channels = skp__shape1(s->C);
  const struct skp_shape blocks = skp__statistics_shape(&x);
  const bool residual = s->fuse == SKP_FUSE_ADD_RELU;
  const union skp_attrs attrs = {.batchnorm = {.eps = 1e-5f, .momentum = 0.1f, .training = true, .fuse = s->fuse}};
  skp_value out[SKP_MAX_OUT];
  ck_ok(skp__case_create(c, "batchnorm", "given statistics"));
  const skp_value in[SKP_MAX_IN] = {
      image(c, x, mean, 0),  positive(c, channels, 2), input(c, channels, 3),     residual ? input(c, x, 4) : SKP_NONE,
      input(c, channels, 5), positive(c, channels, 6), image(c, blocks, mean, 0), positive(c, blocks, 8)};
  ck_ok(skp__case_node(c, &skp__op_batchnorm, &attrs, in, NULL, out));
  ck_ok(skp__case_complete(c));
}

START_TEST(given_statistics) {
  struct skp__case c;
  make_given(&c, &shapes[_i], 0.25f);
  judge_all(&c);
  judge_repeats(&c);
  skp__case_free(&c);
}
END_TEST

START_TEST(given_statistics_of_a_large_mean) {
  const float mean = 1000;
  struct skp__case c;
  make_given(&c, &shapes[_i], mean);
  for (size_t i = 0; i < c.known.n; i++) c.known.at[i].tolerance += 4 * (double)mean * 0x1p-24;
  judge_all(&c);
  skp__case_free(&c);
}
END_TEST

START_TEST(nan_spoils_its_channel_only) {
  struct skp__case c;
  make(&c, &shapes[FOUR], 0.25f, NAN);
  judge_nan(&c);
  skp__case_free(&c);
}
END_TEST

START_TEST(every_method_repeats_itself) {
  struct skp__case c;
  make(&c, &shapes[FOUR], 0.25f, 0);
  judge_repeats(&c);
  skp__case_free(&c);
}
END_TEST

static void add(TCase *device) {
  tcase_add_loop_test(device, every_method_is_right, 0, SHAPES);
  tcase_add_loop_test(device, a_large_mean_does_no_harm, FOUR - 1, FOUR + 1);
  tcase_add_loop_test(device, an_outlier_does_no_harm, FOUR - 1, FOUR + 1);
  tcase_add_loop_test(device, given_statistics, 0, SHAPES);
  tcase_add_loop_test(device, given_statistics_of_a_large_mean, FOUR - 1, FOUR + 1);
  tcase_add_test(device, nan_spoils_its_channel_only);
  tcase_add_test(device, every_method_repeats_itself);
}

int main(void) { return run_on_device("batchnorm", add); }
