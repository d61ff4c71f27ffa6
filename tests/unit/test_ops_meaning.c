/* test_ops_meaning.c: what the references compute where it can be said by hand: optimizers step by step, losses, ties,
 * NaN, running statistics. SPDX-License-Identifier: MIT */
#include "op_case.h"
#include <math.h>

static struct tape tape;
static skp_value in[SKP_MAX_IN], out[SKP_MAX_OUT];
static struct skp_sig sig;

/* Makes the inputs of a call, all zero. */
static void start(const char *op, const char *shapes, const char *attrs) {
  tape_free(&tape);
  skp__sig_free(&sig);
  op_case(&sig, op, shapes, attrs);
  for (int i = 0; i < SKP_MAX_IN; i++) in[i] = SKP_NONE;
  for (int i = 0; i < sig.n_in; i++) in[i] = sig.in[i].rank ? tape_new(&tape, sig.in[i]) : SKP_NONE;
}

static void put(int i, const float *values) {
  memcpy(floats(&tape, in[i]), values, 4 * (size_t)skp__shape_count(&sig.in[i]));
}
#define PUT(i, ...) put(i, (const float[]){__VA_ARGS__})

static void put_labels(int i, const int32_t *values) {
  memcpy(floats(&tape, in[i]), values, 4 * (size_t)skp__shape_count(&sig.in[i]));
}
#define PUT_LABELS(i, ...) put_labels(i, (const int32_t[]){__VA_ARGS__})

static void go(void) { ck_ok(tape_run(&tape, &sig, in, NULL, out)); }

static void expect(int o, const float *want, int64_t n, int line) {
  ck_assert_int_eq(skp__shape_count(&sig.out[o]), n);
  const float *got = floats(&tape, out[o]);
  for (int64_t i = 0; i < n; i++)
    ck_assert_msg(isnan(want[i]) ? isnan(got[i])
                                 : got[i] == want[i] || fabsf(got[i] - want[i]) <= 1e-6f * (1 + fabsf(want[i])),
                  "line %d: output %d [%d] is %.9g, expected %.9g", line, o, (int)i, (double)got[i], (double)want[i]);
}
#define EXPECT(o, ...)                                                                                                 \
  expect(o, (const float[]){__VA_ARGS__}, sizeof((const float[]){__VA_ARGS__}) / sizeof(float), __LINE__)

/* ---- optimizers: two steps each ---------------------------------------------------------------------------------- */

static const struct {
  const char *op, *in, *attrs;
  float lr, g[2], p[2]; /* p starts at 1 */
} updates[] = {
    {"sgd", "1 1 - 4", "", 0.1f, {0.5f, -1}, {0.95f, 1.05f}},
    {"sgd", "1 1 - 4", "weight_decay=0.1", 0.1f, {0.5f, 0}, {0.94f, 0.9306f}},
    {"sgd", "1 1 1 4", "momentum=0.9", 0.1f, {0.5f, 0.5f}, {0.95f, 0.855f}},              /* m: 0.5, 0.95 */
    {"sgd", "1 1 1 4", "momentum=0.9 nesterov=1", 0.1f, {0.5f, 0.5f}, {0.905f, 0.7695f}}, /* 0.95, 1.355 */
    {"sgd", "1 1 1 4", "momentum=0.5 weight_decay=1", 0.1f, {0, 0}, {0.9f, 0.76f}},       /* m: 1, 1.4 */
    {"adam", "1 1 1 1 4", "", 0.1f, {2, 2}, {0.9f, 0.8f}},                       /* equal gradients: steps of lr */
    {"adam", "1 1 1 1 4", "", 0.1f, {1, -1}, {0.9f, 0.90526316f}},               /* m: -0.01 / 0.19 = -1/19 */
    {"adam", "1 1 1 1 4", "eps=1", 0.1f, {1, 1}, {0.95f, 0.9f}},                 /* 1 / (1 + eps) */
    {"adam", "1 1 1 1 4", "weight_decay=0.1", 0.1f, {0, 0}, {0.9f, 0.8004123f}}, /* g': 0.1, 0.09 */
    {"adam", "1 1 1 1 4", "beta1=0 beta2=0", 0.1f, {3, -5}, {0.9f, 1.0f}},       /* signs */
    {"lion", "1 1 1 4", "", 0.1f, {3, -0.1f}, {0.9f, 0.8f}},                     /* c: 0.3, then 0.027 - 0.01 */
    {"lion", "1 1 1 4", "beta2=0.5", 0.1f, {-1, 3}, {1.1f, 1.2f}},               /* m: -0.5; c: -0.45 + 0.3 */
    {"lion", "1 1 1 4", "weight_decay=0.1", 0.1f, {1, 0}, {0.89f, 0.7811f}},     /* p (1 - 0.01) - 0.1 */
    {"lion", "1 1 1 4", "", 0.1f, {0, NAN}, {1, NAN}},
    {"adamw", "1 1 1 1 4", "weight_decay=0.1", 0.1f, {2, 2}, {0.89f, 0.7811f}}, /* p (1 - 0.01) - 0.1 */
    {"adamw", "1 1 1 1 4", "", 0.1f, {2, 2}, {0.899f, 0.798101f}},              /* the default decay is 0.01 */
};

START_TEST(two_updates) {
  start(updates[_i].op, updates[_i].in, updates[_i].attrs);
  const int hyper = sig.op->optimizer->hyper;
  const double beta1 = (double)sig.attrs.optimizer.beta1, beta2 = (double)sig.attrs.optimizer.beta2;
  PUT(0, 1);
  for (int t = 1; t <= 2; t++) {
    PUT(1, updates[_i].g[t - 1]);
    PUT(hyper, updates[_i].lr, (float)(1 - pow(beta1, t)), (float)(1 - pow(beta2, t)), 0);
    go();
    ck_assert_ptr_eq(floats(&tape, out[0]), floats(&tape, in[0])); /* in place */
    EXPECT(0, updates[_i].p[t - 1]);
  }
}
END_TEST

/* Two blocks: the second learns half as fast and without decay; gradients are halved;
 * the average takes a quarter of what is new. */
START_TEST(factors_scale_and_average) {
  enum { N = SKP_UPDATE_BLOCK + 1 };
  start("sgd", "129 129 - 4 2x2 1 129", "weight_decay=1");
  for (int i = 0; i < N; i++) floats(&tape, in[0])[i] = floats(&tape, in[1])[i] = 1;
  PUT(3, 0.1f, 0, 0, 0.25f);
  PUT(4, 1, 1, 0.5f, 0);
  PUT(5, 0.5f);
  go();
  const float *p = floats(&tape, out[0]), *average = floats(&tape, out[2]);
  for (int i = 0; i < N; i++) {
    float want = i < SKP_UPDATE_BLOCK ? 0.85f : 0.975f;
    ck_assert_float_eq_tol(p[i], want, 1e-6f);
    ck_assert_float_eq_tol(average[i], want / 4, 1e-6f);
  }
}
END_TEST

/* AdamW's decay goes by both factors. */
START_TEST(factors_of_a_decoupled_decay) {
  start("adamw", "1 1 1 1 4 1x2", "weight_decay=0.1");
  PUT(0, 1);
  PUT(4, 0.1f, 0.1f, 0.001f, 0);
  PUT(5, 0.5f, 2);
  go();
  EXPECT(0, 0.99f);
}
END_TEST

START_TEST(clipping) {
  const struct {
    float g[2], scale;
  } rows[] = {{{3, 4}, 0.4f}, {{0.6f, 0.8f}, 1}, {{0, 0}, 1}, {{INFINITY, 1}, 0}, {{NAN, 1}, NAN}};
  start("clip_norm", "2", "max_norm=2");
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    put(0, rows[i].g);
    go();
    EXPECT(0, rows[i].scale);
  }
}
END_TEST

START_TEST(axpby) {
  start("axpby", "2 2 2", "");
  PUT(0, 1, 2);
  PUT(1, 10, -10);
  PUT(2, 0.5f, 2);
  go();
  EXPECT(0, 20.5f, -19);
  ck_assert_ptr_eq(floats(&tape, out[0]), floats(&tape, in[0])); /* in place */
  PUT(0, NAN, -INFINITY);
  PUT(2, 0, 2);
  go(); /* a sum begins anew */
  EXPECT(0, 20, -20);
}
END_TEST

/* ---- loss -------------------------------------------------------------------------------------------------------- */

START_TEST(loss_values) {
  start("softmax_cross_entropy", "2x2 i2", "");
  PUT_LABELS(1, 0, 1);
  go();
  EXPECT(0, 0.69314718f);
  PUT(0, 1, 3, 1, 3); /* log(e + e^3) = 3.12692801 */
  go();
  EXPECT(0, 3.12692801f - 2);
  start("softmax_cross_entropy", "1x2 i1", "label_smoothing=0.1");
  PUT(0, 1, 3);
  go();
  EXPECT(0, 3.12692801f - 0.95f * 1 - 0.05f * 3);
  PUT(0, 1000, -1000); /* exp would overflow */
  go();
  EXPECT(0, 0.05f * 2000);
  start("softmax_cross_entropy", "1x1 i1", "");
  PUT(0, 7);
  go();
  EXPECT(0, 0);
}
END_TEST

/* lambda · CE(label) + (1 - lambda) · CE(other), and the gradient of that. */
START_TEST(mixed_loss_values) {
  start("softmax_cross_entropy", "1x2 i1 i1 1", "");
  PUT(0, 1, 3); /* cross-entropies 2.12692801 and 0.12692801 */
  PUT_LABELS(1, 0);
  PUT_LABELS(2, 1);
  PUT(3, 0.75f);
  go();
  EXPECT(0, 0.75f * 2.12692801f + 0.25f * 0.12692801f);
  PUT_LABELS(2, 0); /* twice the same */
  go();
  EXPECT(0, 2.12692801f);
  start("softmax_cross_entropy_dx", "1x2 i1 - i1 1", "label_smoothing=0.1");
  PUT_LABELS(3, 1);
  PUT(4, 0.75f);
  go();
  EXPECT(0, 0.5f - (0.9f * 0.75f + 0.05f), 0.5f - (0.9f * 0.25f + 0.05f));
}
END_TEST

START_TEST(labels_outside) {
  static const int32_t outside[] = {-1, 3, INT32_MAX, INT32_MIN};
  for (int i = 0; i < 4; i++) {
    start("softmax_cross_entropy", "2x3 i2", "");
    PUT_LABELS(1, 0, outside[i]);
    go();
    EXPECT(0, NAN);
    start("softmax_cross_entropy_dx", "2x3 i2 -", "");
    PUT_LABELS(1, 0, outside[i]);
    go();
    EXPECT(0, -1.f / 3, 1.f / 6, 1.f / 6, NAN, NAN, NAN);
  }
}
END_TEST

/* ---- batchnorm --------------------------------------------------------------------------------------------------- */

/* 2·3 = 6: scaled, shifted, with what is beside it; NaN passes a relu. */
START_TEST(what_follows_a_convolution) {
  start("conv2d", "1x1x4x1 1x1x1x1 1 1 1x1x4x1", "relu=1");
  PUT(0, 3, 3, 3, NAN);
  PUT(1, 2);
  PUT(2, -2);
  PUT(3, 0.5f);
  PUT(4, 0, 10, -5, 0);
  go();
  EXPECT(0, 1, 11, 0, NAN);
}
END_TEST

/* gamma 3, beta 1, mean 4, var 0.25: 6 · (x + 2 - 4) + 1. */
START_TEST(folded_statistics) {
  start("batchnorm_fold", "1 1 1 1 1", "eps=0");
  PUT(0, 3);
  PUT(1, 1);
  PUT(2, 4);
  PUT(3, 0.25f);
  PUT(4, 2);
  go();
  EXPECT(0, 6);
  EXPECT(1, -11);
}
END_TEST

START_TEST(running_statistics) {
  start("batchnorm", "4x1x1x1 1 1 - 1 1", "eps=0.75");
  PUT(0, 1, 2, 3, 4); /* mean 2.5, variance 1.25, unbiased 5/3 */
  PUT(1, 2);
  PUT(2, 10);
  PUT(5, 1);
  go();
  EXPECT(0, 7.8786797f, 9.2928932f, 10.707107f, 12.12132f); /* rstd = 1 / sqrt(2) */
  EXPECT(1, 0.25f);
  EXPECT(2, 0.9f + 0.5f / 3);
  EXPECT(3, 2.5f);
  EXPECT(4, 0.70710678f);
  ck_assert_ptr_eq(floats(&tape, out[1]), floats(&tape, in[4]));
  ck_assert_ptr_eq(floats(&tape, out[2]), floats(&tape, in[5]));
}
END_TEST

START_TEST(evaluation_keeps_statistics) {
  start("batchnorm", "2x1x1x1 1 1 - 1 1", "training=0 eps=0 momentum=0.5");
  PUT(0, 1, 7);
  PUT(1, 1);
  PUT(4, 3);
  PUT(5, 4);
  go();
  EXPECT(0, -1, 2);
  EXPECT(1, 3);
  EXPECT(2, 4);
  EXPECT(3, 3);
  EXPECT(4, 0.5f);
}
END_TEST

START_TEST(one_value_a_channel) {
  start("batchnorm", "1x1x1x2 2 2 - 2 2", "");
  PUT(0, 5, -3);
  PUT(1, 2, 2);
  PUT(2, 1, 0.5f);
  PUT(5, 1, 1);
  go();
  EXPECT(0, 1, 0.5f);
  EXPECT(1, 0.5f, -0.3f);
  EXPECT(2, 0.9f, 0.9f);
}
END_TEST

/* Sums in double: an offset a thousand times the spread costs nothing. */
START_TEST(large_offset) {
  start("batchnorm", "4x1x1x1 1 1 - 1 1", "eps=0");
  PUT(0, 10001, 10002, 10003, 10004);
  PUT(1, 1);
  go();
  EXPECT(0, -1.3416408f, -0.4472136f, 0.4472136f, 1.3416408f);
}
END_TEST

/* ---- dropout ----------------------------------------------------------------------------------------------------- */

enum { DROPPED_OF = 100000 };

/* Fills y with the mask of ones that this step and layer have. */
static void mask(float *y, const char *attrs, int32_t low, int32_t high) {
  start("dropout", "100000 i2", attrs);
  for (int i = 0; i < DROPPED_OF; i++) floats(&tape, in[0])[i] = 1;
  memcpy(tape.value[in[1]].at, (int32_t[]){low, high}, 8);
  go();
  memcpy(y, floats(&tape, out[0]), DROPPED_OF * sizeof *y);
}

/* A fraction p is gone, the rest is scaled so that the mean stays, and one element says nothing of the next. */
START_TEST(dropout_keeps_the_mean) {
  static float y[DROPPED_OF];
  int gone = 0, pairs = 0;
  mask(y, "p=0.25 stream=1", 7, -7);
  for (int i = 0; i < DROPPED_OF; i++) {
    ck_assert(y[i] == 0 || y[i] == 4.0f / 3);
    gone += y[i] == 0;
    pairs += i && y[i] == 0 && y[i - 1] == 0;
  }
  ck_assert_double_eq_tol(gone, DROPPED_OF * 0.25, 4 * sqrt(DROPPED_OF * 0.25 * 0.75));
  ck_assert_double_eq_tol(pairs, DROPPED_OF * 0.0625, 6 * sqrt(DROPPED_OF * 0.0625));
  mask(y, "p=0", 7, -7);
  for (int i = 0; i < DROPPED_OF; i++) ck_assert_float_eq(y[i], 1);
  mask(y, "p=1", 7, -7); /* as PyTorch does it: all are zero, and none is infinite before that */
  for (int i = 0; i < DROPPED_OF; i++) ck_assert_float_eq(y[i], 0);
}
END_TEST

/* The number of the step, in both halves, and the layer choose the mask: the same ones
 * the same, others another one, independent of it. */
START_TEST(each_step_and_layer_has_its_mask) {
  static const struct {
    const char *attrs;
    int32_t low, high;
  } others[] = {{"p=0.5 stream=2", 7, -7}, {"p=0.5 stream=1", 8, -7}, {"p=0.5 stream=1", 7, -6}};
  static float first[DROPPED_OF], y[DROPPED_OF];
  mask(first, "p=0.5 stream=1", 7, -7);
  mask(y, "p=0.5 stream=1", 7, -7);
  ck_assert_mem_eq(first, y, sizeof y);
  for (int k = 0; k < 3; k++) {
    int equal = 0;
    mask(y, others[k].attrs, others[k].low, others[k].high);
    for (int i = 0; i < DROPPED_OF; i++) equal += y[i] == first[i];
    ck_assert_double_eq_tol(equal, DROPPED_OF / 2.0, 4 * sqrt(DROPPED_OF * 0.25));
  }
}
END_TEST

/* ---- pooling, resizing ------------------------------------------------------------------------------------------- */

START_TEST(first_of_equals_wins) {
  start("maxpool2d", "1x2x2x1", "");
  PUT(0, 1, 3, 3, 3);
  go();
  EXPECT(0, 3);
  ck_assert_int_eq(*(int32_t *)tape.value[out[1]].at, 1);
  PUT(0, -INFINITY, -INFINITY, -INFINITY, -INFINITY);
  go();
  EXPECT(0, -INFINITY);
  ck_assert_int_eq(*(int32_t *)tape.value[out[1]].at, 0);
}
END_TEST

START_TEST(average_of_padded_windows) {
  start("avgpool2d", "1x2x2x1", "kernel=2 stride=2 pad=1");
  PUT(0, 4, 8, 12, 16);
  go();
  EXPECT(0, 1, 2, 3, 4);
  start("avgpool2d", "1x2x2x1", "kernel=2 stride=2 pad=1 count_include_pad=0");
  PUT(0, 4, 8, 12, 16);
  go();
  EXPECT(0, 4, 8, 12, 16);
}
END_TEST

START_TEST(windows_that_cover) {
  start("adaptive_avgpool2d", "1x1x3x1", "size=2"); /* columns 0 1 and 1 2 */
  PUT(0, 2, 4, 10);
  go();
  EXPECT(0, 3, 7, 3, 7);
  start("adaptive_avgpool2d", "1x2x2x1", "size=3"); /* 0, 0 1, 1 along each axis */
  PUT(0, 1, 3, 5, 7);
  go();
  EXPECT(0, 1, 2, 3, 3, 4, 5, 5, 6, 7);
}
END_TEST

START_TEST(resizing) {
  start("resize_bilinear", "1x1x2x1", "out_h=1 out_w=4"); /* between half-pixel centres, edges repeated */
  PUT(0, 0, 4);
  go();
  EXPECT(0, 0, 1, 3, 4);
  start("resize_bilinear", "1x1x4x1", "out_h=1 out_w=2"); /* triangle of radius 2: 3/7 3/7 1/7 */
  PUT(0, 7, 14, 21, 28);
  go();
  EXPECT(0, 12, 23);
  start("resize_bilinear", "1x3x3x1", "out_h=3 out_w=3");
  PUT(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
  go();
  EXPECT(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
}
END_TEST

/* ---- as PyTorch computes them ------------------------------------------------------------------------------------ */

#define NUMBERS -8, -3, -1.5f, -0.25f, 0, 0.5f, 2, 3, 6, 9
static const struct {
  skp_activation kind;
  float y[10], slope[10]; /* at these numbers */
} activations[] = {
    {SKP_SIGMOID,
     {0.00033535013f, 0.0474258732f, 0.182425524f, 0.437823499f, 0.5f, 0.622459331f, 0.880797078f, 0.952574127f,
      0.997527377f, 0.999876605f},
     {0.000335237671f, 0.0451766597f, 0.149146452f, 0.246134083f, 0.25f, 0.235003712f, 0.104993585f, 0.0451766597f,
      0.00246650929f, 0.00012337935f}},
    {SKP_SILU,
     {-0.00268280104f, -0.14227762f, -0.273638286f, -0.109455875f, 0, 0.311229666f, 1.76159416f, 2.85772238f,
      5.98516426f, 8.99888945f},
     {-0.00234655124f, -0.088104106f, -0.0412941543f, 0.376289978f, 0.5f, 0.739961187f, 1.09078425f, 1.08810411f,
      1.01232643f, 1.00098702f}},
    {SKP_RELU6, {0, 0, 0, 0, 0, 0.5f, 2, 3, 6, 6}, {0, 0, 0, 0, 0, 1, 1, 1, 0, 0}},
    {SKP_HARDSIGMOID,
     {0, 0, 0.25f, 0.458333333f, 0.5f, 0.583333333f, 0.833333333f, 1, 1, 1},
     {0, 0, 0.166666667f, 0.166666667f, 0.166666667f, 0.166666667f, 0.166666667f, 0, 0, 0}},
    {SKP_HARDSWISH,
     {0, 0, -0.375f, -0.114583333f, 0, 0.291666667f, 1.66666667f, 3, 6, 9},
     {0, 0, 0, 0.416666667f, 0.5f, 0.666666667f, 1.16666667f, 1, 1, 1}},
    {SKP_GELU,
     {-4.97611e-15f, -0.00404969409f, -0.100210802f, -0.100323419f, 0, 0.345731231f, 1.95449974f, 2.99595031f,
      5.99999999f, 9},
     {-4.0429e-14f, -0.0119456472f, -0.127469192f, 0.304626645f, 0.5f, 0.867495125f, 1.0852318f, 1.01194565f,
      1.00000004f, 1}},
    {SKP_TANH, /* the slope is 1 / cosh² */
     {-0.999999775f, -0.995054754f, -0.905148254f, -0.244918662f, 0, 0.462117157f, 0.96402758f, 0.995054754f,
      0.999987712f, 0.99999997f},
     {4.50140598e-07f, 0.00986603717f, 0.180706639f, 0.940014849f, 1, 0.786447733f, 0.0706508249f, 0.00986603717f,
      2.45765474e-05f, 6.09199171e-08f}},
};

START_TEST(activation_values) {
  char attrs[20];
  snprintf(attrs, sizeof attrs, "kind=%d", activations[_i].kind);
  start("activation", "10", attrs);
  PUT(0, NUMBERS);
  go();
  expect(0, activations[_i].y, 10, __LINE__);
  start("activation_dx", "10 10", attrs);
  PUT(0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
  PUT(1, NUMBERS);
  go();
  expect(0, activations[_i].slope, 10, __LINE__);
}
END_TEST

START_TEST(layernorm_values) {
  start("layernorm", "2x3 3 3", "eps=0.01");
  PUT(0, 1, 2, 4, -1, 0.5f, 3);
  PUT(1, 1, 2, -1);
  PUT(2, 0.5f, 0, 1);
  go();
  EXPECT(0, -0.56562523f, -0.53281262f, -0.33203154f, -0.60913248f, -0.4033209f, -0.31079294f);
  EXPECT(1, 2.3333333f, 0.83333333f);
  EXPECT(2, 0.79921892f, 0.60498136f);
}
END_TEST

/* A factor for each channel of each image; one for each channel. */
START_TEST(factors_of_channels) {
  start("mul", "2x1x2x2 2x1x1x2", "");
  PUT(0, 1, 2, 3, 4, 5, 6, 7, 8);
  PUT(1, 1, 2, -1, 3);
  go();
  EXPECT(0, 1, 4, 3, 8, -5, 18, -7, 24);
  start("mul", "2x1x2x2 2", "");
  PUT(0, 1, 2, 3, 4, 5, 6, 7, 8);
  PUT(1, 10, -1);
  go();
  EXPECT(0, 10, -2, 30, -4, 50, -6, 70, -8);
}
END_TEST

START_TEST(channels_side_by_side) {
  start("concat", "2x1 2x2 2x1", "");
  PUT(0, 1, 2);
  PUT(1, 3, 4, 5, 6);
  PUT(2, 7, 8);
  go();
  EXPECT(0, 1, 3, 4, 7, 2, 5, 6, 8);
  start("concat_dx", "2x4", "from=1 channels=2");
  PUT(0, 1, 3, 4, 7, 2, 5, 6, 8);
  go();
  EXPECT(0, 3, 4, 5, 6);
}
END_TEST

START_TEST(larger_pixels) {
  start("upsample_nearest", "1x1x2x1", "scale=2");
  PUT(0, 1, 2);
  go();
  EXPECT(0, 1, 1, 2, 2, 1, 1, 2, 2);
}
END_TEST

/* Images are left out as wholes. */
START_TEST(stochastic_depth) {
  static float y[DROPPED_OF];
  char shapes[40];
  snprintf(shapes, sizeof shapes, "%dx2 i2", DROPPED_OF / 2);
  start("dropout", shapes, "p=0.25 images=1 stream=1");
  for (int i = 0; i < DROPPED_OF; i++) floats(&tape, in[0])[i] = 1;
  go();
  memcpy(y, floats(&tape, out[0]), sizeof y);
  int gone = 0;
  for (int i = 0; i < DROPPED_OF; i += 2) {
    ck_assert(y[i] == y[i + 1] && (y[i] == 0 || y[i] == 4.0f / 3));
    gone += y[i] == 0;
  }
  ck_assert_double_eq_tol(gone, DROPPED_OF * 0.125, 4 * sqrt(DROPPED_OF * 0.125 * 0.75));
  start("dropout", "2x2 i2", "p=1 images=1");
  PUT(0, 1, -2, 3, 4);
  go();
  EXPECT(0, 0, 0, 0, 0);
}
END_TEST

/* ---- NaN is never lost ------------------------------------------------------------------------------------------- */

START_TEST(nan_passes) {
  start("relu", "3", "");
  PUT(0, -1, NAN, 2);
  go();
  EXPECT(0, 0, NAN, 2);
  start("add", "3 3", "relu=1");
  PUT(0, -1, NAN, 2);
  go();
  EXPECT(0, 0, NAN, 2);
  start("layernorm", "2x2 2 2", "");
  PUT(0, -1, NAN, 2, 2);
  PUT(2, 5, 6);
  go();
  EXPECT(0, NAN, NAN, 5, 6);
  start("activation", "2", "kind=2");
  for (int kind = 0; kind <= SKP_GELU; kind++) {
    sig.attrs.activation.kind = kind;
    PUT(0, NAN, NAN);
    go();
    EXPECT(0, NAN, NAN);
  }
  start("dropout", "3 i2", "p=0.999"); /* the first is dropped too */
  PUT(0, NAN, 0, 0);
  go();
  EXPECT(0, NAN, 0, 0);
  start("maxpool2d", "1x2x4x1", "");
  PUT(0, NAN, 1, 1, NAN, 2, 3, 2, 3);
  go();
  EXPECT(0, NAN, NAN);
  start("batchnorm", "2x1x1x2 2 2 - 2 2", "fuse=1 eps=0");
  PUT(0, NAN, 1, 2, 3);
  PUT(1, 1, 1);
  go();
  EXPECT(0, NAN, 0, NAN, 1);
}
END_TEST

/* A table for each channel; the last byte of all is the last of its table. */
START_TEST(bytes_as_numbers) {
  start("normalise", "u1x2x1x2 2x256", "");
  float *levels = floats(&tape, in[1]);
  for (int i = 0; i < 2 * SKP_BYTE_LEVELS; i++) levels[i] = (float)i * 0.5f;
  memcpy(tape.value[in[0]].at, (const uint8_t[]){0, 1, 3, 255}, 4);
  go();
  EXPECT(0, 0, 128.5f, 1.5f, 255.5f);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("meaning of ops");
  TCase *tc = tcase_create("meaning");
  tcase_add_loop_test(tc, two_updates, 0, sizeof updates / sizeof *updates);
  tcase_add_test(tc, factors_scale_and_average);
  tcase_add_test(tc, clipping);
  tcase_add_test(tc, axpby);
  tcase_add_test(tc, factors_of_a_decoupled_decay);
  tcase_add_test(tc, loss_values);
  tcase_add_test(tc, mixed_loss_values);
  tcase_add_test(tc, labels_outside);
  tcase_add_test(tc, what_follows_a_convolution);
  tcase_add_test(tc, folded_statistics);
  tcase_add_test(tc, running_statistics);
  tcase_add_test(tc, evaluation_keeps_statistics);
  tcase_add_test(tc, one_value_a_channel);
  tcase_add_test(tc, large_offset);
  tcase_add_test(tc, dropout_keeps_the_mean);
  tcase_add_test(tc, each_step_and_layer_has_its_mask);
  tcase_add_test(tc, first_of_equals_wins);
  tcase_add_test(tc, average_of_padded_windows);
  tcase_add_test(tc, windows_that_cover);
  tcase_add_test(tc, resizing);
  tcase_add_loop_test(tc, activation_values, 0, sizeof activations / sizeof *activations);
  tcase_add_test(tc, layernorm_values);
  tcase_add_test(tc, factors_of_channels);
  tcase_add_test(tc, channels_side_by_side);
  tcase_add_test(tc, larger_pixels);
  tcase_add_test(tc, stochastic_depth);
  tcase_add_test(tc, bytes_as_numbers);
  tcase_add_test(tc, nan_passes);
  suite_add_tcase(suite, tc);
  return skp__test_main(suite);
}
