/* onnx_node.c: what a node of an ONNX graph says and reads, and what becomes of its weights.
 * SPDX-License-Identifier: MIT */
#include "io/onnx_network.h"
#include <math.h>
#include <search.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

typedef struct skp__onnx_network network;

/* ---- errors ------------------------------------------------------------------------------------------------------ */

skp_status skp__onnx_refuse(const network *w, const char *format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  const char *name = w->node->name, *out = w->node->n_output ? w->node->output[0] : "";
  return skp__fail(SKP_UNSUPPORTED, "%s: node \"%s\" (%s): %s.", w->file->name, name && *name ? name : out,
                   w->node->op_type, text);
}

/* ---- what a node says -------------------------------------------------------------------------------------------- */

bool skp__onnx_input_given(const network *w, size_t i) { return i < w->node->n_input && *w->node->input[i]; }

const Skp__TensorProto *skp__onnx_input_constant(const network *w, size_t i) {
  return i < w->node->n_input ? skp__onnx_constant(w->file, w->node->input[i]) : NULL;
}

int64_t skp__onnx_int(const network *w, const char *name, int64_t usual) {
  const Skp__AttributeProto *a = skp__onnx_attribute(w->node, name);
  return a && a->has_i ? a->i : usual;
}

double skp__onnx_float(const network *w, const char *name, double usual) {
  const Skp__AttributeProto *a = skp__onnx_attribute(w->node, name);
  return a && a->has_f ? (double)a->f : usual;
}

bool skp__onnx_is(const network *w, const char *name, const char *text, bool usual) {
  const Skp__AttributeProto *a = skp__onnx_attribute(w->node, name);
  if (!a || !a->has_s) return usual;
  return a->s.len == strlen(text) && !memcmp(a->s.data, text, a->s.len);
}

bool skp__onnx_input_number(const network *w, size_t i, double *out) {
  const Skp__TensorProto *t = skp__onnx_input_constant(w, i);
  float *at;
  int64_t n;
  if (!t || skp__onnx_count(t) != 1 || skp__onnx_read_floats(w->file, t, &at, &n) != SKP_OK) return false;
  *out = (double)*at;
  free(at);
  return true;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

skp_status skp__onnx_input_value(const network *w, size_t i, struct skp__onnx_value **out) {
  const struct skp__onnx_name *row = skp__onnx_input_given(w, i) ? skp__onnx_find(w->file, w->node->input[i]) : NULL;
  *out = row ? &w->value[row->number] : NULL;
  if (*out && (*out)->form != SKP__FORM_NONE)
    return (*out)->softmax ? skp__onnx_refuse(w, "it follows a softmax") : SKP_OK;
  if (*out && skp__onnx_constant(w->file, row->name)) return skp__onnx_refuse(w, "its input %zu is a constant", i);
  return skp__onnx_refuse(w, "its input %zu is not made before", i);
}

int skp__onnx_line(network *w) {
  fprintf(w->to, "    v[%d] = nn.", ++w->lines);
  return w->lines;
}

/* Layers that a form still lacks; NULL: none does. */
static const char *const completed[] = {
    [SKP__FORM_SIGMOID] = "sigmoid", [SKP__FORM_HARDSIGMOID] = "hardsigmoid", [SKP__FORM_GELU] = "gelu"};

skp_status skp__onnx_check_pixels(const network *w, const struct skp__onnx_value *x) {
  return x->lua == w->shifts ? SKP_OK : skp__onnx_refuse(w, "images are normalised here in several ways");
}

/* The normalised pixels become v[0]; all layers take the same. */
static skp_status take_pixels(network *w, struct skp__onnx_value *x) {
  SKP_TRY(skp__onnx_check_pixels(w, x));
  w->begun = true;
  x->form = SKP__FORM_PLAIN;
  x->lua = 0;
  return SKP_OK;
}

skp_status skp__onnx_input_plain(network *w, size_t i, struct skp__onnx_value **out) {
  SKP_TRY(skp__onnx_input_value(w, i, out));
  struct skp__onnx_value *x = *out;
  const char *layer = (size_t)x->form < sizeof completed / sizeof *completed ? completed[x->form] : NULL;
  if (x->form == SKP__FORM_PIXELS) return take_pixels(w, x);
  if (fabs(x->factor - 1) > 1e-6) return skp__onnx_refuse(w, "its input %zu was multiplied by a number", i);
  if (!layer && x->form != SKP__FORM_PLAIN)
    return skp__onnx_refuse(w, "its input %zu is only part of a GELU or of a pool, or no image", i);
  if (!layer) return SKP_OK;
  const int from = x->lua;
  x->lua = skp__onnx_line(w);
  x->form = SKP__FORM_PLAIN;
  x->factor = 1;
  fprintf(w->to, "%s(v[%d])\n", layer, from);
  return SKP_OK;
}

struct skp__onnx_value skp__onnx_map(const struct skp__onnx_value *x, int lua, int64_t C, int64_t H, int64_t W) {
  return (struct skp__onnx_value){
      .form = SKP__FORM_PLAIN, .factor = 1, .lua = lua, .map = true, .last = x->last, .C = C, .H = H, .W = W};
}

skp_status skp__onnx_input_map(network *w, size_t i, struct skp__onnx_value **out) {
  SKP_TRY(skp__onnx_input_plain(w, i, out));
  if ((*out)->map && !(*out)->last) return SKP_OK;
  return skp__onnx_refuse(w, "its input %zu is no map with the channels second", i);
}

bool skp__onnx_fits(const struct skp__onnx_value *value) {
  const int64_t C = value->C, H = value->map ? value->H : 1, W = value->map ? value->W : 1;
  return C >= 1 && H >= 1 && W >= 1 && C <= INT32_MAX && H <= INT32_MAX / C && W <= INT32_MAX / (C * H);
}

skp_status skp__onnx_make(network *w, const struct skp__onnx_value *value) {
  const struct skp__onnx_name *row = w->node->n_output ? skp__onnx_find(w->file, w->node->output[0]) : NULL;
  if (!row) return skp__onnx_refuse(w, "it makes nothing");
  if (value->form != SKP__FORM_EXTENT && !skp__onnx_fits(value))
    return skp__onnx_refuse(w, "nothing is left of its input, or more than 2^31 - 1 numbers");
  const struct skp__onnx_value copy = *value; /* it may lie in the row itself */
  w->value[row->number] = copy;
  return SKP_OK;
}

/* ---- names of layers --------------------------------------------------------------------------------------------- */

enum { LONGEST = 60 };

static bool legal(const char *name, size_t n) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  return n > 0 && n <= LONGEST && strspn(name, allowed) >= n && name[0] != '.' && name[n - 1] != '.';
}

/* "layer1.0.conv1" of "layer1.0.conv1.weight", which PyTorch's exporters keep. */
static bool name_by_weight(char *name, size_t size, const char *input) {
  const size_t n = strlen(input), end = strlen(".weight");
  const bool weight = n > end && !strcmp(input + n - end, ".weight");
  if (!legal(input, weight ? n - end : n)) return false;
  snprintf(name, size, "%.*s", (int)(weight ? n - end : n), input);
  return true;
}

/* "layer1.0.conv1" of "/layer1/layer1.0/conv1/Conv": each piece follows the one before, or says it again. */
static bool name_by_node(char *name, size_t size, const char *path) {
  const char *last = path ? strrchr(path, '/') : NULL;
  size_t used = 0, begin = 0; /* of the latest piece */
  *name = 0;
  for (const char *at = path; last && at < last;) {
    at += *at == '/';
    const size_t n = strcspn(at, "/"), before = used - begin;
    const bool again = used && n > before && !strncmp(at, name + begin, before) && at[before] == '.';
    if (!again && used) begin = used + 1;
    if (begin + n + 1 >= size) return false;
    if (!again && used) name[used] = '.';
    memcpy(name + begin, at, n);
    used = begin + n;
    name[used] = 0;
    at += n;
  }
  return legal(name, used);
}

/* The name of a weight, or of a layer that has some: "a.weight" takes "a", too. */
struct taken {
  const char *name; /* behind this struct, in the same memory */
  int next;         /* NAME_next is the first that may be free */
};

static int by_name(const void *a, const void *b) {
  return strcmp(((const struct taken *)a)->name, ((const struct taken *)b)->name);
}

/* Takes the first n characters. */
static skp_status take_name(network *w, const char *name, size_t n) {
  struct taken *fresh;
  SKP_TRY(skp__alloc(&fresh, sizeof *fresh + n + 1, 1));
  *fresh = (struct taken){.name = memcpy(fresh + 1, name, n), .next = 2};
  struct taken **have = tsearch(fresh, &w->taken, by_name);
  if (!have || *have != fresh) free(fresh);
  return have ? SKP_OK : skp__fail_memory("names of layers", n);
}

/* NULL: it is free. */
static struct taken *find_taken(const network *w, const char *name) {
  const struct taken key = {.name = name};
  struct taken **have = tfind(&key, &w->taken, by_name);
  return have ? *have : NULL;
}

skp_status skp__onnx_choose_name(network *w, size_t input, char *name, size_t size) {
  char base[LONGEST + 40];
  if (!name_by_weight(base, sizeof base, w->node->input[input]) && !name_by_node(base, sizeof base, w->node->name))
    snprintf(base, sizeof base, "layer_%d", w->node_number);
  snprintf(name, size, "%s", base);
  for (struct taken *first = find_taken(w, base); first && find_taken(w, name);)
    snprintf(name, size, "%s_%d", base, first->next++);
  return SKP_OK;
}

/* ---- weights ----------------------------------------------------------------------------------------------------- */

static void turn(float *to, const float *from, int64_t rows, int64_t columns) {
  for (int64_t i = 0; i < rows * columns; i++) to[i] = from[i % columns * rows + i / columns];
}

/* Its values, {rows, columns}, of a file that has {columns, rows}. */
static skp_status turn_over(float **values, int64_t rows, int64_t columns) {
  float *turned;
  SKP_TRY(skp__alloc(&turned, (size_t)(rows * columns), sizeof *turned));
  turn(turned, *values, rows, columns);
  free(*values);
  *values = turned;
  return SKP_OK;
}

skp_status skp__onnx_take(network *w, const char *layer, const struct skp__onnx_take *take) {
  const Skp__TensorProto *t = skp__onnx_input_constant(w, take->input);
  int64_t n = 1;
  for (int i = 0; i < take->rank; i++) n *= take->dim[i];
  if (!t) return skp__onnx_refuse(w, "its input %zu is no constant", take->input);
  if (skp__onnx_count(t) != n)
    return skp__onnx_refuse(w, "its input %zu has %lld values, not %lld", take->input, (long long)skp__onnx_count(t),
                            (long long)n);
  SKP_TRY(SKP_GROW(&w->weights));
  struct skp__onnx_weight *weight = &w->weights.at[w->weights.n - 1];
  SKP_TRY(skp__format(&weight->name, "%s%s%s", layer, *take->end ? "." : "", take->end));
  const char *dot = strrchr(weight->name, '.');
  SKP_TRY(take_name(w, weight->name, strlen(weight->name)));
  if (dot) SKP_TRY(take_name(w, weight->name, (size_t)(dot - weight->name)));
  weight->rank = take->rank;
  memcpy(weight->dim, take->dim, sizeof weight->dim);
  SKP_TRY(skp__onnx_read_floats(w->file, t, &weight->values, &weight->n));
  return take->turned ? turn_over(&weight->values, take->dim[0], take->dim[1]) : SKP_OK;
}
