/* nodes.c: the nodes of ONNX that a network's ops become. SPDX-License-Identifier: MIT
 *
 * One table has a function for each op that a network in evaluation may have. Most become one node of the same
 * meaning; what ONNX has not (in that version) becomes several. */
#include "onnx/nodes.h"
#include "io/onnx_file.h"
#include <math.h>
#include <string.h>

/* ---- small helpers ----------------------------------------------------------------------------------------------- */

static const struct skp_tensor *tensor(const struct skp__onnx_job *j, skp_value v) { return &j->e->g->tensors.at[v]; }
static const struct skp_shape *input(const struct skp__onnx_job *j) { return &tensor(j, j->node->in[0])->shape; }
static const char *name_of(const struct skp__onnx_job *j, int in) { return j->e->name[j->node->in[in]]; }
static bool given(const struct skp__onnx_job *j, int in) { return j->node->in[in] != SKP_NONE; }

const char *skp__onnx_result(const struct skp__onnx_job *j) {
  return j->node->out[0] == j->e->last ? "logits" : skp__onnx_text(&j->e->w, "%s_output", j->name);
}

/* The name of another value of its own. */
static const char *another(struct skp__onnx_job *j, const char *what) {
  return skp__onnx_text(&j->e->w, "%s_%s_%d", j->name, what, j->parts++);
}

/* Adds a node whose last value is the job's result, or one between. */
static Skp__NodeProto *add(struct skp__onnx_job *j, const char *type, const char *a, const char *b, const char *c,
                           const char *out) {
  return skp__onnx_node(&j->e->w, another(j, type), type, (const char *[]){a, b, c}, out);
}
static const char *between(struct skp__onnx_job *j, const char *type, const char *a, const char *b, const char *c) {
  const char *out = another(j, "value");
  add(j, type, a, b, c, out);
  return out;
}
static const char *number(struct skp__onnx_job *j, double x) {
  return skp__onnx_number(&j->e->w, another(j, "number"), (float)x);
}
static const char *whole_numbers(struct skp__onnx_job *j, const int64_t *at, int64_t n) {
  return skp__onnx_ints(&j->e->w, another(j, "numbers"), at, n);
}
static const char *floats(struct skp__onnx_job *j, const char *what, const float *data, int64_t rows, int64_t columns) {
  return skp__onnx_floats(&j->e->w, another(j, what), data, (const int64_t[]){rows, columns}, columns ? 2 : 1);
}
static void set_pair(struct skp__onnx_job *j, Skp__NodeProto *node, const char *name, int64_t x) {
  skp__onnx_set_ints(&j->e->w, node, name, (const int64_t[]){x, x}, 2);
}
static void set_pads(struct skp__onnx_job *j, Skp__NodeProto *node, int64_t before, int64_t below, int64_t right) {
  skp__onnx_set_ints(&j->e->w, node, "pads", (const int64_t[]){before, before, below, right}, 4);
}

/* ---- weights ----------------------------------------------------------------------------------------------------- */

/* The values of a weight as files have them, owned by the writer; NULL after a failure. */
static float *weight(const struct skp__onnx_job *j, int in) {
  const struct skp_tensor *t = tensor(j, j->node->in[in]);
  float *file = skp__onnx_own(&j->e->w, (size_t)skp__shape_count(&t->shape), sizeof *file);
  if (file) skp__param_to_file(file, (t->role == SKP_ROLE_PARAM ? j->e->params : j->e->state) + t->offset, t);
  return file;
}

/* Adds a weight under its own name; `rank` as the operator has it. */
static const char *add_weight(struct skp__onnx_job *j, int in, const float *data, int rank) {
  const struct skp_tensor *t = tensor(j, j->node->in[in]);
  const int64_t *d = t->shape.dim;
  int64_t dim[4];
  skp__param_file_shape(t, dim);
  if (rank == 4) memcpy(dim, (int64_t[]){d[3], d[2], d[0], d[1]}, sizeof dim);
  return skp__onnx_floats(&j->e->w, t->name, data, dim, rank);
}

/* Multiplies each output's weights by the batchnorm's factor; `bias` becomes what is added then. */
static void fold(const struct skp__onnx_job *j, const struct skp_node *batchnorm, float *w, int64_t each, float *bias,
                 int64_t K) {
  const struct skp__onnx_job norm = {.e = j->e, .node = batchnorm};
  const float *gamma = weight(&norm, 1), *beta = weight(&norm, 2), *mean = weight(&norm, 4), *var = weight(&norm, 5);
  if (j->e->w.status != SKP_OK) return;
  for (int64_t k = 0; k < K; k++) {
    const double scale = (double)gamma[k] / sqrt((double)var[k] + (double)batchnorm->attrs.batchnorm.eps);
    for (int64_t i = 0; i < each; i++) w[k * each + i] = (float)(w[k * each + i] * scale);
    bias[k] = (float)(((double)bias[k] - (double)mean[k]) * scale + (double)beta[k]);
  }
}

/* A layer with weights {outputs, …} and, perhaps, a bias; a batchnorm behind it is folded in. */
static Skp__NodeProto *add_layer(struct skp__onnx_job *j, const char *type, int rank) {
  const struct skp_node *batchnorm = j->e->folded[j->node->out[0]];
  const struct skp_shape *W = &tensor(j, j->node->in[1])->shape;
  const int64_t K = W->dim[3];
  float *w = weight(j, 1), *own = given(j, 2) ? weight(j, 2) : NULL;
  const char *bias = own ? add_weight(j, 2, own, 1) : NULL;
  if (batchnorm && !own) {
    own = skp__onnx_own(&j->e->w, (size_t)K, sizeof *own);
    bias = floats(j, "bias", own, K, 0);
  }
  if (batchnorm) fold(j, batchnorm, w, skp__shape_count(W) / K, own, K);
  return add(j, type, name_of(j, 0), add_weight(j, 1, w, rank), bias, skp__onnx_result(j));
}

static void conv2d(struct skp__onnx_job *j) {
  const struct skp_conv2d_attrs *a = &j->node->attrs.conv2d;
  const int64_t *w = tensor(j, j->node->in[1])->shape.dim;
  Skp__NodeProto *node = add_layer(j, "Conv", 4);
  skp__onnx_set_ints(&j->e->w, node, "kernel_shape", w, 2);
  set_pair(j, node, "strides", a->stride);
  set_pair(j, node, "dilations", a->dilation);
  set_pads(j, node, a->pad, a->pad, a->pad);
  skp__onnx_set_int(&j->e->w, node, "group", a->groups);
}

static void linear(struct skp__onnx_job *j) { skp__onnx_set_int(&j->e->w, add_layer(j, "Gemm", 2), "transB", 1); }

static void batchnorm(struct skp__onnx_job *j) {
  const char *in[] = {name_of(j, 0), NULL, NULL, NULL, NULL};
  static const int from[] = {0, 1, 2, 4, 5};
  for (int i = 1; i < 5; i++) in[i] = add_weight(j, from[i], weight(j, from[i]), 1);
  Skp__NodeProto *node = skp__onnx_join(&j->e->w, j->name, "BatchNormalization", in, 5, skp__onnx_result(j));
  skp__onnx_set_float(&j->e->w, node, "epsilon", (double)j->node->attrs.batchnorm.eps);
  skp__onnx_set_float(&j->e->w, node, "momentum", 1 - (double)j->node->attrs.batchnorm.momentum);
}

/* ---- normalisation over channels --------------------------------------------------------------------------------- */

/* The mean over the last axis, which is kept. */
static const char *mean_of(struct skp__onnx_job *j, const char *x) {
  const int64_t last = -1;
  const bool by_input = j->e->opset >= 18;
  const char *out = another(j, "mean");
  Skp__NodeProto *node = add(j, "ReduceMean", x, by_input ? whole_numbers(j, &last, 1) : NULL, NULL, out);
  if (!by_input) skp__onnx_set_ints(&j->e->w, node, "axes", &last, 1);
  return out;
}

/* Before version 17 ONNX has no layernorm: (x - mean) / sqrt(mean of the squares + eps) · gamma + beta. */
static void layernorm_in_parts(struct skp__onnx_job *j, const char *x, const char *gamma, const char *beta,
                               const char *out) {
  const double eps = (double)j->node->attrs.layernorm.eps;
  const char *centred = between(j, "Sub", x, mean_of(j, x), NULL);
  const char *variance = mean_of(j, between(j, "Mul", centred, centred, NULL));
  const char *deviation = between(j, "Sqrt", between(j, "Add", variance, number(j, eps), NULL), NULL, NULL);
  const char *scaled = between(j, "Mul", between(j, "Div", centred, deviation, NULL), gamma, NULL);
  add(j, "Add", scaled, beta, NULL, out);
}

static void layernorm_at_once(struct skp__onnx_job *j, const char *x, const char *gamma, const char *beta,
                              const char *out) {
  Skp__NodeProto *node = add(j, "LayerNormalization", x, gamma, beta, out);
  skp__onnx_set_int(&j->e->w, node, "axis", -1);
  skp__onnx_set_float(&j->e->w, node, "epsilon", (double)j->node->attrs.layernorm.eps);
}

static void turn(struct skp__onnx_job *j, const char *x, const int64_t order[4], const char *out) {
  skp__onnx_set_ints(&j->e->w, add(j, "Transpose", x, NULL, NULL, out), "perm", order, 4);
}

static void layernorm(struct skp__onnx_job *j) {
  static const int64_t to_last[] = {0, 2, 3, 1}, to_second[] = {0, 3, 1, 2};
  const char *gamma = add_weight(j, 1, weight(j, 1), 1), *beta = add_weight(j, 2, weight(j, 2), 1);
  void (*const put)(struct skp__onnx_job *, const char *, const char *, const char *, const char *) =
      j->e->opset >= 17 ? layernorm_at_once : layernorm_in_parts;
  if (input(j)->rank == 2) {
    put(j, name_of(j, 0), gamma, beta, skp__onnx_result(j));
    return;
  }
  const char *x = another(j, "turned"), *y = another(j, "value");
  turn(j, name_of(j, 0), to_last, x);
  put(j, x, gamma, beta, y);
  turn(j, y, to_second, skp__onnx_result(j));
}

/* ---- activations ------------------------------------------------------------------------------------------------- */

static void relu(struct skp__onnx_job *j) { add(j, "Relu", name_of(j, 0), NULL, NULL, skp__onnx_result(j)); }

static void sigmoid(struct skp__onnx_job *j, const char *x) { add(j, "Sigmoid", x, NULL, NULL, skp__onnx_result(j)); }
static void silu(struct skp__onnx_job *j, const char *x) {
  add(j, "Mul", x, between(j, "Sigmoid", x, NULL, NULL), NULL, skp__onnx_result(j));
}
static void relu6(struct skp__onnx_job *j, const char *x) {
  const char *least = number(j, 0), *most = number(j, 6);
  add(j, "Clip", x, least, most, skp__onnx_result(j));
}
static Skp__NodeProto *hard(struct skp__onnx_job *j, const char *x, const char *out) {
  Skp__NodeProto *node = add(j, "HardSigmoid", x, NULL, NULL, out);
  skp__onnx_set_float(&j->e->w, node, "alpha", 1.0 / 6);
  skp__onnx_set_float(&j->e->w, node, "beta", 0.5);
  return node;
}
static void hardsigmoid(struct skp__onnx_job *j, const char *x) { hard(j, x, skp__onnx_result(j)); }
static void hardswish(struct skp__onnx_job *j, const char *x) {
  const char *gate = another(j, "gate");
  hard(j, x, gate);
  add(j, "Mul", x, gate, NULL, skp__onnx_result(j));
}
static void gelu(struct skp__onnx_job *j, const char *x) {
  const char *erf = between(j, "Erf", between(j, "Mul", x, number(j, M_SQRT1_2), NULL), NULL, NULL);
  const char *half = between(j, "Mul", x, number(j, 0.5), NULL);
  add(j, "Mul", half, between(j, "Add", erf, number(j, 1), NULL), NULL, skp__onnx_result(j));
}

static void tangent(struct skp__onnx_job *j, const char *x) { add(j, "Tanh", x, NULL, NULL, skp__onnx_result(j)); }

static void activation(struct skp__onnx_job *j) {
  static void (*const kinds[])(struct skp__onnx_job *, const char *) = {
      [SKP_SIGMOID] = sigmoid, [SKP_SILU] = silu,           [SKP_RELU6] = relu6,  [SKP_HARDSIGMOID] = hardsigmoid,
      [SKP_GELU] = gelu,       [SKP_HARDSWISH] = hardswish, [SKP_TANH] = tangent,
  };
  kinds[j->node->attrs.activation.kind](j, name_of(j, 0));
}

/* ---- pools ------------------------------------------------------------------------------------------------------- */

static Skp__NodeProto *pool(struct skp__onnx_job *j, const char *type) {
  const struct skp_pool_attrs *a = &j->node->attrs.pool;
  Skp__NodeProto *node = add(j, type, name_of(j, 0), NULL, NULL, skp__onnx_result(j));
  set_pair(j, node, "kernel_shape", a->kernel);
  set_pair(j, node, "strides", a->stride);
  return node;
}

/* What must be added behind an axis so that the last window ends with it: ONNX has ceil_mode too, but runtimes read
 * it in different ways. */
static int64_t pad_behind(const struct skp_pool_attrs *a, int64_t in, int64_t out) {
  const int64_t end = (out - 1) * a->stride + a->kernel - a->pad - in;
  return end > a->pad ? end : a->pad;
}

static void maxpool2d(struct skp__onnx_job *j) {
  const struct skp_pool_attrs *a = &j->node->attrs.pool;
  const int64_t *x = input(j)->dim, *y = tensor(j, j->node->out[0])->shape.dim;
  set_pads(j, pool(j, "MaxPool"), a->pad, pad_behind(a, x[1], y[1]), pad_behind(a, x[2], y[2]));
}

static void avgpool2d(struct skp__onnx_job *j) {
  const struct skp_pool_attrs *a = &j->node->attrs.pool;
  Skp__NodeProto *node = pool(j, "AveragePool");
  set_pads(j, node, a->pad, a->pad, a->pad);
  skp__onnx_set_int(&j->e->w, node, "count_include_pad", a->count_include_pad);
}

static void global_avgpool(struct skp__onnx_job *j) {
  add(j, "Flatten", between(j, "GlobalAveragePool", name_of(j, 0), NULL, NULL), NULL, NULL, skp__onnx_result(j));
}

static float *windows(struct skp__onnx_job *j, int64_t extent, int64_t size) {
  float *at = skp__onnx_own(&j->e->w, (size_t)(extent * size), sizeof *at);
  if (at) skp__onnx_windows(at, size, extent);
  return at;
}

static float *transposed(struct skp__onnx_job *j, const float *from, int64_t rows, int64_t columns) {
  float *at = skp__onnx_own(&j->e->w, (size_t)(rows * columns), sizeof *at);
  for (int64_t i = 0; at && i < rows * columns; i++) at[i % columns * rows + i / columns] = from[i];
  return at;
}

/* Equal windows are a pool; others a product with a matrix of windows on each side. */
static void adaptive_avgpool2d(struct skp__onnx_job *j) {
  const int64_t size = j->node->attrs.adaptive.size, H = input(j)->dim[1], W = input(j)->dim[2];
  if (H % size || W % size) {
    const char *left = floats(j, "windows", windows(j, H, size), size, H);
    const char *right = floats(j, "windows", transposed(j, windows(j, W, size), size, W), W, size);
    add(j, "MatMul", between(j, "MatMul", left, name_of(j, 0), NULL), right, NULL, skp__onnx_result(j));
    return;
  }
  Skp__NodeProto *node = add(j, "AveragePool", name_of(j, 0), NULL, NULL, skp__onnx_result(j));
  skp__onnx_set_ints(&j->e->w, node, "kernel_shape", (const int64_t[]){H / size, W / size}, 2);
  skp__onnx_set_ints(&j->e->w, node, "strides", (const int64_t[]){H / size, W / size}, 2);
}

static void upsample_nearest(struct skp__onnx_job *j) {
  const float scale = (float)j->node->attrs.upsample.scale, scales[] = {1, 1, scale, scale};
  float *own = skp__onnx_own(&j->e->w, 4, sizeof *own);
  if (own) memcpy(own, scales, sizeof scales);
  Skp__NodeProto *node = add(j, "Resize", name_of(j, 0), NULL, floats(j, "scales", own, 4, 0), skp__onnx_result(j));
  skp__onnx_set_text(&j->e->w, node, "mode", "nearest");
  skp__onnx_set_text(&j->e->w, node, "coordinate_transformation_mode", "asymmetric");
  skp__onnx_set_text(&j->e->w, node, "nearest_mode", "floor");
}

/* ---- joining ----------------------------------------------------------------------------------------------------- */

static void sum(struct skp__onnx_job *j) { add(j, "Add", name_of(j, 0), name_of(j, 1), NULL, skp__onnx_result(j)); }

/* A factor for each channel is a parameter: {C, 1, 1} in files, as it has to be here. */
static void mul(struct skp__onnx_job *j) {
  const bool scales = skp__is_parameter(tensor(j, j->node->in[1]));
  const char *b = scales ? add_weight(j, 1, weight(j, 1), 3) : name_of(j, 1);
  add(j, "Mul", name_of(j, 0), b, NULL, skp__onnx_result(j));
}

static void concat(struct skp__onnx_job *j) {
  const size_t n = (size_t)j->node->n_in;
  const char **in = skp__onnx_own(&j->e->w, n, sizeof *in);
  for (size_t i = 0; in && i < n; i++) in[i] = name_of(j, (int)i);
  if (in)
    skp__onnx_set_int(&j->e->w, skp__onnx_join(&j->e->w, j->name, "Concat", in, n, skp__onnx_result(j)), "axis", 1);
}

static void flatten(struct skp__onnx_job *j) { add(j, "Flatten", name_of(j, 0), NULL, NULL, skp__onnx_result(j)); }

/* ---- pixels ------------------------------------------------------------------------------------------------------ */

/* Pixels / 255, minus the mean, by the deviation. */
const char *skp__onnx_pixels(struct skp__onnx_network *e) {
  float mean[4], std[4], *own = skp__onnx_own(&e->w, 2 * (size_t)e->m->recipe.channels, sizeof *own);
  struct skp__onnx_job j = {.e = e, .name = "preprocessing"};
  const int64_t C = e->m->recipe.channels, dim[] = {1, C, 1, 1};
  skp__recipe_norm(&e->m->recipe, mean, std);
  for (int64_t c = 0; own && c < C; c++) {
    own[c] = mean[c < 4 ? c : 3];
    own[C + c] = std[c < 4 ? c : 3];
  }
  const char *bytes = another(&j, "value");
  skp__onnx_set_int(&e->w, add(&j, "Cast", "input", NULL, NULL, bytes), "to", SKP__ONNX_FLOAT);
  const char *unit = between(&j, "Div", bytes, number(&j, 255), NULL);
  const char *centred = between(&j, "Sub", unit, skp__onnx_floats(&e->w, "mean", own, dim, 4), NULL);
  return between(&j, "Div", centred, skp__onnx_floats(&e->w, "std", own ? own + C : NULL, dim, 4), NULL);
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static const struct skp__onnx_form forms[] = {
    {&skp__op_conv2d, conv2d},
    {&skp__op_batchnorm, batchnorm},
    {&skp__op_layernorm, layernorm},
    {&skp__op_relu, relu},
    {&skp__op_add, sum},
    {&skp__op_activation, activation},
    {&skp__op_mul, mul},
    {&skp__op_concat, concat},
    {&skp__op_maxpool2d, maxpool2d},
    {&skp__op_avgpool2d, avgpool2d},
    {&skp__op_adaptive_avgpool2d, adaptive_avgpool2d},
    {&skp__op_global_avgpool, global_avgpool},
    {&skp__op_upsample_nearest, upsample_nearest},
    {&skp__op_linear, linear},
    {&skp__op_flatten, flatten},
    {&skp__op_transpose, NULL},
};

const struct skp__onnx_form *skp__onnx_form(const struct skp_op *op) {
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
    if (forms[i].op == op) return &forms[i];
  return NULL;
}
