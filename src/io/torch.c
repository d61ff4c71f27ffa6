/* torch.c: the zip archives that torch.save writes; see weights.h. SPDX-License-Identifier: MIT
 *
 *   NAME/data.pkl     a pickle: tensors are calls of torch._utils._rebuild_tensor_v2(storage, offset, size, stride, …), a storage is an
 *                     object kept elsewhere: ("storage", torch.FloatStorage, KEY, device, values)
 *   NAME/data/KEY     its values, as they lie in memory, not compressed
 *   NAME/byteorder    "little", where it is there
 *
 * (PyTorch, torch/serialization.py, _save.) */
#include "base/array.h"
#include "io/pickle.h"
#include "io/weights.h"
#include <stdlib.h>
#include <string.h>
#include <zip.h>

enum { PICKLE_LIMIT = 32 << 20, MAX_RANK = 8, MAX_NAME = 1000 };
enum { SHARED = 4 }; /* all tensors together may take so many times the file's size: some share their values */

/* The values of one storage. */
struct storage {
  const char *key; /* borrowed */
  char *values;
  int64_t bytes;
};

struct reader {
  struct skp_st_file *out;
  const char *name;
  zip_t *zip;
  char *prefix; /* "NAME/" */
  struct skp_pickle pickle;
  int64_t room;                       /* bytes that may yet be read or made */
  SKP_ARRAY(struct storage) storages; /* those read so far: several tensors may share one */
};

/* ---- entries ------------------------------------------------------------------------------------------------------ */

/* The whole content of an entry, of which there should be `size` bytes (-1: whatever is there, up to a limit). */
static skp_status read_entry(struct reader *r, void **out, int64_t *size, const char *entry, int64_t limit) {
  char *path;
  zip_stat_t stat;
  *out = NULL;
  SKP_TRY(skp__format(&path, "%s%s", r->prefix, entry));
  zip_file_t *file = zip_stat(r->zip, path, 0, &stat) ? NULL : zip_fopen(r->zip, path, 0);
  free(path);
  skp_status status = SKP_OK;
  if (!file)
    status = skp__fail(SKP_FORMAT, "%s: the archive lacks %s.", r->name, entry);
  else if (stat.comp_method != ZIP_CM_STORE)
    status = skp__fail(SKP_UNSUPPORTED, "%s: %s is compressed, which torch.save never does.", r->name, entry);
  else if (stat.size > (uint64_t)limit)
    status = skp__fail(SKP_FORMAT, "%s: %s has %llu bytes; %lld are expected at most.", r->name, entry,
                       (unsigned long long)stat.size, (long long)limit);
  if (status == SKP_OK) status = skp__alloc(out, (size_t)stat.size + 1, 1);
  if (status == SKP_OK && zip_fread(file, *out, stat.size) != (zip_int64_t)stat.size)
    status = skp__fail(SKP_FORMAT, "%s: %s cannot be read: the file is truncated or damaged.", r->name, entry);
  if (status == SKP_OK) *size = (int64_t)stat.size;
  if (file) zip_fclose(file);
  return status;
}

static bool has_entry(const struct reader *r, const char *entry) {
  char path[MAX_NAME + 40];
  snprintf(path, sizeof path, "%s%s", r->prefix, entry);
  return zip_name_locate(r->zip, path, 0) >= 0;
}

/* Finds NAME: the folder of data.pkl. */
static skp_status find_prefix(struct reader *r) {
  static const char last[] = "data.pkl";
  for (zip_int64_t i = 0; i < zip_get_num_entries(r->zip, 0); i++) {
    const char *entry = zip_get_name(r->zip, (zip_uint64_t)i, 0), *slash = entry ? strrchr(entry, '/') : NULL;
    if (!entry || strcmp(slash ? slash + 1 : entry, last) || strlen(entry) > MAX_NAME) continue;
    return skp__format(&r->prefix, "%.*s", (int)(strlen(entry) - strlen(last)), entry);
  }
  return skp__fail(SKP_FORMAT, "%s is a zip archive, but none of torch.save: it holds no data.pkl.", r->name);
}

static skp_status check_byte_order(struct reader *r) {
  void *text;
  int64_t size;
  if (!has_entry(r, "byteorder")) return SKP_OK;
  skp_status status = read_entry(r, &text, &size, "byteorder", 16);
  if (status == SKP_OK && strcmp(text, "little") != 0)
    status =
        skp__fail(SKP_UNSUPPORTED,
                  "%s was written on a machine with the bytes of numbers in the other order. Save it as safetensors "
                  "there.",
                  r->name);
  free(text);
  return status;
}

/* ---- the dictionary of tensors ----------------------------------------------------------------------------------- */

/* The arguments of the call that makes a tensor; NULL: the node is none. Parameters wrap one. */
static const struct skp_pickle_node *tensor_arguments(const struct skp_pickle *p, const struct skp_pickle_node *node) {
  static const char rebuild[] = "torch._utils _rebuild_tensor_v2";
  for (int depth = 0; depth < 3 && node; depth++) {
    const struct skp_pickle_node *arguments = skp__pickle_item(p, node, 1), *called = skp__pickle_item(p, arguments, 0);
    if (skp__pickle_calls(p, node, rebuild)) return arguments;
    if (skp__pickle_calls(p, node, "torch._tensor _rebuild_from_type_v2"))
      return called && called->text && !strcmp(called->text, rebuild) ? skp__pickle_item(p, arguments, 2) : NULL;
    bool parameter = skp__pickle_calls(p, node, "torch._utils _rebuild_parameter") ||
                     skp__pickle_calls(p, node, "torch._utils _rebuild_parameter_with_state");
    node = parameter ? called : NULL;
  }
  return NULL;
}

static size_t count_tensors(const struct skp_pickle *p, const struct skp_pickle_node *node) {
  size_t n = 0;
  for (size_t i = 1; node && node->kind == SKP_PICKLE_DICT && i < node->items.n; i += 2)
    n += tensor_arguments(p, skp__pickle_item(p, node, i)) != NULL;
  return n;
}

/* The dictionary that holds most tensors: the node itself, or what stands under one of the keys that trainers use. */
static const struct skp_pickle_node *find_tensors(const struct skp_pickle *p, const struct skp_pickle_node *node,
                                                  int depth) {
  static const char *const keys[] = {"state_dict", "model_state_dict", "model",   "net",
                                     "network",    "module",           "weights", "params"};
  size_t most = count_tensors(p, node);
  const struct skp_pickle_node *best = most ? node : NULL;
  for (size_t i = 0; depth && i < sizeof keys / sizeof *keys; i++) {
    const struct skp_pickle_node *inner = skp__pickle_get(p, node, keys[i]),
                                 *found = inner ? find_tensors(p, inner, depth - 1) : NULL;
    if (!found || count_tensors(p, found) <= most) continue;
    most = count_tensors(p, found);
    best = found;
  }
  return best;
}

static skp_status fail_no_tensors(const struct reader *r) {
  const struct skp_pickle_node *root = &r->pickle.value.at[r->pickle.root],
                               *called = skp__pickle_item(&r->pickle, root, 0);
  char what[200] = "something else";
  if (root->kind == SKP_PICKLE_DICT) snprintf(what, sizeof what, "a dictionary without tensors of its own");
  if (root->kind == SKP_PICKLE_CALL && called && called->text)
    snprintf(what, sizeof what, "an object of Python (%.150s)", called->text);
  return skp__fail(
      SKP_UNSUPPORTED,
      "%s holds %s, not a dictionary of tensors. In Python: torch.save(model.state_dict(), \"weights.pth\")", r->name,
      what);
}

/* ---- tensors ------------------------------------------------------------------------------------------------------ */

static const struct storage_type {
  const char *global, *dtype;
  int bytes;
} storage_types[] = {
    {"torch FloatStorage", "F32", 4},     {"torch DoubleStorage", "F64", 8}, {"torch HalfStorage", "F16", 2},
    {"torch BFloat16Storage", "BF16", 2}, {"torch LongStorage", "I64", 8},   {"torch IntStorage", "I32", 4},
    {"torch ShortStorage", "I16", 2},     {"torch CharStorage", "I8", 1},    {"torch ByteStorage", "U8", 1},
    {"torch BoolStorage", "BOOL", 1},
};

/* A tensor as its call describes it: values in a storage, some way apart along each dimension. */
struct view {
  const struct storage_type *type;
  const char *key;
  int64_t stored, offset; /* values in the storage; the first one's place */
  int rank;
  int64_t dim[MAX_RANK], stride[MAX_RANK], count;
};

static bool whole(const struct skp_pickle_node *node, int64_t *out) {
  if (!node || node->kind != SKP_PICKLE_INT || node->number < 0) return false;
  *out = node->number;
  return true;
}

/* Files have keys that are numbers. */
static bool sound_key(const char *key) {
  size_t n = strlen(key);
  return n && n <= 20 && strspn(key, "0123456789") == n;
}

static bool read_storage(struct view *v, const struct skp_pickle *p, const struct skp_pickle_node *far) {
  const struct skp_pickle_node *id = far && far->kind == SKP_PICKLE_FAR ? skp__pickle_item(p, far, 0) : NULL;
  const struct skp_pickle_node *tag = skp__pickle_item(p, id, 0), *type = skp__pickle_item(p, id, 1),
                               *key = skp__pickle_item(p, id, 2);
  if (!tag || !tag->text || strcmp(tag->text, "storage") || !type || !type->text || !key || !key->text) return false;
  for (size_t i = 0; i < sizeof storage_types / sizeof *storage_types; i++)
    if (!strcmp(storage_types[i].global, type->text)) v->type = &storage_types[i];
  v->key = key->text;
  return v->type && sound_key(v->key) && whole(skp__pickle_item(p, id, 4), &v->stored);
}

/* Sizes and strides; none of its values may lie beyond the storage, nor may there be more of them than it has. */
static bool read_extents(struct view *v, const struct skp_pickle *p, const struct skp_pickle_node *arguments) {
  const struct skp_pickle_node *size = skp__pickle_item(p, arguments, 2), *stride = skp__pickle_item(p, arguments, 3);
  if (!whole(skp__pickle_item(p, arguments, 1), &v->offset) || !size || !stride || size->kind != SKP_PICKLE_LIST ||
      stride->kind != SKP_PICKLE_LIST || size->items.n > MAX_RANK || stride->items.n != size->items.n)
    return false;
  int64_t last = v->offset, reach;
  v->rank = (int)size->items.n;
  v->count = 1;
  for (int d = 0; d < v->rank; d++) {
    if (!whole(skp__pickle_item(p, size, (size_t)d), &v->dim[d]) ||
        !whole(skp__pickle_item(p, stride, (size_t)d), &v->stride[d]) ||
        __builtin_mul_overflow(v->count, v->dim[d], &v->count))
      return false;
    if (__builtin_mul_overflow(v->dim[d] ? v->dim[d] - 1 : 0, v->stride[d], &reach) ||
        __builtin_add_overflow(last, reach, &last))
      return false;
  }
  return !v->count || (last < v->stored && v->count <= v->stored);
}

static struct storage *find_storage(struct reader *r, const char *key) {
  for (size_t i = r->storages.n; i-- > 0;) /* those that are shared are mostly the latest */
    if (!strcmp(r->storages.at[i].key, key)) return &r->storages.at[i];
  return NULL;
}

static skp_status read_values(struct reader *r, struct storage *s) {
  char entry[40];
  int64_t have;
  void *values;
  snprintf(entry, sizeof entry, "data/%s", s->key);
  skp_status status = read_entry(r, &values, &have, entry, s->bytes);
  s->values = values;
  if (status != SKP_OK || have == s->bytes) return status;
  return skp__fail(SKP_FORMAT, "%s: %s has %lld bytes; its values need %lld.", r->name, entry, (long long)have,
                   (long long)s->bytes);
}

/* The storage that a view is of, read if it is met for the first time. */
static skp_status load_storage(struct reader *r, const char **values, const struct view *v) {
  int64_t bytes;
  bool huge = __builtin_mul_overflow(v->stored, (int64_t)v->type->bytes, &bytes);
  struct storage *s = find_storage(r, v->key);
  if (huge || (s ? bytes != s->bytes : bytes > r->room))
    return skp__fail(SKP_FORMAT, "%s: the storage %s does not have the %lld values that are said of it.", r->name,
                     v->key, (long long)v->stored);
  if (!s) {
    SKP_TRY(SKP_GROW(&r->storages));
    s = &r->storages.at[r->storages.n - 1];
    *s = (struct storage){.key = v->key, .bytes = bytes};
    r->room -= bytes;
    SKP_TRY(read_values(r, s));
  }
  *values = s->values;
  return SKP_OK;
}

/* The values in row-major order. */
static void copy_values(char *to, const char *stored, const struct view *v) {
  int64_t index[MAX_RANK] = {0}, at = v->offset;
  size_t bytes = (size_t)v->type->bytes;
  for (int64_t i = 0; i < v->count; i++, to += bytes) {
    memcpy(to, stored + at * (int64_t)bytes, bytes);
    for (int d = v->rank - 1; d >= 0; d--) {
      at += v->stride[d];
      if (++index[d] < v->dim[d]) break;
      at -= v->dim[d] * v->stride[d];
      index[d] = 0;
    }
  }
}

static skp_status add_tensor(struct reader *r, const char *key, const struct skp_pickle_node *arguments) {
  const struct skp_pickle *p = &r->pickle;
  struct view v = {.type = NULL};
  const char *defect = skp__st_name_defect(key);
  if (defect) return skp__fail(SKP_FORMAT, "%s: the name of a tensor %s.", r->name, defect);
  if (!read_storage(&v, p, skp__pickle_item(p, arguments, 0)))
    return skp__fail(SKP_UNSUPPORTED, "%s: the values of %.200s are kept in a way that is not known.", r->name, key);
  if (!read_extents(&v, p, arguments))
    return skp__fail(SKP_FORMAT, "%s: the shape of %.200s does not fit its values.", r->name, key);
  struct skp_st_tensor *t = &r->out->tensor[r->out->tensors];
  int64_t bytes = v.count * v.type->bytes; /* v.count is at most v.stored, whose bytes are checked next */
  const char *values = NULL;
  SKP_TRY(load_storage(r, &values, &v));
  if (bytes > r->room)
    return skp__fail(SKP_FORMAT, "%s: its tensors share their values too often to be weights.", r->name);
  r->room -= bytes;
  char *data;
  SKP_TRY(skp__alloc(&data, (size_t)bytes + 1, 1));
  copy_values(data, values, &v);
  strcpy(t->dtype, v.type->dtype);
  t->rank = v.rank;
  memcpy(t->dim, v.dim, sizeof t->dim);
  t->bytes = bytes;
  t->data = t->own = data;
  r->out->tensors++;
  return skp__strdup(&t->name, key);
}

static skp_status add_tensors(struct reader *r) {
  const struct skp_pickle *p = &r->pickle;
  const struct skp_pickle_node *dict = find_tensors(p, &p->value.at[p->root], 2);
  if (!dict) return fail_no_tensors(r);
  SKP_TRY(skp__alloc(&r->out->tensor, dict->items.n / 2, sizeof *r->out->tensor));
  for (size_t i = 0; i + 1 < dict->items.n; i += 2) {
    const struct skp_pickle_node *key = skp__pickle_item(p, dict, i),
                                 *arguments = tensor_arguments(p, skp__pickle_item(p, dict, i + 1));
    if (key->kind == SKP_PICKLE_TEXT && arguments) SKP_TRY(add_tensor(r, key->text, arguments));
  }
  return SKP_OK;
}

/* ---- the file ----------------------------------------------------------------------------------------------------- */

bool skp__torch_found(const void *bytes, int64_t size) { return size >= 4 && !memcmp(bytes, "PK\3\4", 4); }

static skp_status read_archive(struct reader *r) {
  void *pickle;
  int64_t size;
  SKP_TRY(find_prefix(r));
  if (has_entry(r, "constants.pkl"))
    return skp__fail(SKP_UNSUPPORTED,
                     "%s is a TorchScript archive. This line of Python takes its weights out: import torch; "
                     "torch.save(torch.jit.load(\"%s\").state_dict(), \"%s.weights.pth\")",
                     r->name, r->name, r->name);
  SKP_TRY(check_byte_order(r));
  skp_status status = read_entry(r, &pickle, &size, "data.pkl", PICKLE_LIMIT);
  if (status == SKP_OK) status = skp__pickle_parse(&r->pickle, pickle, size, r->name);
  free(pickle);
  return status == SKP_OK ? add_tensors(r) : status;
}

skp_status skp__torch_parse(struct skp_st_file *out, const void *bytes, int64_t size, const char *name) {
  struct reader r = {.out = out, .name = name, .room = SHARED * size};
  zip_error_t error;
  *out = (struct skp_st_file){0};
  zip_error_init(&error);
  zip_source_t *source = zip_source_buffer_create(bytes, (zip_uint64_t)size, 0, &error);
  r.zip = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : NULL;
  skp_status status =
      r.zip ? read_archive(&r)
            : skp__fail(SKP_FORMAT, "%s is a damaged or truncated zip archive (%s).", name, zip_error_strerror(&error));
  if (r.zip)
    zip_discard(r.zip);
  else
    zip_source_free(source);
  zip_error_fini(&error);
  skp__pickle_free(&r.pickle);
  free(r.prefix);
  for (size_t i = 0; i < r.storages.n; i++) free(r.storages.at[i].values);
  SKP_FREE(&r.storages);
  if (status != SKP_OK) skp__st_free(out);
  return status;
}
