/* onnx_layers.c: ONNX's operators as layers of model files. SPDX-License-Identifier: MIT
 *
 * One table has a function for each operator. What a network in Skipper cannot have (windows that are not square,
 * uneven padding, …) is refused with the node's name, never read as something near. */
#include "io/onnx_network.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct skp__onnx_network network;
typedef struct skp__onnx_value value;

/* ---- layers with weights ----------------------------------------------------------------------------------------- */

static skp_status put_outputs(network *w, int64_t n) {
  w->last_at = ftell(w->to);
  fprintf(w->to, "%lld", (long long)n);
  w->last_end = ftell(w->to);
  w->last_outputs = n;
  return SKP_OK;
}

/* The weights' shape, checked: `rank` extents from 1 on. */
static skp_status read_shape(const network *w, size_t input, int rank, int64_t dim[4]) {
  const Skp__TensorProto *t = skp__onnx_input_constant(w, input);
  if (!t) return skp__onnx_refuse(w, "its weights are no constant");
  if (t->n_dims != (size_t)rank || skp__onnx_count(t) < 1)
    return skp__onnx_refuse(w, "its weights have %zu axes, not %d", t->n_dims, rank);
  memcpy(dim, t->dims, (size_t)rank * sizeof *dim);
  return SKP_OK;
}

static skp_status conv(network *w) {
  value *x;
  struct skp__onnx_window o;
  int64_t dim[4];
  char name[160];
  const int64_t groups = skp__onnx_int(w, "group", 1);
  SKP_TRY(skp__onnx_input_map(w, 0, &x));
  SKP_TRY(read_shape(w, 1, 4, dim));
  SKP_TRY(skp__onnx_read_window(w, &o, dim[2]));
  if (o.behind[0] != o.pad || o.behind[1] != o.pad) return skp__onnx_refuse(w, "its padding is uneven");
  if (dim[2] != o.kernel || dim[3] != o.kernel || groups < 1 || dim[1] > x->C || dim[1] * groups != x->C)
    return skp__onnx_refuse(w, "its weights are %lld×%lld×%lld×%lld for %lld channels in %lld groups",
                            (long long)dim[0], (long long)dim[1], (long long)dim[2], (long long)dim[3], (long long)x->C,
                            (long long)groups);
  SKP_TRY(skp__onnx_choose_name(w, 1, name, sizeof name));
  SKP_TRY(skp__onnx_take(w, name, &(struct skp__onnx_take){1, "weight", 4, {dim[0], dim[1], dim[2], dim[3]}, false}));
  const bool bias = skp__onnx_input_given(w, 2);
  if (bias) SKP_TRY(skp__onnx_take(w, name, &(struct skp__onnx_take){2, "bias", 1, {dim[0]}, false}));
  const int lua = skp__onnx_line(w);
  fprintf(w->to, "conv2d(v[%d], ", x->lua);
  SKP_TRY(put_outputs(w, dim[0]));
  fprintf(w->to, ", {kernel = %lld, stride = %lld, padding = %lld, dilation = %lld, groups = %lld, bias = %s, ",
          (long long)o.kernel, (long long)o.stride, (long long)o.pad, (long long)o.dilation, (long long)groups,
          bias ? "true" : "false");
  fprintf(w->to, "name = \"%s\"})\n", name);
  value y =
      skp__onnx_map(x, lua, x->C, skp__onnx_extent(&o, x->H, o.pad, false), skp__onnx_extent(&o, x->W, o.pad, false));
  y.C = dim[0];
  return skp__onnx_make(w, &y);
}

/* y = x · weights + bias: of rows, or of each pixel where the channels come last. bias 0: it has none. */
static skp_status put_linear(network *w, size_t weights, size_t bias, bool turned) {
  value *x;
  int64_t dim[4];
  char name[160];
  SKP_TRY(skp__onnx_input_plain(w, 0, &x));
  SKP_TRY(read_shape(w, weights, 2, dim));
  const int64_t K = dim[turned ? 1 : 0], F = dim[turned ? 0 : 1];
  if ((x->map && !x->last) || x->C != F)
    return skp__onnx_refuse(w, "it takes rows of %lld numbers, but here are %lld", (long long)F, (long long)x->C);
  SKP_TRY(skp__onnx_choose_name(w, weights, name, sizeof name));
  SKP_TRY(skp__onnx_take(w, name, &(struct skp__onnx_take){weights, "weight", 2, {K, F}, turned}));
  if (bias) SKP_TRY(skp__onnx_take(w, name, &(struct skp__onnx_take){bias, "bias", 1, {K}, false}));
  const value from = *x;
  const int lua = skp__onnx_line(w);
  fprintf(w->to, "%s(v[%d], ", from.map ? "pointwise" : "linear", from.lua);
  SKP_TRY(put_outputs(w, K));
  fprintf(w->to, ", {bias = %s, name = \"%s\"})\n", bias ? "true" : "false", name);
  value y = from;
  y.lua = lua;
  y.C = K;
  return skp__onnx_make(w, &y);
}

static skp_status gemm(network *w) {
  if (skp__onnx_int(w, "transA", 0) || fabs(skp__onnx_float(w, "alpha", 1) - 1) > 0 ||
      fabs(skp__onnx_float(w, "beta", 1) - 1) > 0)
    return skp__onnx_refuse(w, "it is no linear layer: transA, alpha or beta are not the usual ones");
  return put_linear(w, 1, skp__onnx_input_given(w, 2) ? 2 : 0, !skp__onnx_int(w, "transB", 0));
}

/* The node that adds a constant to what this one makes, which nobody else reads; NULL: none. */
static const Skp__NodeProto *find_bias(const network *w, size_t *constant) {
  const Skp__GraphProto *g = w->file->model->graph;
  const char *made = w->node->output[0];
  const Skp__NodeProto *found = NULL;
  int readers = 0;
  for (size_t i = 0; i < g->n_node; i++)
    for (size_t k = 0; k < g->node[i]->n_input; k++)
      if (!strcmp(g->node[i]->input[k], made)) {
        readers++;
        found = g->node[i];
        *constant = 1 - k;
      }
  const bool adds = readers == 1 && found->op_type && !strcmp(found->op_type, "Add") && found->n_input == 2 &&
                    skp__onnx_constant(w->file, found->input[*constant]);
  return adds ? found : NULL;
}

/* What a Transpose node turns that has a constant of two axes before it; NULL: the input is none. */
static char *find_turned(const network *w, size_t i) {
  const struct skp__onnx_name *row = skp__onnx_input_given(w, i) ? skp__onnx_find(w->file, w->node->input[i]) : NULL;
  const Skp__NodeProto *maker = row ? row->maker : NULL;
  const bool turns = maker && maker->op_type && !strcmp(maker->op_type, "Transpose") && maker->n_input == 1;
  const Skp__TensorProto *t = turns ? skp__onnx_constant(w->file, maker->input[0]) : NULL;
  return t && t->n_dims == 2 ? maker->input[0] : NULL;
}

/* A bias that is added behind is the layer's, and weights may be turned before: one node takes the place of all. */
static skp_status matmul(network *w) {
  size_t constant = 0;
  const Skp__NodeProto *own = w->node, *add = own->n_output ? find_bias(w, &constant) : NULL;
  if (own->n_input != 2) return skp__onnx_refuse(w, "it has %zu inputs, not 2", own->n_input);
  if (skp__onnx_is_half_pool(w)) return skp__onnx_half_pool(w);
  char *turned = find_turned(w, 1);
  char *in[] = {own->input[0], turned ? turned : own->input[1], add ? add->input[constant] : NULL};
  Skp__NodeProto all = *own;
  all.n_input = add ? 3 : 2;
  all.input = in;
  all.n_output = add ? add->n_output : own->n_output;
  all.output = add ? add->output : own->output;
  w->node = &all;
  skp_status status = put_linear(w, 1, add ? 2 : 0, !turned);
  w->node = own;
  return status;
}

static skp_status batchnorm(network *w) {
  static const char *const ends[] = {NULL, "weight", "bias", "running_mean", "running_var"};
  value *x;
  char name[160];
  SKP_TRY(skp__onnx_input_map(w, 0, &x));
  SKP_TRY(skp__onnx_choose_name(w, 1, name, sizeof name));
  for (size_t i = 1; i < sizeof ends / sizeof *ends; i++)
    SKP_TRY(skp__onnx_take(w, name, &(struct skp__onnx_take){i, ends[i], 1, {x->C}, false}));
  const value from = *x;
  const int lua = skp__onnx_line(w);
  fprintf(w->to, "batchnorm2d(v[%d], {eps = %.9g, momentum = %.6g, name = \"%s\"})\n", from.lua,
          skp__onnx_float(w, "epsilon", 1e-5), 1 - skp__onnx_float(w, "momentum", 0.9), name);
  const value y = skp__onnx_map(&from, lua, from.C, from.H, from.W);
  return skp__onnx_make(w, &y);
}

static skp_status layernorm(network *w) {
  value *x;
  char name[160];
  const int64_t axis = skp__onnx_int(w, "axis", -1);
  SKP_TRY(skp__onnx_input_plain(w, 0, &x));
  if ((x->map && !x->last) || (axis != -1 && axis != (x->map ? 3 : 1)) || !skp__onnx_input_given(w, 2))
    return skp__onnx_refuse(w, "only normalisation over channels, with a scale and a bias, is known");
  SKP_TRY(skp__onnx_choose_name(w, 1, name, sizeof name));
  SKP_TRY(skp__onnx_take(w, name, &(struct skp__onnx_take){1, "weight", 1, {x->C}, false}));
  SKP_TRY(skp__onnx_take(w, name, &(struct skp__onnx_take){2, "bias", 1, {x->C}, false}));
  value y = *x;
  const int from = x->lua;
  y.lua = skp__onnx_line(w);
  fprintf(w->to, "layernorm(v[%d], {eps = %.9g, name = \"%s\"})\n", from, skp__onnx_float(w, "epsilon", 1e-5), name);
  return skp__onnx_make(w, &y);
}

/* ---- value by value ---------------------------------------------------------------------------------------------- */

/* A layer without numbers, of one value. */
static skp_status put_simple(network *w, const char *layer) {
  value *x;
  SKP_TRY(skp__onnx_input_plain(w, 0, &x));
  value y = *x;
  const int from = x->lua;
  y.lua = skp__onnx_line(w);
  fprintf(w->to, "%s(v[%d])\n", layer, from);
  return skp__onnx_make(w, &y);
}

static skp_status relu(network *w) { return put_simple(w, "relu"); }
static skp_status hardswish(network *w) { return put_simple(w, "hardswish"); }
static skp_status tangent(network *w) { return put_simple(w, "tanh"); }

static skp_status gelu(network *w) {
  if (!skp__onnx_is(w, "approximate", "none", true)) return skp__onnx_refuse(w, "only the exact one is known");
  return put_simple(w, "gelu");
}

/* The limits are attributes before version 11, then inputs. */
static skp_status clip(network *w) {
  double least = skp__onnx_float(w, "min", -INFINITY), most = skp__onnx_float(w, "max", INFINITY);
  bool known = (!skp__onnx_input_given(w, 1) || skp__onnx_input_number(w, 1, &least)) &&
               (!skp__onnx_input_given(w, 2) || skp__onnx_input_number(w, 2, &most));
  known = known && fabs(least) <= 0;
  if (known && isinf(most)) return put_simple(w, "relu");
  if (known && fabs(most - 6) <= 0) return put_simple(w, "relu6");
  return skp__onnx_refuse(w, "only limits from 0 to 6 (relu6), or from 0 on, are known");
}

/* What waits for its other half. */
static skp_status put_half(network *w, skp__onnx_form form) {
  value *x;
  SKP_TRY(skp__onnx_input_plain(w, 0, &x));
  value y = *x;
  y.form = form;
  return skp__onnx_make(w, &y);
}

static skp_status sigmoid(network *w) { return put_half(w, SKP__FORM_SIGMOID); }

static skp_status hardsigmoid(network *w) {
  if (fabs(skp__onnx_float(w, "alpha", 0.2) - 1.0 / 6) > 1e-6 || fabs(skp__onnx_float(w, "beta", 0.5) - 0.5) > 0)
    return skp__onnx_refuse(w, "only alpha = 1/6, beta = 1/2 is known");
  return put_half(w, SKP__FORM_HARDSIGMOID);
}

static skp_status put_erf(network *w) {
  value *x;
  SKP_TRY(skp__onnx_input_value(w, 0, &x));
  if (x->form != SKP__FORM_PLAIN || fabs(x->factor - M_SQRT1_2) > 1e-6)
    return skp__onnx_refuse(w, "it is known as a part of GELU alone");
  value y = *x;
  y.form = SKP__FORM_ERF;
  y.factor = 1;
  return skp__onnx_make(w, &y);
}

static skp_status pass_on(network *w) {
  value *x;
  if (skp__onnx_input_constant(w, 0)) return SKP_OK;
  SKP_TRY(skp__onnx_input_value(w, 0, &x));
  return skp__onnx_make(w, x);
}

static skp_status softmax(network *w) {
  value *x, y;
  SKP_TRY(skp__onnx_input_plain(w, 0, &x));
  y = *x;
  y.softmax = true;
  return y.map ? skp__onnx_refuse(w, "of a map it is not known") : skp__onnx_make(w, &y);
}

static skp_status dropout(network *w) {
  double p = skp__onnx_float(w, "ratio", 0.5);
  value *x;
  if (skp__onnx_input_given(w, 1) && !skp__onnx_input_number(w, 1, &p))
    return skp__onnx_refuse(w, "its share is no constant");
  SKP_TRY(skp__onnx_input_plain(w, 0, &x));
  value y = *x;
  const int from = x->lua;
  y.lua = skp__onnx_line(w);
  fprintf(w->to, "dropout(v[%d], {p = %.6g})\n", from, p);
  return skp__onnx_make(w, &y);
}

/* ---- arithmetic -------------------------------------------------------------------------------------------------- */

/* Numbers for the channels of the images: one, or one a channel. */
static skp_status read_channels(const network *w, size_t input, double out[4]) {
  const Skp__TensorProto *t = skp__onnx_input_constant(w, input);
  float *at;
  int64_t n;
  SKP_TRY(skp__onnx_read_floats(w->file, t, &at, &n));
  const bool sound = n == 1 || (n == w->channels && n <= 4);
  for (int c = 0; c < 4 && sound; c++) out[c] = (double)at[n == 1 ? 0 : c < n ? c : n - 1];
  free(at);
  return sound ? SKP_OK
               : skp__onnx_refuse(w, "of the images there are numbers for other channels than %lld",
                                  (long long)w->channels);
}

/* Pixels · a + b: what comes before the first layer is their normalisation. */
static skp_status shift_pixels(network *w, size_t constant, const value *x) {
  double c[4];
  const char *op = w->node->op_type;
  SKP_TRY(skp__onnx_check_pixels(w, x));
  if (w->begun) return skp__onnx_refuse(w, "images are normalised here after a layer has read them");
  SKP_TRY(read_channels(w, constant, c));
  if (constant == 0 && (*op == 'S' || *op == 'D')) return skp__onnx_refuse(w, "the images are what is taken off");
  for (int i = 0; i < 4; i++) {
    const double factor = *op == 'M' ? c[i] : *op == 'D' ? 1 / c[i] : 1;
    w->scale[i] *= factor;
    w->shift[i] = w->shift[i] * factor + (*op == 'A' ? c[i] : *op == 'S' ? -c[i] : 0);
  }
  value y = *x;
  y.lua = ++w->shifts;
  return skp__onnx_make(w, &y);
}

/* x · k, x / k; erf + 1. */
static skp_status with_number(network *w, const value *x, double k) {
  const char op = *w->node->op_type;
  value y = *x;
  if (op == 'M' || op == 'D') {
    y.factor *= op == 'M' ? k : 1 / k;
    return skp__onnx_make(w, &y);
  }
  if (op != 'A' || x->form != SKP__FORM_ERF || fabs(k - 1) > 0 || fabs(x->factor - 1) > 0)
    return skp__onnx_refuse(w, "adding a number is known of GELU and of images alone");
  y.form = SKP__FORM_PHI;
  return skp__onnx_make(w, &y);
}

/* A factor for each channel: a parameter. */
static skp_status scale_channels(network *w, size_t in, size_t constant) {
  value *x;
  char name[160];
  SKP_TRY(skp__onnx_input_plain(w, in, &x));
  const int64_t C = x->C;
  const Skp__TensorProto *t = skp__onnx_input_constant(w, constant);
  const size_t axis = x->last ? t->n_dims - 1 : t->n_dims - 3;
  if (!x->map || (x->last ? t->n_dims < 1 : t->n_dims < 3) || t->n_dims > 4 || t->dims[axis] != C ||
      *w->node->op_type != 'M')
    return skp__onnx_refuse(w, "of constants it takes a number, or one for each channel of a map to multiply with");
  value y = *x;
  const int from = x->lua;
  SKP_TRY(skp__onnx_choose_name(w, constant, name, sizeof name));
  SKP_TRY(skp__onnx_take(w, name, &(struct skp__onnx_take){constant, "", 3, {C, 1, 1}, false}));
  y.lua = skp__onnx_line(w);
  fprintf(w->to, "channel_scale(v[%d], {name = \"%s\"})\n", from, name);
  return skp__onnx_make(w, &y);
}

static bool same_source(const value *a, const value *b) { return a->lua == b->lua && b->form == SKP__FORM_PLAIN; }

/* x · sigmoid(x) and its like are one layer. */
static bool completes(value *y, const value *gate, const value *x) {
  if (!same_source(gate, x) || gate->form == SKP__FORM_PLAIN) return false;
  *y = *gate;
  y->form = gate->form == SKP__FORM_PHI ? SKP__FORM_GELU : SKP__FORM_PLAIN;
  y->factor = gate->form == SKP__FORM_PHI ? 2 * gate->factor * x->factor : gate->factor * x->factor;
  return gate->form == SKP__FORM_PHI || ((gate->form == SKP__FORM_SIGMOID || gate->form == SKP__FORM_HARDSIGMOID) &&
                                         fabs(gate->factor - 1) <= 0 && fabs(x->factor - 1) <= 0);
}

static skp_status put_gate(network *w, const value *gate, value *y) {
  if (y->form == SKP__FORM_GELU) return skp__onnx_make(w, y);
  const int lua = skp__onnx_line(w);
  fprintf(w->to, "%s(v[%d])\n", gate->form == SKP__FORM_SIGMOID ? "silu" : "hardswish", gate->lua);
  y->lua = lua;
  return skp__onnx_make(w, y);
}

static bool spread(const value *a, const value *b) { /* whether b is a factor for each channel of a */
  return a->map && b->map && a->C == b->C && b->H == 1 && b->W == 1;
}

static skp_status put_two(network *w, const char *layer) {
  value *a, *b;
  SKP_TRY(skp__onnx_input_plain(w, 0, &a));
  SKP_TRY(skp__onnx_input_plain(w, 1, &b));
  const bool same = a->map == b->map && a->C == b->C && a->H == b->H && a->W == b->W;
  const bool multiplies = *layer == 'm';
  if (a->last != b->last || !(same || (multiplies && (spread(a, b) || spread(b, a)))))
    return skp__onnx_refuse(w, "it takes values of the same shape, or factors N×C×1×1");
  value y = spread(b, a) ? *b : *a;
  const int from[] = {a->lua, b->lua};
  y.lua = skp__onnx_line(w);
  fprintf(w->to, "%s(v[%d], v[%d])\n", layer, from[0], from[1]);
  return skp__onnx_make(w, &y);
}

/* Of a value and a constant. */
static skp_status with_constant(network *w, size_t in, size_t constant) {
  value *x;
  double k;
  SKP_TRY(skp__onnx_input_value(w, in, &x));
  if (x->form == SKP__FORM_PIXELS) return shift_pixels(w, constant, x);
  if (x->form == SKP__FORM_EXTENT) return skp__onnx_make(w, x);
  const bool number = skp__onnx_input_number(w, constant, &k) && (in == 0 || *w->node->op_type != 'D');
  return number ? with_number(w, x, k) : scale_channels(w, in, constant);
}

static skp_status arithmetic(network *w) {
  const char *op = w->node->op_type;
  value *a, *b, y;
  for (size_t i = 0; i < 2; i++)
    if (skp__onnx_input_constant(w, i)) return with_constant(w, 1 - i, i);
  SKP_TRY(skp__onnx_input_value(w, 0, &a));
  SKP_TRY(skp__onnx_input_value(w, 1, &b));
  if (*op == 'M' && completes(&y, a, b)) return put_gate(w, a, &y);
  if (*op == 'M' && completes(&y, b, a)) return put_gate(w, b, &y);
  if (*op != 'A' && *op != 'M') return skp__onnx_refuse(w, "of two values only sums and products are known");
  return put_two(w, *op == 'A' ? "add" : "mul");
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

const struct skp__onnx_row skp__onnx_layers[] = {
    {"Conv", conv},
    {"Gemm", gemm},
    {"MatMul", matmul},
    {"BatchNormalization", batchnorm},
    {"LayerNormalization", layernorm},
    {"Relu", relu},
    {"HardSwish", hardswish},
    {"Tanh", tangent},
    {"Gelu", gelu},
    {"Clip", clip},
    {"Sigmoid", sigmoid},
    {"HardSigmoid", hardsigmoid},
    {"Erf", put_erf},
    {"Identity", pass_on},
    {"Cast", pass_on},
    {"Softmax", softmax},
    {"LogSoftmax", softmax},
    {"Dropout", dropout},
    {"Add", arithmetic},
    {"Sub", arithmetic},
    {"Mul", arithmetic},
    {"Div", arithmetic},
    {NULL, NULL},
};
