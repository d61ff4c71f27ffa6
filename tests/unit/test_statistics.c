/* test_statistics.c: what a convolution leaves of its result for the batchnorm behind it, by hand.
 * SPDX-License-Identifier: MIT */
#include "op_case.h"
#include <math.h>

/* Two blocks: one of ones and threes, and a rest of 5 and 9. */
enum { PIXELS = SKP_STATISTICS_PIXELS + 2 };
static const float two_means[] = {2, 7}, two_squares[] = {SKP_STATISTICS_PIXELS, 8};

static float pixel(int i) { return i < SKP_STATISTICS_PIXELS ? (i % 2 ? 1 : 3) : i == PIXELS - 2 ? 5 : 9; }

static struct tape tape;
static skp_value out[SKP_MAX_OUT];

/* The call of pixels, a weight of `w`, zeros, and as inputs 6 and 7 the statistics, where shapes have them. */
static void run(const char *op, const char *shapes, const char *attrs, float w) {
  skp_value in[SKP_MAX_IN];
  struct skp_sig sig;
  op_case(&sig, op, shapes, attrs);
  for (int i = 0; i < sig.n_in; i++) in[i] = sig.in[i].rank ? tape_new(&tape, sig.in[i]) : SKP_NONE;
  for (int i = 0; i < PIXELS; i++) floats(&tape, in[0])[i] = pixel(i);
  *floats(&tape, in[1]) = w;
  if (sig.n_in > 6 && in[6] != SKP_NONE) memcpy(floats(&tape, in[6]), two_means, sizeof two_means);
  if (sig.n_in > 7 && in[7] != SKP_NONE) memcpy(floats(&tape, in[7]), two_squares, sizeof two_squares);
  ck_ok(tape_run(&tape, &sig, in, NULL, out));
  skp__sig_free(&sig);
}

static void expect(int o, const float *want, int n) {
  for (int i = 0; i < n; i++) ck_assert_float_eq_tol(floats(&tape, out[o])[i], want[i], 1e-6f * (1 + fabsf(want[i])));
}

START_TEST(left) {
  run("conv2d", "130x1x1x1 1x1x1x1", "statistics=1", 1);
  expect(1, two_means, 2);
  expect(2, two_squares, 2);
  tape_free(&tape);
}
END_TEST

/* Of them batchnorm makes what it makes of the pixels. */
START_TEST(taken) {
  float made[5][PIXELS];
  run("batchnorm", "130x1x1x1 1 1 - 1 1", "eps=0", 2);
  for (int o = 0; o < 5; o++) memcpy(made[o], floats(&tape, out[o]), (o ? 1 : PIXELS) * sizeof(float));
  run("batchnorm", "130x1x1x1 1 1 - 1 1 2x1 2x1", "eps=0", 2);
  for (int o = 0; o < 5; o++) expect(o, made[o], o ? 1 : PIXELS);
  tape_free(&tape);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("statistics");
  TCase *c = tcase_create("statistics");
  tcase_add_test(c, left);
  tcase_add_test(c, taken);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
