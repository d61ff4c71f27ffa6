/* test_update.c: the norm of gradients and weighted sums, by every method. SPDX-License-Identifier: MIT */
#include "methods.h"

static const int64_t sizes[] = {1, 15, 16, 17, 4095, 4096, 4097, 70000};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void make_clip(struct skp__case *c, int64_t size, float max_norm, float last) {
  const union skp_attrs attrs = {.clip = {max_norm}};
  skp_value in[SKP_MAX_IN], out[SKP_MAX_OUT];
  char id[80];
  snprintf(id, sizeof id, "clip_norm %lld", (long long)size);
  ck_ok(skp__case_create(c, "clip_norm", id));
  float *g = noise(size, 1);
  g[size - 1] = last;
  in[0] = given(c, skp__shape1(size), g);
  ck_ok(skp__case_node(c, &skp__op_clip_norm, &attrs, in, NULL, out));
  ck_ok(skp__case_complete(c));
}

START_TEST(norms) {
  struct skp__case c;
  make_clip(&c, sizes[_i], 0.25f, 0.5f);
  judge_all(&c);
  judge_repeats(&c);
  skp__case_free(&c);
  make_clip(&c, sizes[_i], 1e4f, 0.5f); /* fits */
  judge_all(&c);
  skp__case_free(&c);
  make_clip(&c, sizes[_i], 1, NAN);
  judge_nan(&c);
  skp__case_free(&c);
}
END_TEST

START_TEST(adds_scaled) {
  struct skp__case c;
  skp_value in[SKP_MAX_IN], out[SKP_MAX_OUT];
  ck_ok(skp__case_create(&c, "axpby", "axpby"));
  in[0] = input(&c, skp__shape1(sizes[_i]), 1);
  in[1] = input(&c, skp__shape1(sizes[_i]), 2);
  in[2] = input(&c, skp__shape1(2), 3);
  ck_ok(skp__case_node(&c, &skp__op_axpby, NULL, in, NULL, out));
  ck_ok(skp__case_complete(&c));
  judge_all(&c);
  skp__case_free(&c);
}
END_TEST

static void add(TCase *device) {
  tcase_add_loop_test(device, norms, 0, SIZES);
  tcase_add_loop_test(device, adds_scaled, 0, SIZES);
}

int main(void) { return run_on_device("update", add); }
