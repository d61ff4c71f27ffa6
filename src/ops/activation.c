/* activation.c: y = f(x), value by value, for the functions that networks put behind their layers, and its gradient;
 * relu, which other ops take in, is one of its own. SPDX-License-Identifier: MIT
 *
 *   sigmoid      1 / (1 + exp(-x))              hardsigmoid  clamp(x + 3, 0, 6) / 6
 *   silu         x · sigmoid(x)                 hardswish    x · hardsigmoid(x)
 *   relu6        clamp(x, 0, 6)                 gelu         x · Phi(x) = x/2 · (1 + erf(x / sqrt 2))
 *   tanh         1 - 2 / (exp(2 x) + 1)
 *
 *   dx = dy · f'(x); at a corner the slope is PyTorch's. */
#include "ops/check.h"
#include <math.h>

static const char *const kinds[] = {"sigmoid", "silu", "relu6", "hardsigmoid", "hardswish", "gelu", "tanh", NULL};

static const struct skp_attr attrs[] = {
    {"kind", SKP_ATTR_CHOICE, offsetof(struct skp_activation_attrs, kind), SKP_SIGMOID, kinds},
    {0},
};

/* ---- the functions and their slopes ------------------------------------------------------------------------------ */

static double clamp(double x, double low, double high) { return x < low ? low : x > high ? high : x; } /* NaN passes */

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double silu(double x) { return x * sigmoid(x); }
static double relu6(double x) { return clamp(x, 0, 6); }
static double hardsigmoid(double x) { return clamp(x + 3, 0, 6) / 6; }
static double hardswish(double x) { return x * hardsigmoid(x); }
static double phi(double x) { return 0.5 * erfc(-x * M_SQRT1_2); }
static double gelu(double x) { return x * phi(x); }

static double sigmoid_slope(double x) { return sigmoid(x) * sigmoid(-x); }
static double silu_slope(double x) { return sigmoid(x) + silu(x) * sigmoid(-x); }
static double relu6_slope(double x) { return x > 0 && x < 6; }
static double hardsigmoid_slope(double x) { return x > -3 && x < 3 ? 1.0 / 6 : 0; }
static double hardswish_slope(double x) { return x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5; }
static double gelu_slope(double x) { return phi(x) + x * exp(-x * x / 2) * M_SQRT1_2 * 0.5 * M_2_SQRTPI; }
static double tanh_slope(double x) { return 4 * sigmoid(2 * x) * sigmoid(-2 * x); } /* 1 - tanh², exact where small */

static const struct {
  double (*f)(double x), (*slope)(double x);
} functions[] = {
    [SKP_SIGMOID] = {sigmoid, sigmoid_slope},
    [SKP_SILU] = {silu, silu_slope},
    [SKP_RELU6] = {relu6, relu6_slope},
    [SKP_HARDSIGMOID] = {hardsigmoid, hardsigmoid_slope},
    [SKP_HARDSWISH] = {hardswish, hardswish_slope},
    [SKP_GELU] = {gelu, gelu_slope},
    [SKP_TANH] = {tanh, tanh_slope},
};

/* ---- the op ------------------------------------------------------------------------------------------------------ */

static skp_status infer(struct skp_sig *sig) {
  SKP_TRY(skp__check_rank(sig, 0, sig->in[0].rank));
  sig->out[0] = sig->in[0];
  return SKP_OK;
}

static skp_status infer_dx(struct skp_sig *sig) {
  SKP_TRY(skp__check_shape(sig, 1, sig->in[0], "the shape of dy"));
  return infer(sig);
}

static skp_status gradient(struct skp_grad *g) {
  const skp_value in[] = {g->dout[0], g->in[0]};
  return g->emit(g, SKP_OP_activation_dx, &g->sig->attrs, in, NULL, &g->din[0]);
}

/* About as many as an exponential and a division are. */
static double flops(const struct skp_sig *sig) { return 8 * (double)skp__shape_count(&sig->out[0]); }

static void reference(const struct skp_call *call) {
  const int kind = call->sig->attrs.activation.kind;
  const float *x = call->in[0];
  float *y = call->out[0];
  for (int64_t i = 0; i < skp__shape_count(&call->sig->in[0]); i++) y[i] = (float)functions[kind].f((double)x[i]);
}

static void reference_dx(const struct skp_call *call) {
  const int kind = call->sig->attrs.activation.kind;
  const float *dy = call->in[0], *x = call->in[1];
  float *dx = call->out[0];
  for (int64_t i = 0; i < skp__shape_count(&call->sig->in[0]); i++)
    dx[i] = (float)((double)dy[i] * functions[kind].slope((double)x[i]));
}

const struct skp_op skp__op_activation = {
    .name = "activation",
    .n_in = 1,
    .n_out = 1,
    .in = {{"x"}},
    .out = {{"y"}},
    .attrs = attrs,
    .order = SKP_ORDER_SAME,
    .infer = infer,
    .gradient = gradient,
    .flops = flops,
    .reference = reference,
};

const struct skp_op skp__op_activation_dx = {
    .name = "activation_dx",
    .n_in = 2,
    .n_out = 1,
    .in = {{"dy"}, {"x"}},
    .out = {{"dx"}},
    .attrs = attrs,
    .infer = infer_dx,
    .flops = flops,
    .reference = reference_dx,
};
