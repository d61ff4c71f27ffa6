/* test_conv2d.c: convolution and its gradients by every method, on shapes around the
 * edges of tiles, vectors and chunks.
 * SPDX-License-Identifier: MIT */
#include "methods.h"

static const struct shape {
  int N, H, W, C, R, S, K, stride, pad, dilation, groups;
  bool bias;
} shapes[] = {
    {1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, true},
    {2, 5, 7, 3, 3, 3, 4, 1, 1, 1, 1, true},
    {5, 9, 8, 4, 1, 1, 16, 1, 0, 1, 1, false},
    {2, 9, 11, 16, 3, 3, 17, 1, 1, 1, 1, true},
    {1, 12, 13, 17, 3, 3, 64, 2, 1, 1, 1, false},
    {2, 8, 8, 64, 3, 3, 16, 1, 1, 1, 1, true},
    {1, 14, 15, 1, 5, 5, 3, 1, 2, 1, 1, true},
    {2, 17, 16, 3, 7, 7, 8, 2, 3, 1, 1, false},
    {1, 11, 10, 4, 3, 3, 5, 3, 2, 1, 1, true},
    {1, 11, 13, 6, 3, 3, 7, 1, 2, 2, 1, true},
    {2, 12, 11, 5, 3, 2, 6, 2, 3, 3, 1, false},
    {1, 9, 9, 8, 3, 3, 12, 1, 1, 1, 4, true},
    {2, 7, 6, 10, 3, 3, 10, 2, 1, 1, 10, true},
    {2, 13, 11, 48, 3, 3, 48, 1, 1, 1, 48, false}, /* a filter for each channel */
    {3, 12, 13, 40, 5, 5, 40, 2, 2, 1, 40, true},
    {2, 9, 14, 12, 7, 7, 12, 1, 3, 1, 12, true},
    {1, 4, 3, 6, 5, 5, 6, 1, 2, 1, 6, false}, /* larger than the image */
    {2, 11, 9, 8, 3, 3, 8, 1, 2, 2, 8, true},
    {40, 5, 5, 3, 3, 3, 3, 3, 0, 1, 3, true},
    {1, 8, 7, 32, 3, 3, 36, 1, 1, 1, 2, true},
    {2, 7, 7, 8, 1, 1, 32, 2, 0, 1, 1, true},
    {3, 2, 2, 3, 1, 1, 4, 3, 0, 1, 1, false},   /* more stride than image: most of dx is zero */
    {1, 4, 4, 2, 3, 3, 2, 2, 0, 1, 1, false},   /* the last column meets no window */
    {5, 23, 19, 4, 3, 3, 16, 1, 1, 1, 1, true}, /* several chunks of pixels */
    {40, 15, 15, 1, 3, 3, 4, 1, 1, 1, 1, true},
    {2, 28, 28, 1, 1, 1, 4, 1, 0, 1, 1, true}, /* the layers of models/identity.lua and resize.lua */
    {2, 28, 28, 4, 3, 3, 1, 1, 1, 1, 1, true},
    {2, 28, 28, 1, 3, 3, 4, 2, 1, 1, 1, true},
    {2, 14, 14, 4, 1, 1, 8, 1, 0, 1, 1, true},
    {2, 28, 28, 1, 1, 1, 8, 2, 0, 1, 1, true},
    {2, 14, 14, 8, 3, 3, 16, 2, 1, 1, 1, true},
    {9, 7, 7, 16, 1, 1, 32, 1, 0, 1, 1, true},
    {3, 14, 14, 8, 1, 1, 32, 2, 0, 1, 1, true},
    {3, 9, 11, 16, 3, 3, 32, 1, 1, 1, 1, false}, /* Winograd: tiles of 3×3 */
    {5, 13, 8, 32, 3, 3, 16, 1, 0, 1, 1, true},
    {2, 16, 15, 16, 3, 3, 48, 1, 2, 1, 1, true},  /* of 4×4 */
    {8, 28, 28, 16, 3, 3, 16, 1, 1, 1, 1, false}, /* several blocks */
    {1, 10, 9, 64, 3, 3, 32, 1, 1, 1, 1, true},   /* panels of two vectors */
    {2, 9, 8, 60, 1, 1, 62, 1, 0, 1, 1, true},    /* the second not full */
    {1, 9, 9, 60, 3, 3, 60, 1, 1, 1, 2, true},
    {2, 5, 5, 192, 3, 3, 160, 1, 1, 1, 1, true}, /* few tiles: of 5×5 */
    {13, 3, 3, 160, 3, 3, 192, 1, 1, 1, 1, false},
    {1, 8, 7, 192, 3, 3, 192, 1, 1, 1, 1, true},
    {1, 9, 8, 192, 3, 3, 176, 1, 0, 1, 1, true},
    {2, 9, 11, 271, 1, 1, 300, 1, 0, 1, 1, true}, /* several panels and tiles, in parts */
    {1, 15, 17, 58, 1, 1, 76, 2, 0, 1, 2, false},
    {2, 16, 17, 16, 1, 1, 132, 1, 0, 1, 1, true}, /* GPUs: the largest tiles, and a little more */
    {1, 24, 25, 8, 1, 1, 256, 1, 0, 1, 1, true},
    {1, 24, 25, 256, 1, 1, 8, 1, 0, 1, 1, false},
    {1, 4, 5, 256, 1, 1, 256, 1, 0, 1, 1, true},
    {1, 25, 21, 20, 3, 3, 68, 2, 1, 1, 1, true},
    {1, 17, 15, 6, 3, 3, 130, 1, 1, 1, 1, false},
    {1, 4, 4, 520, 3, 3, 36, 1, 1, 1, 1, true}, /* few results of a long sum, which is split */
    {1, 6, 5, 300, 3, 3, 40, 2, 1, 1, 1, true},
    {2, 9, 9, 24, 5, 5, 24, 3, 2, 2, 2, true},
    {2, 33, 34, 32, 3, 3, 48, 1, 1, 1, 1, true}, /* tiles of bfloat16: several chunks of positions */
    {3, 9, 10, 34, 5, 3, 40, 2, 2, 1, 1, true},  /* four phases */
    {1, 13, 11, 64, 2, 2, 64, 4, 3, 1, 1, false},
    {1, 5, 6, 96, 1, 1, 66, 1, 0, 1, 1, true},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static skp_dtype maps; /* of x, y and their gradients */

static struct skp_shape x_of(const struct shape *s) {
  struct skp_shape x = skp__shape4(s->N, s->H, s->W, s->C);
  x.dtype = maps;
  return x;
}
static struct skp_shape w_of(const struct shape *s) { return skp__shape4(s->R, s->S, s->C / s->groups, s->K); }

static void make(struct skp__case *c, const struct shape *s) {
  union skp_attrs attrs = {.conv2d = {s->stride, s->pad, s->dilation, s->groups, 0, 0, 0}};
  char id[160];
  snprintf(id, sizeof id, "x %dx%dx%dx%d w %dx%dx%dx%d stride %d pad %d dilation %d groups %d", s->N, s->H, s->W, s->C,
           s->R, s->S, s->C / s->groups, s->K, s->stride, s->pad, s->dilation, s->groups);
  make_case(c, id, &skp__op_conv2d, &attrs, x_of(s), w_of(s), s->bias);
}

/* Adds to such a case the same convolution with all that may follow it, without and with statistics, and the data
 * gradient with what it is added to, alone and with what lets it pass. */
static void add_finished(struct skp__case *c, const struct shape *s) {
  union skp_attrs attrs = {.conv2d = {s->stride, s->pad, s->dilation, s->groups, 0, 0, 1}};
  const struct skp_shape channels = skp__shape1(s->K), y = c->g->tensors.at[c->g->nodes.at[0].out[0]].shape;
  const skp_value x = input(c, x_of(s), 5), w = input(c, w_of(s), 6), dy = input(c, y, 7);
  const skp_value in[] = {x, w, input(c, channels, 8), input(c, channels, 9), input(c, y, 10)};
  const skp_value added[] = {dy, w, input(c, x_of(s), 11), SKP_NONE};
  const skp_value masked[] = {dy, w, added[2], input(c, x_of(s), 12)};
  skp_value out[SKP_MAX_OUT];
  ck_ok(skp__case_node(c, &skp__op_conv2d, &attrs, in, NULL, out));
  attrs.conv2d.statistics = 1;
  ck_ok(skp__case_node(c, &skp__op_conv2d, &attrs, in, NULL, out));
  attrs.conv2d.statistics = 0;
  attrs.conv2d.h = s->H, attrs.conv2d.w = s->W;
  ck_ok(skp__case_node(c, &skp__op_conv2d_dx, &attrs, masked, NULL, out));
  attrs.conv2d.relu = 0;
  ck_ok(skp__case_node(c, &skp__op_conv2d_dx, &attrs, added, NULL, out));
  ck_ok(skp__case_complete(c));
}

static const skp_dtype types[] = {SKP_F32, SKP_BF16};

START_TEST(every_method_is_right) {
  maps = types[_i];
  for (int i = 0; i < SHAPES; i++) {
    struct skp__case c;
    make(&c, &shapes[i]);
    add_finished(&c, &shapes[i]);
    judge_all(&c);
    skp__case_free(&c);
  }
}
END_TEST

START_TEST(every_method_repeats_itself) {
  struct skp__case c;
  maps = SKP_F32;
  make(&c, &(struct shape){6, 23, 19, 4, 3, 3, 16, 1, 1, 1, 1, true});
  add_finished(&c, &(struct shape){6, 23, 19, 4, 3, 3, 16, 1, 1, 1, 1, true});
  judge_repeats(&c);
  skp__case_free(&c);
}
END_TEST

static void add(TCase *device) {
  tcase_add_loop_test(device, every_method_is_right, 0, 2);
  tcase_add_test(device, every_method_repeats_itself);
}

int main(void) { return run_on_device("conv2d", add); }
