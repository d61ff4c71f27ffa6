/* torch.c: the zip archives that torch.save writes; see weights.h. SPDX-License-Identifier: MIT
 *
 *   NAME/data.pkl     a pickle: tensors are calls of torch._utils._rebuild_tensor_v2(storage, offset, size, stride, …),
 *                     a storage is an object kept elsewhere: ("storage", torch.FloatStorage, KEY, device, values)
 *   NAME/data/KEY     its values, as they lay in memory, not compressed
 *   NAME/byteorder    "little" or "big"; little where it is not there
 *
 * (PyTorch, torch/serialization.py, _save.) */
#include "io/torch.h"
#include "base/array.h"
#include "base/tree.h"
#include "io/weights.h"
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

enum { PICKLE_LIMIT = 256 << 20, MAX_RANK = 8, MAX_NAME = 1000 };
/* All tensors together may take so many times the file's size, and so many bytes: some share their values. */
enum { SHARED = 4, SHARED_BYTES = 64 << 20 };

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
  bool swapped; /* the bytes of numbers lie in the other order */
  struct skp_pickle pickle;
  int64_t room;   /* bytes that may yet be read or made */
  void *storages; /* a tree of those read so far, by key: several tensors may share one */
};

/* ---- entries ----------------------------------------------------------------------------------------------------- */

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

static skp_status read_byte_order(struct reader *r) {
  void *text;
  int64_t size;
  if (!has_entry(r, "byteorder")) return SKP_OK;
  skp_status status = read_entry(r, &text, &size, "byteorder", 16);
  r->swapped = status == SKP_OK && strcmp(text, "big") == 0;
  if (status == SKP_OK && !r->swapped && strcmp(text, "little") != 0)
    status = skp__fail(SKP_FORMAT, "%s: its byte order is neither little nor big.", r->name);
  free(text);
  return status;
}

/* ---- tensors ----------------------------------------------------------------------------------------------------- */

static const struct storage_type {
  const char *global, *dtype;
  int bytes;
} storage_types[] = {
    {"torch FloatStorage", "F32", 4},     {"torch DoubleStorage", "F64", 8}, {"torch HalfStorage", "F16", 2},
    {"torch BFloat16Storage", "BF16", 2}, {"torch LongStorage", "I64", 8},   {"torch IntStorage", "I32", 4},
    {"torch ShortStorage", "I16", 2},     {"torch CharStorage", "I8", 1},    {"torch ByteStorage", "U8", 1},
    {"torch BoolStorage", "BOOL", 1},
};

/* Quantized, complex, 8-bit floats: tensors whose values are not read. */
static const struct storage_type other_type = {NULL, "other", 0};

/* A tensor as its call describes it: values in a storage, some way apart along each dimension. */
struct view {
  const struct storage_type *type;
  const char *key;
  int64_t stored, offset; /* values in the storage; the first one's place */
  int rank;
  int64_t dim[MAX_RANK], stride[MAX_RANK], count, bytes;
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
  v->type = &other_type;
  for (size_t i = 0; i < sizeof storage_types / sizeof *storage_types; i++)
    if (!strcmp(storage_types[i].global, type->text)) v->type = &storage_types[i];
  v->key = key->text;
  return sound_key(v->key) && whole(skp__pickle_item(p, id, 4), &v->stored);
}

/* Sizes and strides; none of its values may lie beyond the storage. A stride of 0
 * repeats one; that of a single value says nothing. */
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
    if (v->dim[d] < 2) v->stride[d] = 0;
    if (__builtin_mul_overflow(v->dim[d] - (v->dim[d] > 0), v->stride[d], &reach) ||
        __builtin_add_overflow(last, reach, &last))
      return false;
  }
  if (__builtin_mul_overflow(v->count, (int64_t)v->type->bytes, &v->bytes)) return false;
  return !v->count || last < v->stored;
}

static int by_key(const void *a, const void *b) {
  return strcmp(((const struct storage *)a)->key, ((const struct storage *)b)->key);
}

static struct storage *find_storage(const struct reader *r, const char *key) {
  const struct storage sought = {.key = key};
  struct storage **have = tfind(&sought, &r->storages, by_key);
  return have ? *have : NULL;
}

static skp_status add_storage(struct storage **out, struct reader *r, const char *key, int64_t bytes) {
  struct storage *s;
  SKP_TRY(skp__alloc(&s, 1, sizeof *s));
  *s = (struct storage){.key = key, .bytes = bytes};
  *out = s;
  if (tsearch(s, &r->storages, by_key)) return SKP_OK;
  free(s);
  return skp__fail_memory("storages", sizeof *s);
}

static void free_storage(void *storage) {
  free(((struct storage *)storage)->values);
  free(storage);
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
    SKP_TRY(add_storage(&s, r, v->key, bytes));
    r->room -= bytes;
    SKP_TRY(read_values(r, s));
  }
  *values = s->values;
  return SKP_OK;
}

static void copy_value(char *to, const char *from, size_t bytes, bool swapped) {
  for (size_t i = 0; i < bytes; i++) to[i] = from[swapped ? bytes - 1 - i : i];
}

/* The values in row-major order. */
static void copy_values(char *to, const char *stored, const struct view *v, bool swapped) {
  int64_t index[MAX_RANK] = {0}, at = v->offset;
  size_t bytes = (size_t)v->type->bytes;
  for (int64_t i = 0; i < v->count; i++, to += bytes) {
    copy_value(to, stored + at * (int64_t)bytes, bytes, swapped);
    for (int d = v->rank - 1; d >= 0; d--) {
      at += v->stride[d];
      if (++index[d] < v->dim[d]) break;
      at -= v->dim[d] * v->stride[d];
      index[d] = 0;
    }
  }
}

static skp_status read_view(void **out, struct reader *r, const char *key, const struct view *v) {
  const char *values = NULL;
  SKP_TRY(load_storage(r, &values, v));
  if (v->bytes > r->room)
    return skp__fail(SKP_FORMAT, "%s: %.200s repeats its values too often to be a weight.", r->name, key);
  r->room -= v->bytes;
  SKP_TRY(skp__alloc(out, (size_t)v->bytes + 1, 1));
  copy_values(*out, values, v, r->swapped);
  return SKP_OK;
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
  if (v.type != &other_type) SKP_TRY(read_view(&t->own, r, key, &v));
  strcpy(t->dtype, v.type->dtype);
  t->rank = v.rank;
  memcpy(t->dim, v.dim, sizeof t->dim);
  t->bytes = v.bytes;
  t->data = t->own;
  r->out->tensors++;
  return skp__strdup(&t->name, key);
}

static skp_status add_tensors(struct reader *r) {
  const struct skp_pickle *p = &r->pickle;
  const struct skp_pickle_node *dict;
  SKP_TRY(skp__torch_dictionary(&dict, p, r->name));
  SKP_TRY(skp__alloc(&r->out->tensor, dict->items.n / 2, sizeof *r->out->tensor));
  for (size_t i = 0; i + 1 < dict->items.n; i += 2) {
    const struct skp_pickle_node *key = skp__pickle_item(p, dict, i),
                                 *arguments = skp__torch_tensor(p, skp__pickle_item(p, dict, i + 1));
    if (key->kind == SKP_PICKLE_TEXT && arguments) SKP_TRY(add_tensor(r, key->text, arguments));
  }
  return SKP_OK;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

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
  SKP_TRY(read_byte_order(r));
  skp_status status = read_entry(r, &pickle, &size, "data.pkl", PICKLE_LIMIT);
  if (status == SKP_OK) status = skp__pickle_parse(&r->pickle, pickle, size, r->name);
  free(pickle);
  return status == SKP_OK ? add_tensors(r) : status;
}

skp_status skp__torch_parse(struct skp_st_file *out, const void *bytes, int64_t size, const char *name) {
  struct reader r = {.out = out, .name = name, .room = SHARED * size + SHARED_BYTES};
  zip_error_t error;
  *out = (struct skp_st_file){0};
  zip_error_init(&error);
  zip_source_t *source = zip_source_buffer_create(bytes, (zip_uint64_t)size, 0, &error);
  r.zip = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : NULL;
  skp_status status;
  if (r.zip)
    status = read_archive(&r);
  else if (zip_error_code_zip(&error) == ZIP_ER_MEMORY)
    status = skp__fail_memory(name, (unsigned long long)size);
  else
    status = skp__fail(SKP_FORMAT, "%s is a damaged or truncated zip archive (%s).", name, zip_error_strerror(&error));
  if (r.zip)
    zip_discard(r.zip);
  else
    zip_source_free(source);
  zip_error_fini(&error);
  skp__pickle_free(&r.pickle);
  free(r.prefix);
  skp__tree_free(&r.storages, free_storage);
  if (status != SKP_OK) skp__st_free(out);
  return status;
}
