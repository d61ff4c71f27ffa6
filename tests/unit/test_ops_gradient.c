/* test_ops_gradient.c: every gradient against differences of the reference's forward. SPDX-License-Identifier: MIT
 *
 * L = sum of dy · y for random dy. What the op's gradient builder emits runs at once, and each din is compared with
 * dL/dx ~ (8 (L(x+h) - L(x-h)) - (L(x+2h) - L(x-2h))) / 12h, whose error is of the order h^4. Where a relu's input is
 * so near to zero, or that of another function to its corner, that the step could cross it, dy is 0. */
#include "base/random.h"
#include "op_case.h"
#include <math.h>

static const double step = 0.02;

static const struct {
  const char *op, *in, *attrs;
} cases[] = {
    {"conv2d", "2x5x6x3 3x3x3x4 4", ""},
    {"conv2d", "2x5x6x3 3x3x3x4 4", "pad=1"},
    {"conv2d", "2x5x6x3 3x3x3x4 -", "stride=2 pad=1"},
    {"conv2d", "1x7x6x2 3x2x2x3 3", "stride=3 pad=2"},
    {"conv2d", "1x7x8x2 3x3x2x2 2", "dilation=2 pad=2"},
    {"conv2d", "1x8x7x2 2x3x2x2 2", "dilation=3 stride=2 pad=3"},
    {"conv2d", "2x4x4x6 3x3x2x9 9", "groups=3 pad=1"},
    {"conv2d", "2x5x5x4 3x3x1x4 4", "groups=4 stride=2"},
    {"conv2d", "2x4x4x4 3x3x1x8 -", "groups=4 dilation=2 pad=2"},
    {"conv2d", "2x5x5x3 1x1x3x5 5", "stride=2"},
    {"conv2d", "3x1x1x4 1x1x4x3 3", ""},
    {"conv2d", "2x3x3x2 3x3x2x3 -", "pad=4 stride=2"},
    {"conv2d", "2x4x5x3 3x3x3x4 4 - 2x4x5x4", "pad=1"},
    {"conv2d", "2x4x5x3 3x3x3x4 4", "pad=1 relu=1"},
    {"conv2d", "2x5x5x3 3x3x3x4 - - 2x3x3x4", "pad=1 stride=2 relu=1"},
    {"batchnorm", "3x3x4x2 2 2 - 2 2", ""},
    {"batchnorm", "3x3x4x2 2 2 - 2 2", "training=0 eps=0.01"},
    {"batchnorm", "3x3x4x2 2 2 - 2 2", "fuse=1"},
    {"batchnorm", "3x3x4x2 2 2 - 2 2", "fuse=1 training=0"},
    {"batchnorm", "3x3x4x2 2 2 3x3x4x2 2 2", "fuse=2"},
    {"batchnorm", "3x3x4x2 2 2 3x3x4x2 2 2", "fuse=2 training=0"},
    {"batchnorm", "4x1x1x5 5 5 - 5 5", "eps=0.1 momentum=0.7"},
    {"layernorm", "2x3x2x5 5 5", ""},
    {"layernorm", "7x4 4 4", "eps=0.1"},
    {"activation", "2x3x4x5", "kind=0"},
    {"activation", "2x3x4x5", "kind=1"},
    {"activation", "2x3x4x5", "kind=2"},
    {"activation", "2x3x4x5", "kind=3"},
    {"activation", "2x3x4x5", "kind=4"},
    {"activation", "2x3x4x5", "kind=5"},
    {"activation", "2x3x4x5", "kind=6"},
    {"mul", "2x3x4x5 2x3x4x5", ""},
    {"mul", "2x3x4x5 2x1x1x5", ""},
    {"mul", "2x3x4x5 5", ""},
    {"mul", "2x9 2x9", ""},
    {"concat", "2x3x2x5 2x3x2x1 2x3x2x2", ""},
    {"concat", "3x4 3x2", ""},
    {"concat", "2x1 2x2 2x1 2x1 2x1 2x3 2x1 2x1 2x1 2x1 2x2", ""},
    {"upsample_nearest", "2x2x3x2", "scale=2"},
    {"upsample_nearest", "1x2x1x3", "scale=3"},
    {"relu", "2x3x4x5", ""},
    {"relu", "7x9", ""},
    {"add", "2x3x4x5 2x3x4x5", ""},
    {"add", "2x3x4x5 2x3x4x5", "relu=1"},
    {"dropout", "2x3x4x5 i2", "p=0.4 stream=3"},
    {"dropout", "3x3 i2", "p=0"},
    {"dropout", "5x2x3x2 i2", "p=0.5 images=1"},
    {"maxpool2d", "2x6x6x3", ""},
    {"maxpool2d", "2x7x6x3", "kernel=3 stride=2 pad=1"},
    {"maxpool2d", "2x6x7x2", "kernel=3 stride=1"},
    {"maxpool2d", "2x7x7x2", "kernel=2 stride=3 pad=1"},
    {"maxpool2d", "2x6x8x2", "kernel=3 stride=2 ceil=1"},
    {"avgpool2d", "2x6x6x3", ""},
    {"avgpool2d", "2x7x6x3", "kernel=3 stride=2 pad=1"},
    {"avgpool2d", "2x7x6x3", "kernel=3 stride=2 pad=1 count_include_pad=0"},
    {"avgpool2d", "2x7x7x2", "kernel=2 stride=3 pad=1 count_include_pad=0"},
    {"avgpool2d", "1x5x5x2", "kernel=4 stride=1 pad=2"},
    {"adaptive_avgpool2d", "2x7x5x2", "size=3"},
    {"adaptive_avgpool2d", "2x2x3x2", "size=5"},
    {"adaptive_avgpool2d", "1x6x4x2", "size=2"},
    {"global_avgpool", "3x4x5x2", ""},
    {"global_avgpool", "3x1x1x2", ""},
    {"linear", "4x12 2x2x3x5 5", ""},
    {"linear", "4x12 1x1x12x5 -", ""},
    {"linear", "1x7 7x1x1x1 1", ""},
    {"flatten", "2x3x4x5", ""},
    {"flatten", "2x9", ""},
    {"transpose", "2x12", "rows=3 columns=4"},
    {"transpose", "2x5", "rows=5 columns=1"},
    {"softmax_cross_entropy", "6x5 i6", ""},
    {"softmax_cross_entropy", "6x5 i6", "label_smoothing=0.1"},
    {"softmax_cross_entropy", "3x2 i3", "label_smoothing=1"},
    {"softmax_cross_entropy", "6x5 i6 i6 6", "label_smoothing=0.1"},
};

/* ---- the call under test ----------------------------------------------------------------------------------------- */

struct trial {
  struct tape tape;
  struct skp_sig sig;
  skp_value in[SKP_MAX_IN + 1], out[SKP_MAX_OUT];
  float *dy; /* NULL: a loss, whose gradient starts at 1 */
};

static bool is(const struct trial *t, const char *op) { return !strcmp(t->sig.op->name, op); }

/* Is input i a variance, which must stay positive? */
static bool positive(const struct trial *t, int i) { return !strcmp(skp__op_in(t->sig.op, i)->name, "running_var"); }

/* Normal numbers; for maxpool2d a permutation of well separated ones, so that no step changes a winner. */
static void fill(struct trial *t, int i, uint64_t seed) {
  struct value *v = &t->tape.value[t->in[i]];
  const uint32_t n = (uint32_t)skp__shape_count(&v->shape);
  struct skp__random r = skp__random_start(seed, (uint64_t)i);
  uint32_t *order = malloc(n * sizeof *order);
  skp__random_permutation(order, n, seed, 100);
  for (uint32_t e = 0; e < n; e++) {
    if (v->shape.dtype == SKP_I32)
      ((int32_t *)v->at)[e] = (int32_t)skp__random_below(&r, (uint32_t)t->sig.in[0].dim[1]);
    else if (is(t, "maxpool2d"))
      ((float *)v->at)[e] = 0.1f * ((float)order[e] - (float)n / 2);
    else
      ((float *)v->at)[e] = (float)(positive(t, i) ? skp__random_between(&r, 0.5, 1.5) : skp__random_normal(&r));
  }
  free(order);
}

static void forward(struct trial *t) { ck_ok(tape_run(&t->tape, &t->sig, t->in, NULL, t->out)); }

/* Whether z lies within a few steps of a corner of the function. */
static bool near_corner(const struct trial *t, double z) {
  static const double corners[][2] = {[SKP_RELU6] = {0, 6}, [SKP_HARDSIGMOID] = {-3, 3}, [SKP_HARDSWISH] = {-3, 3}};
  const double *at = corners[is(t, "activation") ? t->sig.attrs.activation.kind : 0];
  return fabs(z - at[0]) < 0.3 || fabs(z - at[1]) < 0.3;
}

/* Sets dy to 0 where the input of a relu, or of an activation that has corners, lies near to one. */
static void mask_kinks(struct trial *t) {
  struct trial plain = *t;
  ck_ok(skp__sig_copy(&plain.sig, &t->sig));
  const float *z = NULL, *residual = NULL;
  const int kind = t->sig.attrs.activation.kind;
  if (is(t, "relu") || (is(t, "activation") && kind >= SKP_RELU6 && kind <= SKP_HARDSWISH)) {
    z = floats(&t->tape, t->in[0]);
  } else if (is(t, "add") && t->sig.attrs.add.relu) {
    plain.sig.attrs.add.relu = 0;
  } else if (is(t, "conv2d") && t->sig.attrs.conv2d.relu) {
    plain.sig.attrs.conv2d.relu = 0;
  } else if (is(t, "batchnorm") && t->sig.attrs.batchnorm.fuse) {
    plain.sig.attrs.batchnorm.fuse = SKP_FUSE_NONE;
    residual = floats(&t->tape, t->in[3]);
    plain.in[3] = SKP_NONE;
  } else {
    skp__sig_free(&plain.sig);
    return;
  }
  if (!z) {
    forward(&plain);
    z = floats(&plain.tape, plain.out[0]);
  }
  for (int64_t e = 0; e < skp__shape_count(&t->sig.out[0]); e++)
    if (near_corner(t, (double)(z[e] + (residual ? residual[e] : 0)))) t->dy[e] = 0;
  skp__sig_free(&plain.sig);
  t->tape.n = plain.tape.n; /* its values are freed with the rest */
  memcpy(t->tape.value, plain.tape.value, sizeof t->tape.value);
}

static void setup(struct trial *t, int which) {
  memset(t, 0, sizeof *t);
  op_case(&t->sig, cases[which].op, cases[which].in, cases[which].attrs);
  for (int i = 0; i < SKP_MAX_IN; i++) t->in[i] = SKP_NONE;
  for (int i = 0; i < t->sig.n_in; i++) {
    t->in[i] = t->sig.in[i].rank ? tape_new(&t->tape, t->sig.in[i]) : SKP_NONE;
    if (t->in[i] != SKP_NONE) fill(t, i, (uint64_t)which + 100);
  }
  for (int i = 0; i < SKP_MAX_OUT; i++) t->out[i] = SKP_NONE;
  forward(t);
  if (is(t, "softmax_cross_entropy")) return;
  const int64_t n = skp__shape_count(&t->sig.out[0]);
  struct skp__random r = skp__random_start(99, (uint64_t)which);
  t->dy = malloc((size_t)n * sizeof *t->dy);
  for (int64_t e = 0; e < n; e++) t->dy[e] = (float)skp__random_normal(&r);
  mask_kinks(t);
}

static void teardown(struct trial *t) {
  tape_free(&t->tape);
  skp__sig_free(&t->sig);
  free(t->dy);
}

/* ---- both ways to a gradient ------------------------------------------------------------------------------------- */

static double weighted_sum(const struct trial *t) {
  static const bool first_only[SKP_MAX_OUT] = {true}; /* so running statistics stay as they are */
  struct tape scratch = t->tape;
  struct skp_sig sig;
  skp_value out[SKP_MAX_OUT];
  ck_ok(skp__sig_copy(&sig, &t->sig));
  ck_ok(tape_run(&scratch, &sig, t->in, first_only, out));
  const float *y = floats(&scratch, out[0]);
  double sum = 0;
  for (int64_t e = 0; e < skp__shape_count(&sig.out[0]); e++) sum += (double)(t->dy ? t->dy[e] : 1) * y[e];
  if (!sig.op->alias[0]) free(scratch.value[out[0]].at);
  skp__sig_free(&sig);
  return sum;
}

static double difference(const struct trial *t, float *x) {
  static const struct { double at, weight; } points[] = {{1, 8}, {-1, -8}, {2, -1}, {-2, 1}};
  const float before = *x;
  double sum = 0;
  for (int i = 0; i < 4; i++) {
    *x = (float)(before + points[i].at * step);
    sum += points[i].weight * weighted_sum(t);
  }
  *x = before;
  return sum / (12 * step);
}

static skp_status emit(struct skp_grad *g, skp_op_id id, const union skp_attrs *attrs, const skp_value *in,
                       const bool *want, skp_value *out) {
  struct skp_sig sig;
  SKP_TRY(skp__sig_create(&sig, skp__op(id), skp__op_count_in(skp__op(id), in)));
  if (attrs) sig.attrs = *attrs;
  skp_status status = tape_run(g->graph, &sig, in, want, out);
  skp__sig_free(&sig);
  return status;
}

/* The gradients of the inputs that `need` names. */
struct gradients {
  skp_value din[SKP_MAX_IN];
};

static struct gradients backward(struct trial *t, const bool *need) {
  struct gradients made;
  skp_value dout[SKP_MAX_OUT];
  struct skp_grad g = {&t->sig, t->in, t->out, dout, need, made.din, emit, &t->tape};
  for (int i = 0; i < SKP_MAX_OUT; i++) dout[i] = SKP_NONE;
  for (int i = 0; i < SKP_MAX_IN; i++) made.din[i] = SKP_NONE;
  if (t->dy) {
    dout[0] = tape_new(&t->tape, t->sig.out[0]);
    memcpy(floats(&t->tape, dout[0]), t->dy, 4 * (size_t)skp__shape_count(&t->sig.out[0]));
  }
  ck_ok(t->sig.op->gradient(&g));
  return made;
}

/* Inputs that a gradient can be asked for: float, present, and not running statistics or labels and their lambdas. */
static bool differentiable(const struct trial *t, int i) {
  return t->in[i] != SKP_NONE && t->sig.in[i].dtype == SKP_F32 &&
         strncmp(skp__op_in(t->sig.op, i)->name, "running", 7) != 0 &&
         strcmp(skp__op_in(t->sig.op, i)->name, "lambda") != 0;
}

START_TEST(matches_differences) {
  struct trial t;
  setup(&t, _i);
  bool need[SKP_MAX_IN];
  for (int i = 0; i < SKP_MAX_IN; i++) need[i] = differentiable(&t, i);
  struct gradients g = backward(&t, need);
  for (int i = 0; i < SKP_MAX_IN; i++) {
    if (!need[i]) continue;
    ck_assert_msg(g.din[i] != SKP_NONE, "%s: no gradient of %s", cases[_i].op, skp__op_in(t.sig.op, i)->name);
    ck_assert(skp__shape_equal(&t.tape.value[g.din[i]].shape, &t.sig.in[i]));
    double largest = 0;
    for (int64_t e = 0; e < skp__shape_count(&t.sig.in[i]); e++) {
      const double want = difference(&t, &floats(&t.tape, t.in[i])[e]), got = floats(&t.tape, g.din[i])[e];
      largest = fmax(largest, fabs(got));
      ck_assert_msg(fabs(got - want) <= 2e-4 * (1 + fabs(want)), "%s (%s; %s): d%s[%lld] is %g, differences give %g",
                    cases[_i].op, cases[_i].in, cases[_i].attrs, skp__op_in(t.sig.op, i)->name, (long long)e, got,
                    want);
    }
    ck_assert_msg(largest > 0.01, "%s: d%s is zero throughout", cases[_i].op, skp__op_in(t.sig.op, i)->name);
  }
  teardown(&t);
}
END_TEST

/* One gradient alone is the same as among all; what nobody wants is not made. */
START_TEST(alone_as_among_all) {
  struct trial t;
  setup(&t, _i);
  bool all[SKP_MAX_IN];
  for (int i = 0; i < SKP_MAX_IN; i++) all[i] = differentiable(&t, i);
  struct gradients whole = backward(&t, all);
  for (int i = 0; i < SKP_MAX_IN; i++) {
    if (!all[i]) continue;
    bool one[SKP_MAX_IN] = {false};
    one[i] = true;
    struct gradients part = backward(&t, one);
    ck_assert_mem_eq(floats(&t.tape, part.din[i]), floats(&t.tape, whole.din[i]),
                     4 * (size_t)skp__shape_count(&t.sig.in[i]));
    for (int j = 0; j < SKP_MAX_IN; j++) /* add has the same for both, a bias's comes with the weights' */
      if (j != i && !is(&t, "add") && j < t.sig.n_in && strcmp(skp__op_in(t.sig.op, j)->name, "w"))
        ck_assert_int_eq(part.din[j], SKP_NONE);
  }
  teardown(&t);
}
END_TEST

/* A dloss that is not 1 scales the loss's gradient. */
START_TEST(loss_gradient_scales) {
  struct skp_sig sig;
  struct tape t = {.n = 0};
  op_case(&sig, "softmax_cross_entropy_dx", "2x3 i2 1", "label_smoothing=0.2");
  const skp_value in[] = {tape_new(&t, sig.in[0]), tape_new(&t, sig.in[1]), tape_new(&t, sig.in[2]), SKP_NONE,
                          SKP_NONE};
  const skp_value without[] = {in[0], in[1], SKP_NONE, SKP_NONE, SKP_NONE};
  skp_value scaled, plain;
  for (int e = 0; e < 6; e++) floats(&t, in[0])[e] = (float)e * 0.5f;
  *floats(&t, in[2]) = -4;
  ck_ok(tape_run(&t, &sig, in, NULL, &scaled));
  ck_ok(tape_run(&t, &sig, without, NULL, &plain));
  for (int e = 0; e < 6; e++) ck_assert_double_eq(floats(&t, scaled)[e], -4 * floats(&t, plain)[e]);
  skp__sig_free(&sig);
  tape_free(&t);
}
END_TEST

/* Each op that has parameters or lies between them has a gradient; those at the end of a step have none. */
START_TEST(who_has_a_gradient) {
  static const char *const none[] = {"batchnorm_fold", "resize_bilinear", "sgd",       "adam",       "adamw",
                                     "lion",           "clip_norm",       "axpby",     "to_float32", "to_bfloat16",
                                     "all_finite",     "commit",          "normalise", "sum_parts"};
  const struct skp_op *op = skp__op((skp_op_id)_i);
  bool expected = !strstr(op->name, "_dx") && !strstr(op->name, "_dw") && !strstr(op->name, "_db"), tested = false;
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) expected = expected && strcmp(op->name, none[i]) != 0;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) tested = tested || !strcmp(cases[i].op, op->name);
  ck_assert_msg(expected == (op->gradient != NULL), "%s", op->name);
  ck_assert_msg(expected == tested, "%s", op->name);
}
END_TEST

int main(void) {
  const int n = sizeof cases / sizeof *cases;
  Suite *suite = suite_create("gradients of ops");
  TCase *tc = tcase_create("gradients");
  tcase_set_timeout(tc, 60);
  tcase_add_loop_test(tc, matches_differences, 0, n);
  tcase_add_loop_test(tc, alone_as_among_all, 0, n);
  tcase_add_test(tc, loss_gradient_scales);
  tcase_add_loop_test(tc, who_has_a_gradient, 0, SKP_OP_COUNT);
  suite_add_tcase(suite, tc);
  return skp__test_main(suite);
}
