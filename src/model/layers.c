/* layers.c: the layers of one tensor. SPDX-License-Identifier: MIT
 *
 * A row is a layer: its op, the options that it takes, and what parameters it adds. One function serves all
 * (layer.c). */
#include "model/nn.h"
#include <math.h>
#include <string.h>

/* ---- parameters -------------------------------------------------------------------------------------------------- */

/* weight {R,S,C,K} and, unless bias = false, bias {K}: both even in ±1/sqrt(inputs). With bound, std or values the
 * weights begin as these say and the bias with zeros, or even in ±bias_bound. */
static void add_weight(struct skp__layer_call *c, int64_t R, int64_t S, int64_t C, int file_rank) {
  const double bound = skp__layer_option(c, "bound"), std = skp__layer_option(c, "std"),
               usual = 1 / sqrt((double)(R * S * C));
  const bool values = skp__layer_option(c, "values") > 0, said = bound > 0 || std > 0 || values;
  if ((bound > 0) + (std > 0) + values > 1)
    skp__lua_fail(c->L, SKP_MODEL, "nn.%s: weights begin with one of bound, std and values.", c->layer->name);
  struct skp_tensor *weight = skp__layer_param(c, 1, "weight", SKP_ROLE_PARAM, skp__shape4(R, S, C, c->K), file_rank);
  weight->bound = said ? bound : usual;
  weight->std = (float)std;
  if (values) skp__layer_values(c, "values", weight);
  if (skp__layer_option(c, "bias") == 0) return;
  skp__layer_param(c, 2, "bias", SKP_ROLE_PARAM, skp__shape1(c->K), 1)->bound =
      said ? skp__layer_option(c, "bias_bound") : usual;
}

static void conv2d_params(struct skp__layer_call *c) {
  const struct skp_shape *x = skp__nn_shape(c->L, c->x);
  int64_t C = x->dim[x->rank - 1], kernel = (int64_t)skp__layer_option(c, "kernel"),
          groups = (int64_t)skp__layer_option(c, "groups");
  if (C % groups || c->K % groups)
    skp__lua_fail(c->L, SKP_SHAPE, "nn.conv2d: %lld channels to %lld are not divisible into %lld groups.", (long long)C,
                  (long long)c->K, (long long)groups);
  add_weight(c, kernel, kernel, C / groups, 4);
}

static void linear_params(struct skp__layer_call *c) {
  const struct skp_shape *x = skp__nn_shape(c->L, c->x);
  char text[512];
  if (x->rank != 2)
    skp__lua_fail(c->L, SKP_SHAPE, "nn.linear wants rows of numbers: write nn.flatten(x) first. x is %s.",
                  skp__nn_text(text, sizeof text, skp__nn_graph(c->L), c->x->v));
  const int64_t rows[3] = {1, 1, x->dim[1]}, *map = skp__nn_graph(c->L)->tensors.at[c->x->v].map;
  if (!map[0]) map = rows;
  add_weight(c, map[0], map[1], map[2], 2);
}

/* A linear layer for each pixel: files have its weights as those of one. */
static void pointwise_params(struct skp__layer_call *c) {
  const struct skp_shape *x = skp__nn_shape(c->L, c->x);
  add_weight(c, 1, 1, x->dim[x->rank - 1], 2);
}

static struct skp_shape each_channel(const struct skp__layer_call *c) {
  const struct skp_shape *x = skp__nn_shape(c->L, c->x);
  return skp__shape1(x->dim[x->rank - 1]);
}

static void layernorm_params(struct skp__layer_call *c) {
  skp__layer_param(c, 1, "weight", SKP_ROLE_PARAM, each_channel(c), 1)->fill = 1;
  skp__layer_param(c, 2, "bias", SKP_ROLE_PARAM, each_channel(c), 1);
}

static void scale_params(struct skp__layer_call *c) {
  skp__layer_param(c, 1, "", SKP_ROLE_PARAM, each_channel(c), 3)->fill = (float)skp__layer_option(c, "value");
}

static void batchnorm_params(struct skp__layer_call *c) {
  struct skp_shape each = each_channel(c);
  skp__layer_param(c, 1, "weight", SKP_ROLE_PARAM, each, 1)->fill = (float)skp__layer_option(c, "gamma");
  skp__layer_param(c, 2, "bias", SKP_ROLE_PARAM, each, 1);
  skp__layer_param(c, 4, "running_mean", SKP_ROLE_STATE, each, 1);
  skp__layer_param(c, 5, "running_var", SKP_ROLE_STATE, each, 1)->fill = 1;
}

/* Each dropout layer has its own random numbers, by its place among them; all read the one number of the step. */
static void dropout_key(struct skp__layer_call *c) {
  struct skp_graph *g = skp__nn_graph(c->L);
  struct skp_shape halves = skp__shape1(2);
  halves.dtype = SKP_I32;
  if (g->key == SKP_NONE) skp__lua_check(c->L, skp__graph_add_port(g, SKP_PORT_KEY, halves));
  for (size_t i = 0; i < g->nodes.n; i++) c->attrs.dropout.stream += g->nodes.at[i].op == &skp__op_dropout;
  c->in[1] = g->key;
}

static void stochastic_depth(struct skp__layer_call *c) {
  dropout_key(c);
  c->attrs.dropout.images = 1;
}

/* An activation is called as its kind. */
static void activation_kind(struct skp__layer_call *c) {
  const char *const *called = skp__op_activation.attrs->choices;
  while (strcmp(called[c->attrs.activation.kind], c->layer->name) != 0) c->attrs.activation.kind++;
}

static void adaptive_size(struct skp__layer_call *c) { c->attrs.adaptive.size = (int)c->K; }

/* ---- the rows ---------------------------------------------------------------------------------------------------- */

/* What add_weight reads. */
#define WEIGHT                                                                                                         \
  {"bias", SKP_OPTION_FLAG, NULL, 1, 0}, {"bound", SKP_OPTION_NUMBER, NULL, 0, 0},                                     \
      {"bias_bound", SKP_OPTION_NUMBER, NULL, 0, 0}, {"std", SKP_OPTION_NUMBER, NULL, 0, 0}, {                         \
    "values", SKP_OPTION_LIST, NULL, 0, 1                                                                              \
  }

/* Of a pool. */
#define WINDOW                                                                                                         \
  {"kernel", SKP_OPTION_WHOLE, "kernel", NAN, 1}, {"stride", SKP_OPTION_WHOLE, "stride", SKP_AS_KERNEL, 1}, {          \
    "padding", SKP_OPTION_WHOLE, "pad", 0, 0                                                                           \
  }

const struct skp__layer skp__layers[] = {
    {"conv2d",
     &skp__op_conv2d,
     "the number of output channels",
     {{"kernel", SKP_OPTION_WHOLE, NULL, NAN, 1},
      {"stride", SKP_OPTION_WHOLE, "stride", 1, 1},
      {"padding", SKP_OPTION_WHOLE, "pad", 0, 0},
      {"dilation", SKP_OPTION_WHOLE, "dilation", 1, 1},
      {"groups", SKP_OPTION_WHOLE, "groups", 1, 1},
      WEIGHT},
     conv2d_params},
    {"batchnorm2d",
     &skp__op_batchnorm,
     NULL,
     {{"eps", SKP_OPTION_NUMBER, "eps", 1e-5, 0},
      {"momentum", SKP_OPTION_NUMBER, "momentum", 0.1, 0},
      {"gamma", SKP_OPTION_NUMBER, NULL, 1, 0}},
     batchnorm_params},
    {"relu", &skp__op_relu, NULL, {{0}}, NULL},
    {"sigmoid", &skp__op_activation, NULL, {{0}}, activation_kind},
    {"silu", &skp__op_activation, NULL, {{0}}, activation_kind},
    {"relu6", &skp__op_activation, NULL, {{0}}, activation_kind},
    {"hardsigmoid", &skp__op_activation, NULL, {{0}}, activation_kind},
    {"hardswish", &skp__op_activation, NULL, {{0}}, activation_kind},
    {"gelu", &skp__op_activation, NULL, {{0}}, activation_kind},
    {"tanh", &skp__op_activation, NULL, {{0}}, activation_kind},
    {"layernorm", &skp__op_layernorm, NULL, {{"eps", SKP_OPTION_NUMBER, "eps", 1e-5, 0}}, layernorm_params},
    {"channel_scale", &skp__op_mul, NULL, {{"value", SKP_OPTION_NUMBER, NULL, 1, 0}}, scale_params},
    {"stochastic_depth", &skp__op_dropout, NULL, {{"p", SKP_OPTION_NUMBER, "p", NAN, 0}}, stochastic_depth},
    {"upsample_nearest", &skp__op_upsample_nearest, NULL, {{"scale", SKP_OPTION_WHOLE, "scale", 2, 1}}, NULL},
    {"dropout", &skp__op_dropout, NULL, {{"p", SKP_OPTION_NUMBER, "p", 0.5, 0}}, dropout_key},
    {"maxpool2d", &skp__op_maxpool2d, NULL, {WINDOW, {"ceil_mode", SKP_OPTION_FLAG, "ceil", 0, 0}}, NULL},
    {"avgpool2d",
     &skp__op_avgpool2d,
     NULL,
     {WINDOW, {"count_include_pad", SKP_OPTION_FLAG, "count_include_pad", 1, 0}},
     NULL},
    {"adaptive_avgpool2d", &skp__op_adaptive_avgpool2d, "the side of the result", {{0}}, adaptive_size},
    {"global_avgpool", &skp__op_global_avgpool, NULL, {{0}}, NULL},
    {"flatten", &skp__op_flatten, NULL, {{0}}, NULL},
    {"pointwise", &skp__op_conv2d, "the number of outputs", {WEIGHT}, pointwise_params},
    {"linear", &skp__op_linear, "the number of outputs", {WEIGHT}, linear_params},
    {NULL, NULL, NULL, {{0}}, NULL},
};
