/* case.c: building a case: values, nodes, gradients, and what is not known. SPDX-License-Identifier: MIT
 *
 * Tolerance where no golden value says how far float32 strays. A sum of n random terms grows like sqrt(n), its largest
 * result among many to about 4 sqrt(n) of a term; adding one after the other in float32 rounds n partial sums, which
 * come to about n / sqrt(2) · 2^-24 / sqrt(3), and 5 times that in the worst of many results. Relative to the largest
 * result that is 3e-8 · sqrt(n); 8 times that is allowed, as golden files allow 8 times
 * PyTorch's error, beside their 2e-6 for all else:
 *
 *   |got - want| <= (2e-6 + 2.4e-7 · sqrt(n)) · (1 + max |want|)
 *
 * n is the number of multiply-adds for each element of the result.
 *
 * A result in bfloat16 may differ by its last digit, 2^-7 · |want| at most, where the two sides round to different
 * ones (judge.c). Where products are in bfloat16 the weights may have been rounded for them, by 2^-8 at most and a
 * third of that on the average: the sum strays by about 2^-9 of the largest result, and 2^-8 is allowed. */
#include "verify/case.h"
#include "base/bf16.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

const uint32_t skp__case_unknown = 0x7fc57fc5;

skp_status skp__case_create(struct skp__case *c, const char *op, const char *id) {
  *c = (struct skp__case){0};
  snprintf(c->op, sizeof c->op, "%s", op);
  snprintf(c->id, sizeof c->id, "%s", id);
  return skp__graph_create(&c->g);
}

void skp__case_free(struct skp__case *c) {
  for (size_t i = 0; i < c->known.n; i++) free(c->known.at[i].data);
  SKP_FREE(&c->known);
  skp__graph_destroy(c->g);
  *c = (struct skp__case){0};
}

/* How far a float32 sum of `terms` terms may stray when the largest result has magnitude `max`. */
static double tolerance_of(double terms, double max) { return (2e-6 + 2.4e-7 * sqrt(terms)) * (1 + max); }

double skp__case_element(const void *data, int64_t i, skp_dtype dtype) {
  if (dtype == SKP_BF16) return (double)skp__from_bf16(((const uint16_t *)data)[i]);
  if (dtype == SKP_U8) return (double)((const uint8_t *)data)[i];
  return dtype == SKP_F32 ? (double)((const float *)data)[i] : (double)((const int32_t *)data)[i];
}

double skp__case_max(const void *data, int64_t count, skp_dtype dtype) {
  double max = 0;
  for (int64_t i = 0; i < count; i++) max = fmax(max, fabs(skp__case_element(data, i, dtype)));
  return max;
}

/* ---- ops and attributes ------------------------------------------------------------------------------------------ */

/* Golden names that are not an op's. */
static const struct {
  const char *golden;
  const char *op;   /* NULL: the attribute of that very name says it */
  const char *attr; /* set to `value` */
  int value;
} golden_names[] = {
    {"add_relu", "add", "relu", 1},
    {"optimizer", NULL, NULL, 0},
    {"sigmoid", "activation", "kind", SKP_SIGMOID},
    {"silu", "activation", "kind", SKP_SILU},
    {"relu6", "activation", "kind", SKP_RELU6},
    {"hardsigmoid", "activation", "kind", SKP_HARDSIGMOID},
    {"hardswish", "activation", "kind", SKP_HARDSWISH},
    {"gelu", "activation", "kind", SKP_GELU},
    {"tanh", "activation", "kind", SKP_TANH},
};

/* Attributes that golden files write in another way: a list's elements are attributes of ours, or there is but one way
 * to have it (`text`), or they are not the op's own (both NULL). */
static const struct {
  const char *golden;
  int element;
  const char *ours, *text;
} golden_attrs[] = {
    {"out", 0, "out_h", NULL},      {"out", 1, "out_w", NULL},      {"betas", 0, "beta1", NULL},
    {"betas", 1, "beta2", NULL},    {"reduction", 0, NULL, "mean"}, {"align_corners", 0, NULL, "false"},
    {"antialias", 0, NULL, "true"}, {"optimizer", 0, NULL, NULL},   {"lr", 0, NULL, NULL},
    {"steps", 0, NULL, NULL},
};

static skp_status set_attr(const struct skp_op *op, union skp_attrs *attrs, const char *name, const cJSON *value) {
  if (cJSON_IsNumber(value)) return skp__attrs_set(op, attrs, name, value->valuedouble);
  if (cJSON_IsBool(value)) return skp__attrs_set(op, attrs, name, cJSON_IsTrue(value));
  for (const struct skp_attr *a = op->attrs; cJSON_IsString(value) && a && a->name; a++)
    for (int i = 0; !strcmp(a->name, name) && a->choices && a->choices[i]; i++)
      if (!strcmp(a->choices[i], value->valuestring)) return skp__attrs_set(op, attrs, name, i);
  return skp__fail(SKP_FORMAT, "%s has no attribute '%s' with such a value.", op->name, name);
}

static bool same_text(const cJSON *value, const char *text) {
  if (cJSON_IsString(value)) return !strcmp(value->valuestring, text);
  return cJSON_IsBool(value) && !strcmp(cJSON_IsTrue(value) ? "true" : "false", text);
}

static skp_status set_golden_attr(const struct skp_op *op, union skp_attrs *attrs, const cJSON *value) {
  bool found = false;
  for (size_t i = 0; i < sizeof golden_attrs / sizeof *golden_attrs; i++) {
    if (strcmp(golden_attrs[i].golden, value->string)) continue;
    found = true;
    if (golden_attrs[i].ours)
      SKP_TRY(set_attr(op, attrs, golden_attrs[i].ours, cJSON_GetArrayItem(value, golden_attrs[i].element)));
    else if (golden_attrs[i].text && !same_text(value, golden_attrs[i].text))
      return skp__fail(SKP_UNSUPPORTED, "%s: '%s' must be %s.", op->name, value->string, golden_attrs[i].text);
  }
  return found ? SKP_OK : set_attr(op, attrs, value->string, value);
}

bool skp__case_is_of(const char *name, const char *op) {
  if (!op || !strcmp(name, op)) return true;
  for (size_t i = 0; i < sizeof golden_names / sizeof *golden_names; i++)
    if (!strcmp(golden_names[i].golden, name) && golden_names[i].op) return !strcmp(golden_names[i].op, op);
  return false;
}

skp_status skp__case_op(const struct skp_op **op, union skp_attrs *attrs, const char *name, const cJSON *json) {
  const char *own = name, *preset = NULL;
  int value = 0;
  for (size_t i = 0; i < sizeof golden_names / sizeof *golden_names; i++) {
    if (strcmp(golden_names[i].golden, name)) continue;
    const char *said = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
    own = golden_names[i].op ? golden_names[i].op : said ? said : "";
    preset = golden_names[i].attr;
    value = golden_names[i].value;
  }
  *op = skp__op_by_name(own);
  if (!*op) return skp__fail(SKP_UNSUPPORTED, "There is no op '%s'.", own);
  skp__attrs_default(*op, attrs);
  if (preset) SKP_TRY(skp__attrs_set(*op, attrs, preset, value));
  const cJSON *item;
  cJSON_ArrayForEach(item, json) SKP_TRY(set_golden_attr(*op, attrs, item));
  return SKP_OK;
}

/* ---- values and nodes -------------------------------------------------------------------------------------------- */

static skp_status count_in_new(struct skp__case *c) {
  while (c->known.n < c->g->tensors.n) SKP_TRY(SKP_GROW(&c->known));
  return SKP_OK;
}

skp_status skp__case_input(struct skp__case *c, skp_value *out, struct skp_shape shape, void *data) {
  skp_status status = skp__graph_value(c->g, out, "", SKP_ROLE_INPUT, shape);
  if (status == SKP_OK) status = count_in_new(c);
  if (status == SKP_OK)
    c->known.at[*out].data = data;
  else
    free(data);
  return status;
}

skp_status skp__case_node(struct skp__case *c, const struct skp_op *op, const union skp_attrs *attrs,
                          const skp_value *in, const bool *want, skp_value *out) {
  SKP_TRY(skp__graph_node(c->g, op, attrs, in, want, "", out));
  return count_in_new(c);
}

static skp_status emit(struct skp_grad *grad, skp_op_id op, const union skp_attrs *attrs, const skp_value *in,
                       const bool *want, skp_value *out) {
  return skp__graph_node(grad->graph, skp__op(op), attrs, in, want, "", out);
}

skp_status skp__case_gradient(struct skp__case *c, size_t n, skp_value dy, const bool *need, skp_value *din) {
  const struct skp_node node = c->g->nodes.at[n]; /* a copy: building may move the list */
  const skp_value dout[SKP_MAX_OUT] = {dy, SKP_NONE, SKP_NONE, SKP_NONE, SKP_NONE, SKP_NONE, SKP_NONE, SKP_NONE};
  struct skp_sig sig = skp__graph_sig(c->g, &node);
  struct skp_grad grad = {&sig, node.in, node.out, dout, need, din, emit, c->g};
  for (int i = 0; i < node.n_in; i++) din[i] = SKP_NONE;
  if (node.op->gradient) SKP_TRY(node.op->gradient(&grad));
  return count_in_new(c);
}

/* Two statements about one value: a gradient that is passed through, or to two sides. */
static skp_status check_agreement(const struct skp__known *k, const float *data, int64_t count, double tolerance) {
  for (int64_t i = 0; i < count; i++)
    if (!(fabs((double)((const float *)k->data)[i] - (double)data[i]) <= k->tolerance + tolerance))
      return skp__fail(SKP_FORMAT, "One value is expected to be both %.9g and %.9g (element %lld).",
                       (double)((const float *)k->data)[i], (double)data[i], (long long)i);
  return SKP_OK;
}

skp_status skp__case_expect(struct skp__case *c, skp_value v, struct skp_shape shape, void *data, double tolerance) {
  const struct skp_shape *own = &c->g->tensors.at[v].shape;
  struct skp__known *k = &c->known.at[v];
  skp_status status = SKP_OK;
  if (!skp__shape_equal(own, &shape)) {
    char have[96], want[96];
    status = skp__fail(SKP_SHAPE, "The shape is %s where %s is expected.", skp__shape_text(have, sizeof have, own),
                       skp__shape_text(want, sizeof want, &shape));
  } else if (k->data) {
    status = check_agreement(k, data, skp__shape_count(own), tolerance);
  } else {
    *k = (struct skp__known){data, tolerance};
    return SKP_OK;
  }
  free(data);
  return status;
}

/* ---- the rest ---------------------------------------------------------------------------------------------------- */

static skp_status copy_data(void **out, const void *data, const struct skp_shape *s) {
  SKP_TRY(skp__alloc(out, (size_t)skp__shape_bytes(s), 1));
  if (data) memcpy(*out, data, (size_t)skp__shape_bytes(s));
  return SKP_OK;
}

/* What the plain C reads: what is known, and for an output in an input's place a copy of that, which it may
 * overwrite. */
static skp_status fill_call(struct skp__case *c, const struct skp_node *node, const struct skp_call *call) {
  for (int i = 0; i < node->n_in; i++)
    if (node->in[i] != SKP_NONE) call->in[i] = c->known.at[node->in[i]].data;
  for (int i = 0; i < node->n_out; i++) {
    const int from = node->op->alias[i] - 1;
    if (node->out[i] == SKP_NONE) continue;
    SKP_TRY(copy_data(&call->out[i], from >= 0 ? call->in[from] : NULL, &call->sig->out[i]));
    if (from >= 0) call->in[from] = call->out[i];
  }
  return SKP_OK;
}

/* Keeps what was not known of the results. */
static void keep_results(struct skp__case *c, const struct skp_node *node, const struct skp_call *call) {
  for (int i = 0; i < node->n_out; i++) {
    struct skp__known *k = node->out[i] == SKP_NONE ? NULL : &c->known.at[node->out[i]];
    const struct skp_shape *type = &call->sig->out[i];
    if (!k || k->data) continue;
    const int64_t count = skp__shape_count(type);
    const double terms = skp__op_flops(call->sig) / 2 / (double)count;
    const double max = skp__case_max(call->out[i], count, type->dtype);
    *k = (struct skp__known){call->out[i], tolerance_of(terms, max)};
    if (node->op->narrow && skp__sig_narrow(call->sig)) k->tolerance += ldexp(1 + max, -8);
    if (skp__dtype_whole(type->dtype)) k->tolerance = 0;
    call->out[i] = NULL;
  }
}

/* Runs the node's plain C. */
static skp_status complete_node(struct skp__case *c, const struct skp_node *node) {
  const struct skp_sig sig = skp__graph_sig(c->g, node);
  struct skp_call call = {.sig = &sig};
  void *out[SKP_MAX_OUT] = {NULL};
  call.out = out;
  SKP_TRY(skp__alloc(&call.in, (size_t)node->n_in, sizeof *call.in));
  skp_status status = fill_call(c, node, &call);
  if (status == SKP_OK) status = skp__op_run(&call);
  if (status == SKP_OK) keep_results(c, node, &call);
  for (int i = 0; i < node->n_out; i++) free(out[i]);
  free(call.in);
  return status;
}

/* Which outputs the twin of a node has: those that must be there, and those that live in an input's place; else the
 * first. True if that leaves any out. */
static bool choose_outputs(bool want[SKP_MAX_OUT], const struct skp_node *node) {
  bool any = false, fewer = false;
  for (int i = 0; i < node->n_out; i++) {
    bool must = !(node->op->out[i].flags & SKP_OPTIONAL) || node->op->alias[i];
    want[i] = node->out[i] != SKP_NONE && must;
    any = any || want[i];
  }
  for (int i = 0; i < node->n_out; i++) {
    if (!any && node->out[i] != SKP_NONE) any = want[i] = true;
    fewer = fewer || (node->out[i] != SKP_NONE && !want[i]);
  }
  return fewer;
}

static skp_status twin_node(struct skp__case *c, const struct skp_node *node, const bool *want, skp_value *out) {
  skp_value *in;
  SKP_TRY(skp__alloc(&in, (size_t)node->n_in + 1, sizeof *in));
  memcpy(in, node->in, (size_t)node->n_in * sizeof *in);
  in[node->n_in] = SKP_NONE;
  skp_status status = skp__case_node(c, node->op, &node->attrs, in, want, out);
  free(in);
  return status;
}

static skp_status add_twin(struct skp__case *c, struct skp_node node) {
  bool want[SKP_MAX_OUT] = {false};
  skp_value out[SKP_MAX_OUT];
  if (!choose_outputs(want, &node)) return SKP_OK;
  SKP_TRY(twin_node(c, &node, want, out));
  for (int i = 0; i < node.n_out; i++) {
    if (out[i] == SKP_NONE) continue;
    const struct skp__known *k = &c->known.at[node.out[i]];
    c->known.at[out[i]].tolerance = k->tolerance;
    SKP_TRY(copy_data(&c->known.at[out[i]].data, k->data, &c->g->tensors.at[out[i]].shape));
  }
  return SKP_OK;
}

skp_status skp__case_complete(struct skp__case *c) {
  for (size_t i = 0; i < c->g->nodes.n; i++) {
    const struct skp_node *node = &c->g->nodes.at[i];
    bool known = true;
    for (int o = 0; o < node->n_out; o++) known = known && (node->out[o] == SKP_NONE || c->known.at[node->out[o]].data);
    if (!known) SKP_TRY(complete_node(c, node));
  }
  return SKP_OK;
}

skp_status skp__case_add_twins(struct skp__case *c) {
  size_t n = c->g->nodes.n;
  for (size_t i = 0; i < n; i++) SKP_TRY(add_twin(c, c->g->nodes.at[i]));
  return SKP_OK;
}
