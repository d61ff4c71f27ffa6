/* test_precision.c: rounding to bfloat16, the types of an op's maps, and which maps of a step become narrow.
 * SPDX-License-Identifier: MIT */
#include "base/bf16.h"
#include "base/memory.h"
#include "plan/plan.h"
#include "step.h"
#include "train/session/session.h"
#include <math.h>

/* ---- numbers ------------------------------------------------------------------------------------------------------
 * */

static const struct {
  float value, rounded;
} numbers[] = {
    {0.0f, 0.0f},
    {-0.0f, -0.0f},
    {1.0f, 1.0f},
    {1.00390625f, 1.0f},       /* half of the last digit: to even, down */
    {1.01171875f, 1.015625f},  /* half again: to even, up */
    {1.00390637f, 1.0078125f}, /* a little more than half */
    {-1.00390625f, -1.0f},
    {3.4e38f, 3.3961775e38f},
    {3.4028235e38f, INFINITY}, /* the largest float is nearer to what would come next */
    {INFINITY, INFINITY},
    {1e-40f, 9.18354962e-41f}, /* denormal, as float32 has them */
};

START_TEST(rounds_to_nearest_even) {
  const float got = skp__from_bf16(skp__to_bf16(numbers[_i].value));
  ck_assert_msg(fabsf(got - numbers[_i].rounded) <= 1e-4f * fabsf(got) || got == numbers[_i].rounded, "%.9g",
                (double)got);
  if (fabsf(numbers[_i].rounded) > 1e-30f && isfinite(numbers[_i].rounded) && numbers[_i].rounded < 1e30f)
    ck_assert_float_eq(got, numbers[_i].rounded);
  ck_assert_int_eq(signbit(got) != 0, signbit(numbers[_i].value) != 0);
}
END_TEST

START_TEST(nan_stays_nan) {
  const uint32_t low_digits = 0x7f800001; /* all that makes it NaN is cut off */
  float value;
  memcpy(&value, &low_digits, sizeof value);
  ck_assert(isnan(skp__from_bf16(skp__to_bf16(value))));
  ck_assert(isnan(skp__from_bf16(skp__to_bf16(-NAN))));
}
END_TEST

/* ---- types --------------------------------------------------------------------------------------------------------
 * */

static struct skp_shape narrow(struct skp_shape s) {
  s.dtype = SKP_BF16;
  return s;
}

START_TEST(maps_are_narrow_together) {
  struct skp_shape in[] = {narrow(skp__shape2(2, 3)), skp__shape2(2, 3)}, out[1];
  struct skp_sig add = {.op = &skp__op_add, .n_in = 2, .n_out = 1, .in = in, .out = out};
  skp__attrs_default(add.op, &add.attrs);
  ck_fails(skp__op_infer(&add), SKP_SHAPE, "bfloat16 are all maps or none");
  in[1] = narrow(in[1]);
  ck_ok(skp__op_infer(&add));
  ck_assert_int_eq(out[0].dtype, SKP_BF16);
  ck_assert_int_eq(skp__shape_bytes(&out[0]), 12);
}
END_TEST

START_TEST(only_maps_are_narrow) {
  struct skp_shape in[] = {narrow(skp__shape2(2, 3)), skp__shape4(1, 1, 3, 4), {.rank = 0}}, out[1];
  struct skp_sig linear = {.op = &skp__op_linear, .n_in = 3, .n_out = 1, .in = in, .out = out};
  ck_fails(skp__op_infer(&linear), SKP_SHAPE, "x is bfloat16");
}
END_TEST

START_TEST(the_reference_rounds_once) {
  const uint16_t a[] = {skp__to_bf16(1), skp__to_bf16(256)}, b[] = {skp__to_bf16(0.00390625f), skp__to_bf16(1)};
  const void *values[] = {a, b};
  uint16_t y[2];
  void *results[] = {y};
  struct skp_shape in[] = {narrow(skp__shape1(2)), narrow(skp__shape1(2))}, out[1];
  struct skp_sig add = {.op = &skp__op_add, .n_in = 2, .n_out = 1, .in = in, .out = out};
  skp__attrs_default(add.op, &add.attrs);
  ck_ok(skp__op_infer(&add));
  const struct skp_call call = {.sig = &add, .in = values, .out = results};
  ck_ok(skp__op_run(&call));
  ck_assert_float_eq(skp__from_bf16(y[0]), 1.0f);
  ck_assert_float_eq(skp__from_bf16(y[1]), 256.0f);
}
END_TEST

/* ---- the pass -----------------------------------------------------------------------------------------------------
 * */

/* Op names in order, those on narrow maps with a '*'. */
static char *typed(const char *network, skp_step step, bool bytes) {
  struct skp_model *m = step_parse(network);
  struct skp_graph *g;
  struct skp__memory text;
  ck_assert(skp__memory_open(&text));
  ck_ok(skp__step_graph(&g, m, &(struct skp__variant){step, .N = 2}));
  if (bytes) ck_ok(skp__graph_take_bytes(g));
  ck_ok(skp__graph_prune(g));
  ck_ok(skp__precision(g));
  for (size_t n = 0; n < g->nodes.n; n++) {
    const struct skp_node *node = &g->nodes.at[n];
    struct skp_sig sig = skp__graph_sig(g, node), again;
    ck_ok(skp__sig_copy(&again, &sig));
    ck_ok(skp__op_infer(&again)); /* what it made is what the op makes of it */
    for (int i = 0; i < node->n_out; i++) {
      if (node->out[i] == SKP_NONE) continue;
      ck_assert_int_eq(again.out[i].dtype, sig.out[i].dtype);
      ck_assert_int_eq(g->tensors.at[node->out[i]].producer, (int)n);
      if (g->tensors.at[node->out[i]].role != SKP_ROLE_ACTIVATION) ck_assert_int_ne(sig.out[i].dtype, SKP_BF16);
      if (node->op->alias[i]) /* it lives in what it reads, which is of its type */
        ck_assert_int_eq(skp__graph_root(g, node->out[i]), skp__graph_root(g, node->in[node->op->alias[i] - 1]));
    }
    skp__sig_free(&again);
    for (int i = 0; i < node->n_in; i++)
      if (node->in[i] != SKP_NONE) ck_assert_int_lt(g->tensors.at[node->in[i]].producer, (int)n);
    fprintf(text.to, "%s%s%s", n ? " " : "", node->op->name, skp__sig_narrow(&sig) ? "*" : "");
  }
  ck_assert(skp__memory_close(&text));
  skp__graph_destroy(g);
  skp__model_destroy(m);
  return text.text;
}

static const struct {
  const char *network;
  skp_step step;
  const char *want;
  bool bytes;
} rows[] = {
    /* between the convolution and the linear layer, one cast each */
    {"x = nn.relu(nn.batchnorm2d(nn.conv2d(x, 8, {kernel = 3}))) return nn.linear(nn.flatten(nn.global_avgpool(x)), 4)",
     SKP_STEP_EVAL, "batchnorm_fold to_bfloat16* conv2d* global_avgpool* flatten* to_float32* linear"},
    /* an image that two convolutions read is cast once */
    {"x = nn.conv2d(x, 8, {kernel = 1}) + nn.conv2d(x, 8, {kernel = 1}) return nn.global_avgpool(x)", SKP_STEP_EVAL,
     "to_bfloat16* conv2d* conv2d* to_float32* global_avgpool"},
    /* few channels do not pay, and nothing else asks for it */
    {"return nn.global_avgpool(nn.relu(nn.conv2d(x, 4, {kernel = 1})))", SKP_STEP_EVAL, "conv2d global_avgpool"},
    /* what knows no narrow maps is left alone, casts around it */
    {"x = nn.sigmoid(nn.conv2d(x, 8, {kernel = 1})) return nn.global_avgpool(nn.conv2d(x, 8, {kernel = 1}))",
     SKP_STEP_EVAL, "to_bfloat16* conv2d* to_float32* activation to_bfloat16* conv2d* to_float32* global_avgpool"},
    /* bytes become what their readers want at once, all of them */
    {"x = nn.conv2d(x, 8, {kernel = 1}) + nn.conv2d(x, 8, {kernel = 1}) return nn.global_avgpool(x)", SKP_STEP_EVAL,
     "normalise* conv2d* conv2d* to_float32* global_avgpool", true},
    {"x = nn.conv2d(x, 8, {kernel = 1}) + nn.conv2d(nn.sigmoid(x), 8, {kernel = 1}) return nn.global_avgpool(x)",
     SKP_STEP_EVAL, "normalise to_bfloat16* conv2d* activation to_bfloat16* conv2d* to_float32* global_avgpool", true},
    {"return nn.linear(nn.flatten(x), 4)", SKP_STEP_EVAL, "normalise flatten linear", true},
};

START_TEST(maps_become_narrow) {
  char *text = typed(rows[_i].network, rows[_i].step, rows[_i].bytes);
  ck_assert_str_eq(text, rows[_i].want);
  free(text);
}
END_TEST

/* Loss, update, weights and their gradients stay what they are. */
START_TEST(a_training_step_keeps_floats_where_they_belong) {
  char *text = typed("x = nn.relu(nn.batchnorm2d(nn.conv2d(x, 8, {kernel = 3}))) x = nn.conv2d(x, 8, {kernel = 3}) "
                     "return nn.linear(nn.flatten(nn.global_avgpool(x)), 4)",
                     SKP_STEP_TRAIN, false);
  static const char *const narrow_ones[] = {" conv2d_dx*", " conv2d_dw*", " batchnorm_dx*"};
  static const char *const floats[] = {" linear ", " softmax_cross_entropy ", " linear_dw ", " linear_dx ", " sgd"};
  for (size_t i = 0; i < sizeof narrow_ones / sizeof *narrow_ones; i++)
    ck_assert_msg(strstr(text, narrow_ones[i]), "%s: no%s", text, narrow_ones[i]);
  for (size_t i = 0; i < sizeof floats / sizeof *floats; i++)
    ck_assert_msg(strstr(text, floats[i]), "%s: no%s", text, floats[i]);
  free(text);
}
END_TEST

/* Predictions that are a view of a narrow map, or a view of such a view: `typed` looks where they live. */
START_TEST(a_view_of_what_is_cast_is_one_of_the_cast) {
  static const char *const networks[] = {"return nn.flatten(nn.conv2d(x, 8, {kernel = 6}))",
                                         "return nn.flatten(nn.flatten(nn.conv2d(x, 8, {kernel = 6})))"};
  char *text = typed(networks[_i], SKP_STEP_TRAIN, false);
  ck_assert_msg(strstr(text, "* to_float32* flatten softmax_cross_entropy "), "%s", text);
  free(text);
}
END_TEST

int main(void) {
  TCase *numbers_case = tcase_create("numbers"), *types = tcase_create("types"), *pass = tcase_create("pass");
  tcase_add_loop_test(numbers_case, rounds_to_nearest_even, 0, sizeof numbers / sizeof *numbers);
  tcase_add_test(numbers_case, nan_stays_nan);
  tcase_add_test(types, maps_are_narrow_together);
  tcase_add_test(types, only_maps_are_narrow);
  tcase_add_test(types, the_reference_rounds_once);
  tcase_add_loop_test(pass, maps_become_narrow, 0, sizeof rows / sizeof *rows);
  tcase_add_test(pass, a_training_step_keeps_floats_where_they_belong);
  tcase_add_loop_test(pass, a_view_of_what_is_cast_is_one_of_the_cast, 0, 2);
  Suite *suite = suite_create("precision");
  suite_add_tcase(suite, numbers_case);
  suite_add_tcase(suite, types);
  suite_add_tcase(suite, pass);
  return skp__test_main(suite);
}
