/* test_resize.c: bilinear resizing by every method. SPDX-License-Identifier: MIT */
#include "methods.h"

static const struct shape {
  int N, H, W, C, out_h, out_w;
} shapes[] = {
    {1, 1, 1, 1, 1, 1},   {2, 12, 10, 3, 7, 5},  {1, 7, 5, 1, 16, 9},  {5, 28, 28, 1, 28, 28},
    {1, 64, 48, 3, 7, 9}, {2, 9, 30, 4, 18, 10}, {1, 5, 5, 16, 3, 11}, {1, 200, 3, 1, 1, 300},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static void make(struct skp__case *c, const struct shape *s) {
  const union skp_attrs attrs = {.resize = {s->out_h, s->out_w}};
  skp_value out[SKP_MAX_OUT];
  char id[100];
  snprintf(id, sizeof id, "%dx%dx%dx%d to %dx%d", s->N, s->H, s->W, s->C, s->out_h, s->out_w);
  ck_ok(skp__case_create(c, "resize_bilinear", id));
  const skp_value in = input(c, skp__shape4(s->N, s->H, s->W, s->C), 1);
  ck_ok(skp__case_node(c, &skp__op_resize_bilinear, &attrs, &in, NULL, out));
  ck_ok(skp__case_complete(c));
}

START_TEST(every_method_is_right) {
  struct skp__case c;
  make(&c, &shapes[_i]);
  judge_all(&c);
  skp__case_free(&c);
}
END_TEST

static void add(TCase *device) { tcase_add_loop_test(device, every_method_is_right, 0, SHAPES); }

int main(void) { return run_on_device("resize", add); }
