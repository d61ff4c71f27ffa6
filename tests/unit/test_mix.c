/* test_mix.c: mixup and cutmix mix images and labels, in the shares of their papers. SPDX-License-Identifier: MIT */
#include "data/augment.h"
#include "test.h"

START_TEST(mixes_with_the_one_before) {
  enum { N = 3 };
  const float last[2] = {3, 30};
  float x[2 * N] = {1, 10, 2, 20, 3, 30}, lambda[N];
  const int32_t labels[N] = {7, 8, 9};
  int32_t other[N];
  const struct skp__mixing m = {N, 1, 2, 1, x, labels, other, lambda, last, 9};
  skp__mix(&m, &(struct skp_augment){.mixup = 1}, 1, 2, 3);
  const float s = lambda[0], t = 1 - s;
  ck_assert(s >= 0.5f && s < 1 && lambda[1] == s && lambda[2] == s);
  ck_assert(other[0] == 9 && other[1] == 7 && other[2] == 8);
  const float want[2 * N] = {s * 1 + t * 3,   s * 10 + t * 30, s * 2 + t * 1,
                             s * 20 + t * 10, s * 3 + t * 2,   s * 30 + t * 20};
  for (int i = 0; i < 2 * N; i++) ck_assert_float_eq_tol(x[i], want[i], 1e-6f * want[i]);
}
END_TEST

/* Beta(alpha, alpha) has the mean 1/2 and the variance 1 / (8 alpha + 4); folded at 1/2
 * it keeps the mean square of the distance. */
START_TEST(lambdas_are_beta) {
  enum { TRIED = 20000 };
  static const double alphas[] = {0.2, 1, 4};
  double sum = 0, variance = 1 / (8 * alphas[_i] + 4);
  for (int i = 0; i < TRIED; i++) {
    float x = 0, last = 0, lambda;
    int32_t label = 0, other;
    skp__mix(&(struct skp__mixing){1, 1, 1, 1, &x, &label, &other, &lambda, &last, 0},
             &(struct skp_augment){.mixup = alphas[_i]}, 3, 0, i);
    ck_assert(lambda >= 0.5f && lambda <= 1);
    sum += ((double)lambda - 0.5) * ((double)lambda - 0.5);
  }
  ck_assert_double_eq_tol(sum / TRIED, variance, 0.05 * variance);
}
END_TEST

enum { CUT = 16, CUT_N = 3, CUT_VALUES = CUT * CUT * 2 };

/* Image i holds 100 i + the position. Returns how many pixels of each became those of the image before. */
static int cut_and_mix(const struct skp_augment *a, int64_t batch, float lambda[CUT_N]) {
  static float x[CUT_N * CUT_VALUES], last[CUT_VALUES];
  const int32_t labels[CUT_N] = {7, 8, 9};
  int32_t other[CUT_N];
  int pasted[CUT_N] = {0};
  for (int i = 0; i < CUT_N * CUT_VALUES; i++) x[i] = (float)(10000 * (i / CUT_VALUES) + i % CUT_VALUES);
  memcpy(last, x + (CUT_N - 1) * CUT_VALUES, sizeof last);
  skp__mix(&(struct skp__mixing){CUT_N, CUT, CUT, 2, x, labels, other, lambda, last, 9}, a, 5, 0, batch);
  ck_assert(other[0] == 9 && other[1] == 7 && other[2] == 8);
  for (int i = 0; i < CUT_N * CUT_VALUES; i++) {
    const int image = i / CUT_VALUES, before = image ? image - 1 : CUT_N - 1;
    const float own = (float)(10000 * image + i % CUT_VALUES), others = (float)(10000 * before + i % CUT_VALUES);
    if (x[i] != own && x[i] != others) return -1; /* mixed otherwise */
    pasted[image] += x[i] == others;
  }
  for (int i = 1; i < CUT_N; i++) ck_assert(pasted[i] == pasted[0] && lambda[i] == lambda[0]);
  return pasted[0] / 2;
}

/* Labels have the lambdas of the areas. A box of 1 - Beta(1, 1) of the area, its middle
 * anywhere, keeps most of it inside. */
START_TEST(cuts_and_mixes) {
  enum { TRIED = 5000 };
  const struct skp_augment a = {.cutmix = 1};
  double sum = 0;
  int whole = 0, nothing = 0;
  for (int i = 0; i < TRIED; i++) {
    float lambda[CUT_N];
    const int pasted = cut_and_mix(&a, i, lambda);
    ck_assert_int_ge(pasted, 0);
    ck_assert_double_eq_tol((double)lambda[0], 1 - pasted / (double)(CUT * CUT), 1e-6);
    sum += pasted / (double)(CUT * CUT);
    whole += pasted > CUT * CUT / 2;
    nothing += !pasted;
  }
  ck_assert_msg(sum / TRIED > 0.262 && sum / TRIED < 0.294, "%g", sum / TRIED); /* 0.278 by torchvision's CutMix */
  ck_assert_msg(whole > 520 && whole < 760, "%d", whole);                       /* 640 by it */
  ck_assert_msg(nothing > 40 && nothing < 134, "%d", nothing);                  /* 87 */
}
END_TEST

START_TEST(mixes_either_way) {
  const struct skp_augment both = {.mixup = 0.5, .cutmix = 1};
  int cut = 0;
  float lambda[CUT_N];
  for (int i = 0; i < 1000; i++) cut += cut_and_mix(&both, i, lambda) >= 0;
  ck_assert(cut > 400 && cut < 600);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("mix");
  TCase *c = tcase_create("mix");
  tcase_set_timeout(c, 60);
  tcase_add_test(c, mixes_with_the_one_before);
  tcase_add_loop_test(c, lambdas_are_beta, 0, 3);
  tcase_add_test(c, cuts_and_mixes);
  tcase_add_test(c, mixes_either_way);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
