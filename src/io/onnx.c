/* onnx.c: an ONNX graph as a network of Skipper: the text of a model file, and weights under the names that its layers
 * give them. SPDX-License-Identifier: MIT
 *
 * The nodes are in an order in which they can run. Each is looked up in the tables of onnx_layers.c and onnx_maps.c,
 * whose functions write a line of Lua and say what shape comes out. So a layer is defined once, for files of both
 * kinds, and a checkpoint of what was learned carries what rebuilds the network. */
#include "io/onnx.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/tree.h"
#include "io/json.h"
#include "io/onnx_network.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct skp__onnx_network network;

/* ---- the graph --------------------------------------------------------------------------------------------------- */

static const struct skp__onnx_row *find_row(const struct skp__onnx_row *table, const char *operator) {
  while (table->operator&& strcmp(table->operator, operator) != 0) table++;
  return table->operator? table : NULL;
}

static skp_status put_node(network *w) {
  const char *domain = w->node->domain, *op = w->node->op_type ? w->node->op_type : "";
  const struct skp__onnx_row *row = find_row(skp__onnx_layers, op);
  if (!row) row = find_row(skp__onnx_pools, op);
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
  const struct skp__onnx_value pixels = {
      .form = SKP__FORM_PIXELS, .factor = 1, .map = true, .C = w->channels, .H = w->size, .W = w->size};
  if (!skp__onnx_fits(&pixels)) return skp__fail(SKP_UNSUPPORTED, "%s takes images that are too large.", w->file->name);
  w->value[skp__onnx_find(w->file, input->name)->number] = pixels;
  return SKP_OK;
}

static skp_status put_answer(network *w) {
  const Skp__GraphProto *g = w->file->model->graph;
  const struct skp__onnx_name *row =
      g->n_output && g->output[0]->name ? skp__onnx_find(w->file, g->output[0]->name) : NULL;
  const struct skp__onnx_value *x = row ? &w->value[row->number] : NULL;
  if (!x || x->form != SKP__FORM_PLAIN || x->map || fabs(x->factor - 1) > 1e-6)
    return skp__fail(SKP_UNSUPPORTED, "%s does not give a row of numbers for each image.", w->file->name);
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

/* Mean and std of the pixels, as the nodes before the first layer have them; *said: they do something. */
static skp_status find_pixels(bool *said, const network *w, double mean[4], double std[4]) {
  const double range = w->bytes ? 255 : 1;
  bool sound = true;
  *said = w->bytes;
  for (int c = 0; c < 4; c++) {
    std[c] = 1 / (w->scale[c] * range);
    mean[c] = -w->shift[c] * std[c];
    *said = *said || fabs(w->scale[c] - 1) > 0 || fabs(w->shift[c]) > 0;
    sound = sound && std[c] >= 1e-6 && std[c] <= 1e6 && fabs(mean[c]) <= 1e6;
  }
  if (sound) return SKP_OK;
  return skp__fail(SKP_UNSUPPORTED,
                   "%s takes its images with the mean %g and the standard deviation %g; the second should be from 1e-6 "
                   "to 1e6, the first from -1e6 to 1e6, for each channel.",
                   w->file->name, mean[0], std[0]);
}

/* *said: the list is there and sound. */
static skp_status read_list(bool *said, const network *w, const char *key, double out[4]) {
  cJSON *list;
  SKP_TRY(skp__json_parse(&list, skp__onnx_metadata(w->file, key)));
  const int n = cJSON_GetArraySize(list);
  bool sound = cJSON_IsArray(list) && n >= 1 && n <= 4;
  for (int c = 0; c < 4 && sound; c++) {
    const cJSON *x = cJSON_GetArrayItem(list, c < n ? c : n - 1);
    sound = cJSON_IsNumber(x) && fabs(x->valuedouble) <= 1e6;
    out[c] = sound ? x->valuedouble : 0;
  }
  cJSON_Delete(list);
  *said = sound;
  return SKP_OK;
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
  bool said, both = false;
  SKP_TRY(find_pixels(&said, w, mean, std)); /* else as the file says beside */
  if (!said) SKP_TRY(read_list(&both, w, "mean", mean));
  if (!said && both) SKP_TRY(read_list(&said, w, "std", std));
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
  struct skp__memory m;
  SKP_TRY(skp__alloc(&w->value, f->names.n, sizeof *w->value));
  if (!skp__memory_open(&m)) return skp__fail_memory("a network", 0);
  w->to = m.to;
  skp_status status = put_network(w);
  if (!skp__memory_close(&m) && status == SKP_OK) status = skp__fail_memory("a network", m.bytes);
  if (status == SKP_OK) status = put_metadata(w, m.text, out);
  if (status == SKP_OK) status = put_tensors(w, out);
  free(m.text);
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
  skp__tree_free(&w.taken, free);
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
