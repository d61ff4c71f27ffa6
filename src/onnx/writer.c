/* writer.c: an ONNX model put together piece by piece. SPDX-License-Identifier: MIT
 *
 * The messages are protobuf-c's; they point to memory that the writer owns or that outlives it. Bytes are written as
 * protobuf has them: little-endian, so raw data are the machine's own on all that Skipper runs on. */
#include "onnx/writer.h"
#include "base/file.h"
#include "skipper/version.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { ATTR_FLOAT = 1, ATTR_INT = 2, ATTR_TEXT = 3, ATTR_INTS = 7 };
static const int64_t most_bytes = INT32_MAX; /* of a protobuf message */

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static void note(struct skp__onnx_writer *w, skp_status status) {
  if (w->status == SKP_OK) w->status = status;
}

/* Takes fresh memory over. */
static void *keep(struct skp__onnx_writer *w, void *memory) {
  const skp_status status = SKP_GROW(&w->owned);
  note(w, status);
  if (status != SKP_OK) {
    free(memory);
    return NULL;
  }
  return w->owned.at[w->owned.n - 1] = memory;
}

void *skp__onnx_own(struct skp__onnx_writer *w, size_t count, size_t size) {
  void *memory;
  if (w->status != SKP_OK) return NULL;
  note(w, skp__alloc(&memory, count, size));
  return memory ? keep(w, memory) : NULL;
}

char *skp__onnx_text(struct skp__onnx_writer *w, const char *format, ...) {
  va_list args;
  char *text = NULL;
  if (w->status != SKP_OK) return NULL;
  va_start(args, format);
  if (vasprintf(&text, format, args) < 0) text = NULL;
  va_end(args);
  if (text) return keep(w, text);
  note(w, skp__fail_memory("a text", strlen(format)));
  return NULL;
}

static char *copy(struct skp__onnx_writer *w, const char *text) { return skp__onnx_text(w, "%s", text); }

/* An empty message; NULL after a failure. */
static void *message(struct skp__onnx_writer *w, const ProtobufCMessageDescriptor *kind) {
  void *fresh = skp__onnx_own(w, 1, kind->sizeof_message);
  if (fresh) protobuf_c_message_init(kind, fresh);
  return fresh;
}

/* Room for n pointers to messages, of which the first is `only`. */
static void *list_of(struct skp__onnx_writer *w, size_t n, void *only) {
  void **list = skp__onnx_own(w, n, sizeof *list);
  if (list) *list = only;
  return list;
}

/* ---- constants --------------------------------------------------------------------------------------------------- */

static const char *constant(struct skp__onnx_writer *w, const char *name, int type, const void *data, size_t bytes,
                            const int64_t *dim, int rank) {
  Skp__TensorProto *t = message(w, &skp__tensor_proto__descriptor);
  int64_t *dims = skp__onnx_own(w, (size_t)rank, sizeof *dims);
  if (w->status == SKP_OK) note(w, SKP_GROW(&w->tensors));
  if (w->status != SKP_OK) return name;
  w->tensors.at[w->tensors.n - 1] = t;
  if (rank) memcpy(dims, dim, (size_t)rank * sizeof *dims);
  t->name = copy(w, name);
  t->n_dims = (size_t)rank;
  t->dims = dims;
  t->has_data_type = t->has_raw_data = true;
  t->data_type = type;
  t->raw_data = (ProtobufCBinaryData){bytes, (uint8_t *)(uintptr_t)data};
  return t->name;
}

const char *skp__onnx_floats(struct skp__onnx_writer *w, const char *name, const float *data, const int64_t *dim,
                             int rank) {
  size_t n = 1;
  for (int i = 0; i < rank; i++) n *= (size_t)dim[i];
  return constant(w, name, SKP__ONNX_FLOAT, data, n * sizeof *data, dim, rank);
}

const char *skp__onnx_ints(struct skp__onnx_writer *w, const char *name, const int64_t *data, int64_t n) {
  int64_t *own = skp__onnx_own(w, (size_t)n, sizeof *own);
  if (own) memcpy(own, data, (size_t)n * sizeof *own);
  return constant(w, name, SKP__ONNX_INT64, own, (size_t)n * sizeof *own, &n, 1);
}

const char *skp__onnx_number(struct skp__onnx_writer *w, const char *name, float value) {
  float *own = skp__onnx_own(w, 1, sizeof *own);
  if (own) *own = value;
  return constant(w, name, SKP__ONNX_FLOAT, own, sizeof *own, NULL, 0);
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

enum { MOST_ATTRIBUTES = 8 };

Skp__NodeProto *skp__onnx_join(struct skp__onnx_writer *w, const char *name, const char *type, const char *const *in,
                               size_t n, const char *out) {
  Skp__NodeProto *node = message(w, &skp__node_proto__descriptor);
  char **inputs = list_of(w, n, NULL);
  void *outputs = list_of(w, 1, copy(w, out)), *attributes = list_of(w, MOST_ATTRIBUTES, NULL);
  if (w->status == SKP_OK) note(w, SKP_GROW(&w->nodes));
  if (w->status != SKP_OK) return NULL;
  w->nodes.at[w->nodes.n - 1] = node;
  for (size_t i = 0; i < n; i++) inputs[i] = copy(w, in[i] ? in[i] : "");
  node->name = copy(w, name);
  node->op_type = copy(w, type);
  node->n_input = n;
  node->input = inputs;
  node->n_output = 1;
  node->output = outputs;
  node->attribute = attributes;
  return node;
}

Skp__NodeProto *skp__onnx_node(struct skp__onnx_writer *w, const char *name, const char *type, const char *const in[3],
                               const char *out) {
  const size_t n = in[2] ? 3 : in[1] ? 2 : 1;
  return skp__onnx_join(w, name, type, in, n, out);
}

/* The attribute to be filled in; after a failure one that nobody reads. */
static Skp__AttributeProto *attribute(struct skp__onnx_writer *w, Skp__NodeProto *node, const char *name, int type) {
  static _Thread_local Skp__AttributeProto nowhere;
  Skp__AttributeProto *a = message(w, &skp__attribute_proto__descriptor);
  char *text = copy(w, name);
  if (w->status != SKP_OK) return &nowhere;
  a->name = text;
  a->has_type = true;
  a->type = type;
  node->attribute[node->n_attribute++] = a;
  return a;
}

void skp__onnx_set_int(struct skp__onnx_writer *w, Skp__NodeProto *node, const char *name, int64_t value) {
  Skp__AttributeProto *a = attribute(w, node, name, ATTR_INT);
  a->has_i = true;
  a->i = value;
}

void skp__onnx_set_ints(struct skp__onnx_writer *w, Skp__NodeProto *node, const char *name, const int64_t *value,
                        size_t n) {
  Skp__AttributeProto *a = attribute(w, node, name, ATTR_INTS);
  int64_t *own = skp__onnx_own(w, n, sizeof *own);
  if (!own) return;
  memcpy(own, value, n * sizeof *own);
  a->n_ints = n;
  a->ints = own;
}

void skp__onnx_set_float(struct skp__onnx_writer *w, Skp__NodeProto *node, const char *name, double value) {
  Skp__AttributeProto *a = attribute(w, node, name, ATTR_FLOAT);
  a->has_f = true;
  a->f = (float)value;
}

void skp__onnx_set_text(struct skp__onnx_writer *w, Skp__NodeProto *node, const char *name, const char *value) {
  Skp__AttributeProto *a = attribute(w, node, name, ATTR_TEXT);
  a->has_s = true;
  a->s = (ProtobufCBinaryData){strlen(value), (uint8_t *)copy(w, value)};
}

/* ---- the model --------------------------------------------------------------------------------------------------- */

/* The version of the file format that goes with a set of operators, from that of this row on. */
static const struct { int opset, version; } formats[] = {{1, 7}, {15, 8}, {19, 9}, {21, 10}, {23, 11}};

static int format_of(int opset) {
  int version = 0;
  for (size_t i = 0; i < sizeof formats / sizeof *formats && formats[i].opset <= opset; i++)
    version = formats[i].version;
  return version;
}

static Skp__ValueInfoProto *value(struct skp__onnx_writer *w, const char *name, int type, const int64_t *dim,
                                  int rank) {
  Skp__ValueInfoProto *v = message(w, &skp__value_info_proto__descriptor);
  Skp__TypeProto *of = message(w, &skp__type_proto__descriptor);
  Skp__TensorTypeProto *tensor = message(w, &skp__tensor_type_proto__descriptor);
  Skp__TensorShapeProto *shape = message(w, &skp__tensor_shape_proto__descriptor);
  Skp__DimensionProto **dims = list_of(w, (size_t)rank, NULL);
  for (int i = 0; i < rank && dims; i++) dims[i] = message(w, &skp__dimension_proto__descriptor);
  if (w->status != SKP_OK) return NULL;
  for (int i = 0; i < rank; i++) {
    dims[i]->has_dim_value = dim[i] > 0;
    dims[i]->dim_value = dim[i];
    if (dim[i] < 1) dims[i]->dim_param = copy(w, "N");
  }
  shape->n_dim = (size_t)rank;
  shape->dim = dims;
  *tensor = (Skp__TensorTypeProto){.base = tensor->base, .has_elem_type = true, .elem_type = type, .shape = shape};
  of->tensor_type = tensor;
  v->type = of;
  v->name = copy(w, name);
  return v;
}

void skp__onnx_input(struct skp__onnx_writer *w, const char *name, int type, const int64_t *dim, int rank) {
  w->graph.input = list_of(w, 1, value(w, name, type, dim, rank));
  w->graph.n_input = 1;
}

void skp__onnx_output(struct skp__onnx_writer *w, const char *name, const int64_t *dim, int rank) {
  w->graph.output = list_of(w, 1, value(w, name, SKP__ONNX_FLOAT, dim, rank));
  w->graph.n_output = 1;
}

void skp__onnx_meta(struct skp__onnx_writer *w, const char *key, const char *text) {
  Skp__StringStringEntryProto *entry = message(w, &skp__string_string_entry_proto__descriptor);
  if (w->status == SKP_OK) note(w, SKP_GROW(&w->meta));
  if (w->status != SKP_OK) return;
  w->meta.at[w->meta.n - 1] = entry;
  entry->key = copy(w, key);
  entry->value = copy(w, text);
}

void skp__onnx_begin(struct skp__onnx_writer *w, const char *name, int opset) {
  *w = (struct skp__onnx_writer){.status = SKP_OK};
  skp__model_proto__init(&w->model);
  skp__graph_proto__init(&w->graph);
  Skp__OperatorSetIdProto *set = message(w, &skp__operator_set_id_proto__descriptor);
  w->graph.name = copy(w, name);
  w->model.has_ir_version = true;
  w->model.ir_version = format_of(opset);
  w->model.producer_name = copy(w, "skipper");
  w->model.producer_version = copy(w, SKP_VERSION);
  w->model.graph = &w->graph;
  if (w->status != SKP_OK) return;
  set->domain = copy(w, "");
  set->has_version = true;
  set->version = opset;
  w->model.opset_import = list_of(w, 1, set);
  w->model.n_opset_import = 1;
}

static skp_status write_model(struct skp__onnx_writer *w, const char *path) {
  w->graph.node = w->nodes.at;
  w->graph.n_node = w->nodes.n;
  w->graph.initializer = w->tensors.at;
  w->graph.n_initializer = w->tensors.n;
  w->model.metadata_props = w->meta.at;
  w->model.n_metadata_props = w->meta.n;
  const size_t bytes = skp__model_proto__get_packed_size(&w->model);
  if ((int64_t)bytes > most_bytes)
    return skp__fail(SKP_UNSUPPORTED, "%s would have %zu bytes; a file of ONNX has at most %lld.", path, bytes,
                     (long long)most_bytes);
  uint8_t *packed;
  SKP_TRY(skp__alloc(&packed, bytes, 1));
  skp__model_proto__pack(&w->model, packed);
  skp_status status = skp__file_write_atomic(path, &(struct skp__file_part){packed, (int64_t)bytes}, 1);
  free(packed);
  return status;
}

skp_status skp__onnx_end(struct skp__onnx_writer *w, const char *path) {
  skp_status status = w->status == SKP_OK ? write_model(w, path) : w->status;
  for (size_t i = 0; i < w->owned.n; i++) free(w->owned.at[i]);
  SKP_FREE(&w->owned);
  SKP_FREE(&w->nodes);
  SKP_FREE(&w->tensors);
  SKP_FREE(&w->meta);
  return status;
}
