/* onnx.c: an ONNX graph as a network of Skipper: the text of a model file, and weights under the names that its layers
 * give them. SPDX-License-Identifier: MIT
 *
 * The nodes are in an order in which they can run. Each is looked up in the tables of onnx_layers.c and onnx_maps.c,
 * whose functions write a line of Lua and say what shape comes out. So a layer is defined once, for files of both
 * kinds, and a checkpoint of what was learned carries what rebuilds the network. */
#include "io/onnx.h"
#include "base/file.h"
#include "io/json.h"
#include "io/onnx_network.h"
#include <math.h>
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
    return skp__onnx_refuse(w, "its input %zu is only part of a GELU, or no image", i);
  if (!layer) return SKP_OK;
  const int from = x->lua;
  x->lua = skp__onnx_line(w);
  x->form = SKP__FORM_PLAIN;
  x->factor = 1;
  fprintf(w->to, "%s(v[%d])\n", layer, from);
  return SKP_OK;
}

skp_status skp__onnx_input_map(network *w, size_t i, struct skp__onnx_value **out) {
  SKP_TRY(skp__onnx_input_plain(w, i, out));
  if ((*out)->map && !(*out)->last) return SKP_OK;
  return skp__onnx_refuse(w, "its input %zu is no map with the channels second", i);
}

skp_status skp__onnx_make(network *w, const struct skp__onnx_value *value) {
  const struct skp__onnx_name *row = w->node->n_output ? skp__onnx_find(w->file, w->node->output[0]) : NULL;
  if (!row) return skp__onnx_refuse(w, "it makes nothing");
  if (value->form != SKP__FORM_EXTENT &&
      (value->C < 1 || value->C > INT32_MAX || (value->map && (value->H < 1 || value->W < 1))))
    return skp__onnx_refuse(w, "nothing is left of its input");
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

static bool taken(const network *w, const char *name) {
  const size_t n = strlen(name);
  bool any = false;
  for (size_t i = 0; i < w->weights.n; i++) {
    const char *other = w->weights.at[i].name;
    any = any || (!strncmp(other, name, n) && (!other[n] || (other[n] == '.' && !strchr(other + n + 1, '.'))));
  }
  return any;
}

skp_status skp__onnx_choose_name(network *w, size_t input, char *name, size_t size) {
  char base[LONGEST + 40];
  if (!name_by_weight(base, sizeof base, w->node->input[input]) && !name_by_node(base, sizeof base, w->node->name))
    snprintf(base, sizeof base, "layer_%d", w->node_number);
  snprintf(name, size, "%s", base);
  for (int i = 2; taken(w, name); i++) snprintf(name, size, "%s_%d", base, i);
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
  weight->rank = take->rank;
  memcpy(weight->dim, take->dim, sizeof weight->dim);
  SKP_TRY(skp__onnx_read_floats(w->file, t, &weight->values, &weight->n));
  return take->turned ? turn_over(&weight->values, take->dim[0], take->dim[1]) : SKP_OK;
}

/* ---- the graph --------------------------------------------------------------------------------------------------- */

static const struct skp__onnx_row *find_row(const struct skp__onnx_row *table, const char *operator) {
  while (table->operator&& strcmp(table->operator, operator) != 0) table++;
  return table->operator? table : NULL;
}

static skp_status put_node(network *w) {
  const char *domain = w->node->domain, *op = w->node->op_type ? w->node->op_type : "";
  const struct skp__onnx_row *row = find_row(skp__onnx_layers, op);
  if (!row) row = find_row(skp__onnx_maps, op);
  if (domain && *domain && strcmp(domain, "ai.onnx") != 0) row = NULL;
  return row ? row->put(w) : skp__onnx_refuse(w, "no layer here does what this operator does");
}

/* What the network takes: the first input that is no constant. */
static const Skp__ValueInfoProto *find_input(const network *w) {
  const Skp__GraphProto *g = w->file->model->graph;
  for (size_t i = 0; i < g->n_input; i++)
    if (g->input[i]->name && *g->input[i]->name && !skp__onnx_constant(w->file, g->input[i]->name)) return g->input[i];
  return NULL;
}

static int64_t extent_of(const Skp__TensorShapeProto *shape, int axis) {
  return shape->dim[axis]->has_dim_value ? shape->dim[axis]->dim_value : 0;
}

/* Sides that are not fixed are the usual 224. */
static skp_status put_input(network *w) {
  enum { FLOAT = 1, UINT8 = 2, USUAL = 224, MOST = 1 << 14 };
  const Skp__ValueInfoProto *input = find_input(w);
  const Skp__TensorTypeProto *type = input && input->type ? input->type->tensor_type : NULL;
  const Skp__TensorShapeProto *shape = type ? type->shape : NULL;
  if (!shape || shape->n_dim != 4 || (type->elem_type != FLOAT && type->elem_type != UINT8))
    return skp__fail(SKP_UNSUPPORTED, "%s takes no images as N×C×H×W, floats or bytes.", w->file->name);
  const int64_t H = extent_of(shape, 2), W = extent_of(shape, 3);
  w->channels = extent_of(shape, 1);
  w->size = H ? H : W ? W : USUAL;
  w->bytes = type->elem_type == UINT8;
  if (w->channels < 1 || w->channels > 1024 || (H && W && H != W) || w->size < 1 || w->size > MOST)
    return skp__fail(SKP_UNSUPPORTED,
                     "%s takes images of %lld channels, %lld×%lld; they should be square, with the channels second.",
                     w->file->name, (long long)w->channels, (long long)H, (long long)W);
  for (int c = 0; c < 4; c++) w->scale[c] = 1;
  w->value[skp__onnx_find(w->file, input->name)->number] = (struct skp__onnx_value){
      .form = SKP__FORM_PIXELS, .factor = 1, .map = true, .C = w->channels, .H = w->size, .W = w->size};
  return SKP_OK;
}

static skp_status put_answer(network *w) {
  const Skp__GraphProto *g = w->file->model->graph;
  const struct skp__onnx_name *row =
      g->n_output && g->output[0]->name ? skp__onnx_find(w->file, g->output[0]->name) : NULL;
  const struct skp__onnx_value *x = row ? &w->value[row->number] : NULL;
  if (!x || x->form != SKP__FORM_PLAIN || x->map || fabs(x->factor - 1) > 1e-6)
    return skp__fail(SKP_UNSUPPORTED, "%s does not answer with a row of numbers for each image.", w->file->name);
  fprintf(w->to, "    return v[%d]\n", x->lua);
  if (x->C != w->last_outputs) w->last_at = w->last_end = 0; /* their number is no other layer's */
  w->last_outputs = x->C;
  return SKP_OK;
}

static skp_status put_network(network *w) {
  const Skp__GraphProto *g = w->file->model->graph;
  SKP_TRY(put_input(w));
  for (size_t i = 0; i < g->n_node; i++) {
    w->node = g->node[i];
    w->node_number = (int)i;
    const struct skp__onnx_name *out = w->node->n_output ? skp__onnx_find(w->file, w->node->output[0]) : NULL;
    if (!out || w->value[out->number].form == SKP__FORM_NONE) SKP_TRY(put_node(w)); /* else made with one before */
  }
  return put_answer(w);
}

/* ---- the text ---------------------------------------------------------------------------------------------------- */

/* Mean and std of the pixels, as the nodes before the first layer have them, or as the file says beside. */
static bool find_pixels(const network *w, double mean[4], double std[4]) {
  const double range = w->bytes ? 255 : 1;
  bool said = w->bytes;
  for (int c = 0; c < 4; c++) {
    std[c] = 1 / (w->scale[c] * range);
    mean[c] = -w->shift[c] * std[c];
    said = said || fabs(std[c] - 1) > 0 || fabs(mean[c]) > 0;
    if (!(std[c] >= 1e-6 && std[c] <= 1e6 && fabs(mean[c]) <= 1e6)) return false;
  }
  return said;
}

static bool read_list(const network *w, const char *key, double out[4]) {
  const char *text = skp__onnx_metadata(w->file, key);
  cJSON *list = text ? cJSON_Parse(text) : NULL;
  const int n = cJSON_GetArraySize(list);
  bool sound = cJSON_IsArray(list) && n >= 1 && n <= 4;
  for (int c = 0; c < 4 && sound; c++) {
    const cJSON *x = cJSON_GetArrayItem(list, c < n ? c : n - 1);
    sound = cJSON_IsNumber(x) && fabs(x->valuedouble) <= 1e6;
    out[c] = sound ? x->valuedouble : 0;
  }
  cJSON_Delete(list);
  return sound;
}

/* "0.5,0.5,0.5": three numbers, or one for a single channel. */
static void list_text(char *text, size_t size, const double at[4], int64_t channels) {
  const int n = channels < 4 ? (int)channels : 4;
  *text = 0;
  for (int c = 0; c < n; c++) snprintf(text + strlen(text), size - strlen(text), "%s%.9g", c ? ", " : "", at[c]);
}

/* The head of the model file, and its recipe in JSON for a checkpoint's metadata. */
static skp_status write_head(const network *w, char **lua, char **recipe) {
  double mean[4], std[4];
  char means[160], stds[160], pixels[400] = "";
  const bool said = find_pixels(w, mean, std) || (read_list(w, "mean", mean) && read_list(w, "std", std));
  list_text(means, sizeof means, mean, w->channels);
  list_text(stds, sizeof stds, std, w->channels);
  if (said) snprintf(pixels, sizeof pixels, ", mean = {%s}, std = {%s}", means, stds);
  SKP_TRY(
      skp__format(lua,
                  "-- Made by Skipper from an ONNX file.\nreturn {\n"
                  "  input = {channels = %lld, size = %lld},\n"
                  "  recipe = {batch = 64, epochs = 10, optimizer = \"sgd\", momentum = 0.9, lr = 0.01, weight_decay "
                  "= 0.0001%s},\n"
                  "  args = {classes = %lld},\n  network = function(x, args)\n    local v = {[0] = x}\n",
                  (long long)w->channels, (long long)w->size, pixels, (long long)w->last_outputs));
  pixels[0] = 0;
  if (said) snprintf(pixels, sizeof pixels, ", \"mean\": [%s], \"std\": [%s]", means, stds);
  return skp__format(recipe, "{\"size\": %lld, \"channels\": %lld, \"classes\": %lld%s}", (long long)w->size,
                     (long long)w->channels, (long long)w->last_outputs, pixels);
}

static skp_status add_meta(struct skp_st_file *out, const char *key, const char *value) {
  struct skp_st_meta *row = &out->meta[out->metas];
  SKP_TRY(skp__strdup(&row->key, key));
  out->metas++;
  return skp__strdup(&row->value, value);
}

/* The name of the file without folder and ending. */
static skp_status model_name(char **out, const char *path) {
  const char *name = strrchr(path, '/');
  SKP_TRY(skp__strdup(out, name ? name + 1 : path));
  char *dot = strrchr(*out, '.');
  if (dot && dot != *out) *dot = 0;
  return SKP_OK;
}

static skp_status put_metadata(const network *w, const char *body, struct skp_st_file *out) {
  char *head = NULL, *recipe = NULL, *source = NULL, *name = NULL;
  const char *classes = skp__onnx_metadata(w->file, "class_names");
  const char *args = w->last_end ? "args.classes" : "";
  skp_status status = skp__alloc(&out->meta, 5, sizeof *out->meta);
  if (status == SKP_OK) status = write_head(w, &head, &recipe);
  if (status == SKP_OK)
    status = skp__format(&source, "%s%.*s%s%s  end,\n}\n", head, (int)w->last_at, body, args, body + w->last_end);
  if (status == SKP_OK) status = model_name(&name, w->file->name);
  if (status == SKP_OK) status = add_meta(out, "model_source", source);
  if (status == SKP_OK) status = add_meta(out, "model_name", name);
  if (status == SKP_OK) status = add_meta(out, "settings", "{}");
  if (status == SKP_OK) status = add_meta(out, "recipe", recipe);
  if (status == SKP_OK) status = add_meta(out, "classes", classes ? classes : "[]");
  free(head);
  free(recipe);
  free(source);
  free(name);
  return status;
}

/* Hands the weights over. */
static skp_status put_tensors(network *w, struct skp_st_file *out) {
  SKP_TRY(skp__alloc(&out->tensor, w->weights.n, sizeof *out->tensor));
  for (; out->tensors < w->weights.n; out->tensors++) {
    struct skp__onnx_weight *from = &w->weights.at[out->tensors];
    struct skp_st_tensor *to = &out->tensor[out->tensors];
    *to = (struct skp_st_tensor){.name = from->name,
                                 .dtype = "F32",
                                 .rank = from->rank,
                                 .bytes = from->n * (int64_t)sizeof *from->values,
                                 .data = from->values,
                                 .own = from->values};
    memcpy(to->dim, from->dim, sizeof from->dim);
    *from = (struct skp__onnx_weight){0};
  }
  return SKP_OK;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static skp_status translate(struct skp__onnx_file *f, network *w, struct skp_st_file *out) {
  char *body = NULL;
  size_t length;
  SKP_TRY(skp__alloc(&w->value, f->names.n, sizeof *w->value));
  w->to = open_memstream(&body, &length);
  if (!w->to) return skp__fail_memory("a network", 0);
  skp_status status = put_network(w);
  if (fclose(w->to) && status == SKP_OK) status = skp__fail_memory("a network", length);
  if (status == SKP_OK) status = put_metadata(w, body, out);
  if (status == SKP_OK) status = put_tensors(w, out);
  free(body);
  return status;
}

skp_status skp__onnx_parse(struct skp_st_file *out, const void *bytes, int64_t size, const char *name,
                           const char *folder) {
  struct skp__onnx_file f = {.name = name, .folder = folder};
  network w = {.file = &f};
  *out = (struct skp_st_file){0};
  skp_status status = skp__onnx_open(&f, bytes, size);
  if (status == SKP_OK) status = translate(&f, &w, out);
  for (size_t i = 0; i < w.weights.n; i++) {
    free(w.weights.at[i].name);
    free(w.weights.at[i].values);
  }
  SKP_FREE(&w.weights);
  free(w.value);
  skp__onnx_close(&f);
  if (status != SKP_OK) skp__st_free(out);
  return status;
}

bool skp__onnx_found(const void *bytes, int64_t size) {
  enum { VERSION = 1 << 3, TEXT = 2, NEWEST = 64 };
  const unsigned char *at = bytes;
  return size >= 4 && at[0] == VERSION && at[1] >= 1 && at[1] < NEWEST && (at[2] & 7) == TEXT && at[2] >> 3 <= 8;
}

bool skp__onnx_file_found(const char *path) {
  unsigned char head[4];
  int64_t size;
  return skp__file_exists(path) && skp__file_head(head, sizeof head, &size, path) == SKP_OK &&
         skp__onnx_found(head, size);
}
