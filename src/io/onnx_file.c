/* onnx_file.c: an ONNX file in memory. SPDX-License-Identifier: MIT
 *
 * protobuf-c takes the messages apart. It copies texts and values, which are no larger than the file, and makes a
 * struct of each message, of which a hostile file may have one for every two bytes: so it gets memory from a purse. */
#include "io/onnx_file.h"
#include "base/file.h"
#include "io/weights.h"
#include <stdlib.h>
#include <string.h>

enum { INT64 = 7, MOST_NODES = 1 << 14, MOST_RANK = 8 };
static const int64_t struct_limit = INT64_C(256) << 20, file_limit = INT64_C(8) << 30;

/* ---- messages ---------------------------------------------------------------------------------------------------- */

/* What is given back does not count, so all that is ever taken is bounded. */
struct purse {
  int64_t left; /* what may be taken yet */
  bool lacks;   /* the machine's memory did not suffice */
};

static void *take(void *user, size_t size) {
  struct purse *purse = user;
  if ((int64_t)size > purse->left) return NULL;
  purse->left -= (int64_t)size;
  void *fresh = malloc(size);
  if (!fresh) purse->lacks = true;
  return fresh;
}

static void give_back(void *user, void *memory) {
  (void)user;
  free(memory);
}

static skp_status unpack(struct skp__onnx_file *f, const void *bytes, int64_t size) {
  struct purse purse = {.left = size + (size < struct_limit / 64 ? 64 * size : struct_limit) + 4096};
  ProtobufCAllocator allocator = {take, give_back, &purse};
  f->model = skp__model_proto__unpack(&allocator, (size_t)size, bytes);
  if (f->model && f->model->graph) return SKP_OK;
  if (purse.lacks) return skp__fail_memory(f->name, (unsigned long long)size);
  return skp__fail(SKP_FORMAT, "%s is no ONNX file, or a damaged one: its messages cannot be read.", f->name);
}

static skp_status check_version(struct skp__onnx_file *f) {
  for (size_t i = 0; i < f->model->n_opset_import; i++) {
    const Skp__OperatorSetIdProto *set = f->model->opset_import[i];
    if (!set->domain || !*set->domain) f->opset = set->version;
  }
  if (f->opset < 7 || f->opset > 30)
    return skp__fail(SKP_UNSUPPORTED, "%s needs version %lld of ONNX's operators; 7 to 30 are known.", f->name,
                     (long long)f->opset);
  if (f->model->n_functions)
    return skp__fail(SKP_UNSUPPORTED, "%s has functions of its own; write it with them inlined.", f->name);
  if (f->model->graph->n_node > MOST_NODES)
    return skp__fail(SKP_UNSUPPORTED, "%s has %zu nodes; at most %d are taken.", f->name, f->model->graph->n_node,
                     MOST_NODES);
  return SKP_OK;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static skp_status add_name(struct skp__onnx_file *f, const char *name, const Skp__TensorProto *constant,
                           const Skp__NodeProto *maker) {
  if (!name || !*name) return SKP_OK; /* an output that nobody wants */
  SKP_TRY(SKP_GROW(&f->names));
  f->names.at[f->names.n - 1] = (struct skp__onnx_name){.name = name, .constant = constant, .maker = maker};
  return SKP_OK;
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const struct skp__onnx_name *)a)->name, ((const struct skp__onnx_name *)b)->name);
}

static bool is_input(const struct skp__onnx_name *row) { return !row->constant && !row->maker; }

/* Older files list constants as inputs, too: one row for each name. Two of another kind are a mistake. */
static skp_status merge_names(struct skp__onnx_file *f) {
  size_t n = 0;
  for (size_t i = 0; i < f->names.n; i++) {
    struct skp__onnx_name *row = &f->names.at[i], *last = n ? &f->names.at[n - 1] : NULL;
    const bool again = last && !strcmp(last->name, row->name);
    if (again && !is_input(last) && !is_input(row))
      return skp__fail(SKP_FORMAT, "%s: two values are named \"%s\".", f->name, row->name);
    if (!again) f->names.at[n++] = *row;
    if (again && is_input(last)) *last = *row;
  }
  f->names.n = n;
  for (size_t i = 0; i < n; i++) f->names.at[i].number = (int)i;
  return SKP_OK;
}

static skp_status list_names(struct skp__onnx_file *f) {
  const Skp__GraphProto *g = f->model->graph;
  for (size_t i = 0; i < g->n_initializer; i++) SKP_TRY(add_name(f, g->initializer[i]->name, g->initializer[i], NULL));
  for (size_t i = 0; i < g->n_node; i++)
    for (size_t o = 0; o < g->node[i]->n_output; o++) SKP_TRY(add_name(f, g->node[i]->output[o], NULL, g->node[i]));
  for (size_t i = 0; i < g->n_input; i++) SKP_TRY(add_name(f, g->input[i]->name, NULL, NULL));
  if (f->names.n) qsort(f->names.at, f->names.n, sizeof *f->names.at, by_name);
  return merge_names(f);
}

const struct skp__onnx_name *skp__onnx_find(const struct skp__onnx_file *f, const char *name) {
  const struct skp__onnx_name key = {.name = name};
  return f->names.n ? bsearch(&key, f->names.at, f->names.n, sizeof key, by_name) : NULL;
}

const Skp__AttributeProto *skp__onnx_attribute(const Skp__NodeProto *node, const char *name) {
  for (size_t i = 0; i < node->n_attribute; i++)
    if (node->attribute[i]->name && !strcmp(node->attribute[i]->name, name)) return node->attribute[i];
  return NULL;
}

const char *skp__onnx_metadata(const struct skp__onnx_file *f, const char *key) {
  for (size_t i = 0; i < f->model->n_metadata_props; i++) {
    const Skp__StringStringEntryProto *entry = f->model->metadata_props[i];
    if (entry->key && entry->value && !strcmp(entry->key, key)) return entry->value;
  }
  return NULL;
}

/* ---- constants --------------------------------------------------------------------------------------------------- */

const Skp__TensorProto *skp__onnx_constant(const struct skp__onnx_file *f, const char *name) {
  enum { DEEPEST = 16 };
  const struct skp__onnx_name *row = name && *name ? skp__onnx_find(f, name) : NULL;
  for (int depth = 0; row && depth < DEEPEST; depth++) {
    if (row->constant) return row->constant;
    const Skp__NodeProto *node = row->maker;
    if (!node || !node->op_type) return NULL;
    const Skp__AttributeProto *value = skp__onnx_attribute(node, "value");
    if (!strcmp(node->op_type, "Constant")) return value ? value->t : NULL;
    const bool passes = !strcmp(node->op_type, "Identity") || !strcmp(node->op_type, "Cast");
    row = passes && node->n_input ? skp__onnx_find(f, node->input[0]) : NULL;
  }
  return NULL;
}

int64_t skp__onnx_count(const Skp__TensorProto *t) {
  int64_t n = 1;
  for (size_t i = 0; i < t->n_dims; i++) {
    if (t->dims[i] < 0 || (t->dims[i] && n > INT32_MAX / t->dims[i])) return -1;
    n *= t->dims[i];
  }
  return t->n_dims <= MOST_RANK ? n : -1;
}

static const char *name_of(const Skp__TensorProto *t) { return t->name && *t->name ? t->name : "a constant"; }

skp_status skp__onnx_read_ints(const Skp__TensorProto *t, int64_t *out, int64_t most, int64_t *n) {
  *n = skp__onnx_count(t);
  const bool raw = t->has_raw_data && t->raw_data.len == (size_t)*n * sizeof *out;
  if (t->data_type != INT64 || *n < 0 || *n > most || (!raw && t->n_int64_data != (size_t)*n))
    return skp__fail(SKP_FORMAT, "%s is no list of at most %lld whole numbers", name_of(t), (long long)most);
  if (*n) memcpy(out, raw ? (const void *)t->raw_data.data : t->int64_data, (size_t)*n * sizeof *out);
  return SKP_OK;
}

/* ---- values that lie in a file beside ---------------------------------------------------------------------------- */

static const char *entry(const Skp__TensorProto *t, const char *key) {
  for (size_t i = 0; i < t->n_external_data; i++)
    if (t->external_data[i]->key && t->external_data[i]->value && !strcmp(t->external_data[i]->key, key))
      return t->external_data[i]->value;
  return NULL;
}

/* Only names that lead down from the file's own folder. */
static bool leads_down(const char *location) {
  bool down = *location && *location != '/';
  for (const char *at = location; at && *at; at = strchr(at, '/'), at += at ? 1 : 0)
    down = down && !(at[0] == '.' && at[1] == '.' && (!at[2] || at[2] == '/'));
  return down;
}

/* Reads the file of that name, unless it was the last one. */
static skp_status read_external(struct skp__onnx_file *f, const char *location) {
  char *path;
  if (f->location && !strcmp(f->location, location)) return SKP_OK;
  if (!f->folder || !leads_down(location))
    return skp__fail(SKP_FORMAT, "%s keeps values in \"%s\", which is not in its folder.", f->name, location);
  free(f->location);
  free(f->external);
  f->external = f->location = NULL;
  SKP_TRY(skp__path_join(&path, f->folder, location));
  skp_status status = skp__file_read(&f->external, &f->external_size, path, file_limit);
  free(path);
  if (status != SKP_OK) return skp__fail_in(status, "%s keeps its weights in a file beside it", f->name);
  return skp__strdup(&f->location, location);
}

/* A whole number in words; -1: it is none. */
static int64_t whole(const char *text) {
  char *end;
  const long long n = text && *text ? strtoll(text, &end, 10) : -1;
  return text && *text && !*end && n >= 0 ? n : -1;
}

static skp_status find_external(struct skp__onnx_file *f, const Skp__TensorProto *t, struct skp_st_tensor *out) {
  const char *location = entry(t, "location");
  const int64_t offset = entry(t, "offset") ? whole(entry(t, "offset")) : 0;
  if (!location) return skp__fail(SKP_FORMAT, "%s: %s lies nowhere.", f->name, name_of(t));
  SKP_TRY(read_external(f, location));
  if (offset < 0 || offset > f->external_size || out->bytes > f->external_size - offset)
    return skp__fail(SKP_FORMAT, "%s: %s reaches beyond the end of %s.", f->name, name_of(t), location);
  out->data = (const char *)f->external + offset;
  return SKP_OK;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static const struct type {
  int number, bytes;
  const char *dtype;
} types[] = {{1, 4, "F32"}, {10, 2, "F16"}, {11, 8, "F64"}, {16, 2, "BF16"}};

static const struct type *find_type(int number) {
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (types[i].number == number) return &types[i];
  return NULL;
}

/* Where the values are: raw, as a list of floats, or in another file. */
static skp_status locate(struct skp__onnx_file *f, const Skp__TensorProto *t, struct skp_st_tensor *out) {
  enum { EXTERNAL = 1 };
  if (t->data_location == EXTERNAL) return find_external(f, t, out);
  out->data = t->has_raw_data ? (const void *)t->raw_data.data : t->float_data;
  const size_t bytes = t->has_raw_data ? t->raw_data.len : t->n_float_data * sizeof *t->float_data;
  if (bytes == (size_t)out->bytes && (t->has_raw_data || !strcmp(out->dtype, "F32"))) return SKP_OK;
  return skp__fail(SKP_FORMAT, "%s: %s has %zu bytes, not the %lld of its shape.", f->name, name_of(t), bytes,
                   (long long)out->bytes);
}

/* A few whole numbers, which some nodes cast. */
static skp_status read_whole(const Skp__TensorProto *t, float **out, int64_t *n) {
  enum { MOST = 64 };
  int64_t at[MOST];
  SKP_TRY(skp__onnx_read_ints(t, at, MOST, n));
  SKP_TRY(skp__alloc(out, (size_t)*n, sizeof **out));
  for (int64_t i = 0; i < *n; i++) (*out)[i] = (float)at[i];
  return SKP_OK;
}

skp_status skp__onnx_read_floats(struct skp__onnx_file *f, const Skp__TensorProto *t, float **out, int64_t *n) {
  const struct type *type = find_type(t->data_type);
  struct skp_st_tensor at = {.name = t->name ? t->name : (char *)"a constant", .rank = (int)t->n_dims};
  *out = NULL;
  if (t->data_type == INT64) return read_whole(t, out, n);
  *n = skp__onnx_count(t);
  if (!type || *n < 0)
    return skp__fail(SKP_UNSUPPORTED, "%s: %s has %s that weights do not have here.", f->name, name_of(t),
                     type ? "a shape" : "a type");
  at.bytes = *n * type->bytes;
  memcpy(at.dtype, type->dtype, strlen(type->dtype) + 1);
  for (int i = 0; i < at.rank; i++) at.dim[i] = t->dims[i];
  SKP_TRY(locate(f, t, &at));
  SKP_TRY(skp__alloc(out, (size_t)*n, sizeof **out));
  skp_status status = skp__weights_floats(*out, &at);
  if (status == SKP_OK) return SKP_OK;
  free(*out);
  *out = NULL;
  return skp__fail_in(status, "%s", f->name);
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

skp_status skp__onnx_open(struct skp__onnx_file *f, const void *bytes, int64_t size) {
  SKP_TRY(unpack(f, bytes, size));
  SKP_TRY(check_version(f));
  return list_names(f);
}

void skp__onnx_close(struct skp__onnx_file *f) {
  if (f->model) skp__model_proto__free_unpacked(f->model, NULL);
  SKP_FREE(&f->names);
  free(f->location);
  free(f->external);
}

void skp__onnx_windows(float *out, int64_t size, int64_t extent) {
  for (int64_t p = 0; p < size; p++) {
    const int64_t first = p * extent / size, end = ((p + 1) * extent + size - 1) / size;
    for (int64_t i = 0; i < extent; i++) out[p * extent + i] = i >= first && i < end ? 1 / (float)(end - first) : 0;
  }
}
