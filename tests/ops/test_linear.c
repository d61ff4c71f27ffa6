/* test_linear.c: linear layers and their gradients by every method. SPDX-License-Identifier: MIT */
#include "methods.h"

static const struct shape {
  int N, R, S, C, K;
  bool bias;
} shapes[] = {
    {1, 1, 1, 1, 1, true},      {1, 1, 1, 5, 3, false},     {7, 1, 1, 33, 10, true},  {5, 3, 2, 4, 17, false},
    {130, 7, 7, 2, 10, true},   {128, 28, 28, 1, 10, true}, {3, 7, 7, 32, 10, true},  {33, 1, 1, 64, 130, true},
    {200, 1, 1, 3, 2, true},    {1, 1, 1, 129, 130, false}, {3, 2, 2, 65, 570, true}, {7, 1, 1, 900, 900, true},
    {13, 1, 1, 420, 430, true}, /* few rows of many weights: in all directions; in dx */
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static void make(struct skp__case *c, const struct shape *s) {
  char id[160];
  snprintf(id, sizeof id, "x %dx%d w %dx%dx%dx%d", s->N, s->R * s->S * s->C, s->R, s->S, s->C, s->K);
  make_case(c, id, &skp__op_linear, NULL, skp__shape2(s->N, s->R * s->S * s->C), skp__shape4(s->R, s->S, s->C, s->K),
            s->bias);
}

START_TEST(every_method_is_right) {
  for (int i = 0; i < SHAPES; i++) {
    struct skp__case c;
    make(&c, &shapes[i]);
    judge_all(&c);
    skp__case_free(&c);
  }
}
END_TEST

START_TEST(every_method_repeats_itself) {
  struct skp__case c;
  make(&c, &shapes[5]);
  judge_repeats(&c);
  skp__case_free(&c);
}
END_TEST

static void add(TCase *device) {
  tcase_add_test(device, every_method_is_right);
  tcase_add_test(device, every_method_repeats_itself);
}

int main(void) { return run_on_device("linear", add); }
