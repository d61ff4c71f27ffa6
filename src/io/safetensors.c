/* safetensors.c: reading safetensors files, and what they may say; see safetensors.h. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "base/bounds.h"
#include "base/file.h"
#include "base/utf8.h"
#include "io/json.h"
#include "io/safetensors_form.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_VALUES = 1 << 21 /* of JSON, each some 100 bytes once it is read; a tensor has about eight */ };
static const int64_t header_limit = 100 * 1000 * 1000; /* as in the format's own reader */
static const int64_t file_limit = INT64_C(8) << 30;    /* read whole; far above any network's weights */

/* X(name, bytes of an element) */
#define DTYPE_LIST(X)                                                                                                  \
  X(BOOL, 1)                                                                                                           \
  X(U8, 1)                                                                                                             \
  X(I8, 1)                                                                                                             \
  X(F8_E4M3, 1)                                                                                                        \
  X(F8_E5M2, 1)                                                                                                        \
  X(F8_E8M0, 1)                                                                                                        \
  X(I16, 2)                                                                                                            \
  X(U16, 2)                                                                                                            \
  X(F16, 2)                                                                                                            \
  X(BF16, 2)                                                                                                           \
  X(I32, 4)                                                                                                            \
  X(U32, 4)                                                                                                            \
  X(F32, 4)                                                                                                            \
  X(F64, 8)                                                                                                            \
  X(I64, 8)                                                                                                            \
  X(U64, 8)                                                                                                            \
  X(C64, 8)

int skp__st_dtype(const char *dtype) {
  static const struct {
    const char *name;
    int bytes;
  } dtypes[] = {
#define X(name, bytes) {#name, bytes},
      DTYPE_LIST(X)
#undef X
  };
  for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
    if (!strcmp(dtype, dtypes[i].name)) return dtypes[i].bytes;
  return 0;
}

bool skp__st_bytes(int64_t *out, const struct skp_st_tensor *t) {
  *out = skp__st_dtype(t->dtype);
  for (int i = 0; i < t->rank; i++)
    if (t->dim[i] < 0 || __builtin_mul_overflow(*out, t->dim[i], out)) return false;
  return true;
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

const char *skp__st_name_defect(const char *name) {
  const unsigned char *p = (const unsigned char *)name, *end = p + strlen(name);
  for (int n; p < end; p += n) {
    n = skp__utf8_length(p, end);
    if (!n) return "is not valid UTF-8";
    if (*p < 0x20 || *p == 0x7f) return "holds a control character";
  }
  return NULL;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* What cJSON would pass over: bytes that are not text, and characters U+0000, at which a name would end early; and more
 * values than memory should be taken for: each but the first follows a bracket or a comma. */
static skp_status check_text(const char *name, const char *text, size_t size) {
  const unsigned char *p = (const unsigned char *)text, *end = p + size;
  bool quoted = false;
  int values = 0;
  for (int n; p < end; p += n) {
    n = skp__utf8_length(p, end);
    size_t at = (size_t)(p - (const unsigned char *)text);
    if (!n || !*p) return skp__fail(SKP_FORMAT, "%s: byte %zu of the header is not UTF-8 text.", name, at);
    if (*p == '"') quoted = !quoted;
    if (!quoted && (*p == ',' || *p == '[' || *p == '{') && ++values > MOST_VALUES)
      return skp__fail(SKP_FORMAT, "%s: the header has more than %d values, more than any network's.", name,
                       MOST_VALUES);
    if (*p != '\\') continue;
    if (end - p >= 6 && !memcmp(p, "\\u0000", 6))
      return skp__fail(SKP_FORMAT, "%s: the header holds the character U+0000 (byte %zu).", name, at);
    if (end - p >= 2 && p[1] < 0x80) n = 2; /* the escaped character begins no escape of its own */
  }
  return SKP_OK;
}

static bool exact_integer(int64_t *out, const cJSON *number) {
  return skp__whole(out, cJSON_IsNumber(number) ? number->valuedouble : -1, 0, SKP_JSON_EXACT);
}

/* The member of that name; NULL: there is none, or more than one. */
static const cJSON *only_member(const cJSON *object, const char *key) {
  const cJSON *found = NULL, *member;
  cJSON_ArrayForEach(member, object) {
    if (strcmp(member->string, key)) continue;
    if (found) return NULL;
    found = member;
  }
  return found;
}

static skp_status read_dtype(struct skp_st_tensor *t, const char *name, const cJSON *dtype) {
  if (!cJSON_IsString(dtype))
    return skp__fail(SKP_FORMAT, "%s: tensor '%.200s' lacks a single text 'dtype'.", name, t->name);
  if (!skp__st_dtype(dtype->valuestring))
    return skp__fail(SKP_FORMAT, "%s: tensor '%.200s' has the unknown dtype '%.40s'.", name, t->name,
                     dtype->valuestring);
  strcpy(t->dtype, dtype->valuestring); /* all known names fit */
  return SKP_OK;
}

static skp_status read_shape(struct skp_st_tensor *t, const char *name, const cJSON *shape) {
  if (!cJSON_IsArray(shape))
    return skp__fail(SKP_FORMAT, "%s: tensor '%.200s' lacks a single list 'shape'.", name, t->name);
  const cJSON *dim;
  cJSON_ArrayForEach(dim, shape) {
    if (t->rank == SKP_ST_RANK)
      return skp__fail(SKP_FORMAT, "%s: tensor '%.200s' has more than %d dimensions.", name, t->name, SKP_ST_RANK);
    if (!exact_integer(&t->dim[t->rank], dim))
      return skp__fail(SKP_FORMAT, "%s: dimension %d of tensor '%.200s' is not a whole number from 0 to 2^53.", name,
                       t->rank, t->name);
    t->rank++;
  }
  if (!skp__st_bytes(&t->bytes, t))
    return skp__fail(SKP_FORMAT, "%s: the size of tensor '%.200s' overflows.", name, t->name);
  return SKP_OK;
}

static skp_status read_offsets(struct skp_st_tensor *t, const char *name, const cJSON *offsets, const char *data,
                               int64_t data_bytes) {
  int64_t begin, end;
  if (!cJSON_IsArray(offsets) || cJSON_GetArraySize(offsets) != 2 || !exact_integer(&begin, offsets->child) ||
      !exact_integer(&end, offsets->child->next))
    return skp__fail(SKP_FORMAT, "%s: tensor '%.200s' lacks a single 'data_offsets' of two whole numbers.", name,
                     t->name);
  if (begin > end || end > data_bytes)
    return skp__fail(SKP_FORMAT, "%s: tensor '%.200s' lies at bytes %lld to %lld of the data, which has %lld: %s.",
                     name, t->name, (long long)begin, (long long)end, (long long)data_bytes,
                     begin > end ? "its end stands before its begin" : "the file is truncated or its header lies");
  if (end - begin != t->bytes)
    return skp__fail(SKP_FORMAT, "%s: tensor '%.200s' has %lld bytes of data; its shape and dtype need %lld.", name,
                     t->name, (long long)(end - begin), (long long)t->bytes);
  t->data = data + begin;
  return SKP_OK;
}

static skp_status read_tensor(struct skp_st_tensor *t, const char *name, const cJSON *entry, const char *data,
                              int64_t data_bytes) {
  const char *defect = skp__st_name_defect(entry->string);
  if (defect) return skp__fail(SKP_FORMAT, "%s: the name of a tensor %s.", name, defect);
  SKP_TRY(skp__strdup(&t->name, entry->string));
  if (!cJSON_IsObject(entry)) return skp__fail(SKP_FORMAT, "%s: tensor '%.200s' is not described.", name, t->name);
  SKP_TRY(read_dtype(t, name, only_member(entry, "dtype")));
  SKP_TRY(read_shape(t, name, only_member(entry, "shape")));
  return read_offsets(t, name, only_member(entry, "data_offsets"), data, data_bytes);
}

static skp_status read_metadata(struct skp_st_file *f, const char *name, const cJSON *object) {
  if (!cJSON_IsObject(object)) return skp__fail(SKP_FORMAT, "%s: __metadata__ is not an object.", name);
  SKP_TRY(skp__alloc(&f->meta, (size_t)cJSON_GetArraySize(object), sizeof *f->meta));
  const cJSON *entry;
  cJSON_ArrayForEach(entry, object) {
    if (!cJSON_IsString(entry))
      return skp__fail(SKP_FORMAT, "%s: '%.200s' in __metadata__ is not a text.", name, entry->string);
    struct skp_st_meta *m = &f->meta[f->metas++];
    SKP_TRY(skp__strdup(&m->key, entry->string));
    SKP_TRY(skp__strdup(&m->value, entry->valuestring));
  }
  return SKP_OK;
}

static int compare_texts(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

skp_status skp__st_unique(const char *name, const cJSON *object) {
  size_t n = (size_t)cJSON_GetArraySize(object), i = 0;
  char **keys;
  SKP_TRY(skp__alloc(&keys, n, sizeof *keys));
  const cJSON *entry;
  cJSON_ArrayForEach(entry, object) keys[i++] = entry->string;
  qsort(keys, n, sizeof *keys, compare_texts);
  skp_status status = SKP_OK;
  for (i = 1; i < n && status == SKP_OK; i++)
    if (!strcmp(keys[i - 1], keys[i]))
      status = skp__fail(SKP_FORMAT, "%s: the name '%.200s' stands twice in the header.", name, keys[i]);
  free(keys);
  return status;
}

static int compare_places(const void *a, const void *b) {
  const struct skp_st_tensor *s = a, *t = b;
  if (s->data != t->data) return (const char *)s->data < (const char *)t->data ? -1 : 1;
  return (s->bytes > t->bytes) - (s->bytes < t->bytes); /* the empty ones first */
}

/* Puts the tensors in order of their data, which they must fill without overlap or hole. */
static skp_status check_places(struct skp_st_file *f, const char *name, const char *data) {
  if (f->tensors) qsort(f->tensor, f->tensors, sizeof *f->tensor, compare_places);
  const char *at = data, *end = (const char *)f->memory + f->size;
  for (size_t i = 0; i < f->tensors; i++) {
    const struct skp_st_tensor *t = &f->tensor[i];
    const char *begin = t->data;
    if (begin < at)
      return skp__fail(SKP_FORMAT, "%s: tensor '%.200s' overlaps '%.200s'.", name, t->name, f->tensor[i - 1].name);
    if (begin > at)
      return skp__fail(SKP_FORMAT, "%s: there is a hole of %lld bytes before tensor '%.200s'.", name,
                       (long long)(begin - at), t->name);
    at = begin + t->bytes;
  }
  if (at == end) return SKP_OK;
  return skp__fail(SKP_FORMAT, "%s: %lld bytes follow the last tensor.", name, (long long)(end - at));
}

static skp_status read_entries(struct skp_st_file *f, const char *name, const cJSON *header, const char *data) {
  if (!cJSON_IsObject(header)) return skp__fail(SKP_FORMAT, "%s: the header is not a JSON object.", name);
  SKP_TRY(skp__st_unique(name, header));
  SKP_TRY(skp__alloc(&f->tensor, (size_t)cJSON_GetArraySize(header), sizeof *f->tensor));
  int64_t data_bytes = (const char *)f->memory + f->size - data;
  const cJSON *entry;
  cJSON_ArrayForEach(entry, header) {
    if (strcmp(entry->string, SKP_ST_METADATA))
      SKP_TRY(read_tensor(&f->tensor[f->tensors++], name, entry, data, data_bytes));
    else {
      SKP_TRY(read_metadata(f, name, entry));
      SKP_TRY(skp__st_unique(name, entry));
    }
  }
  return check_places(f, name, data);
}

static skp_status read_header(struct skp_st_file *f, const char *name) {
  if (f->size < SKP_ST_LENGTH)
    return skp__fail(SKP_FORMAT, "%s is no safetensors file: it has %lld bytes; even an empty one has %d.", name,
                     (long long)f->size, SKP_ST_LENGTH);
  const unsigned char *bytes = f->memory;
  uint64_t length = 0;
  for (int i = SKP_ST_LENGTH; i-- > 0;) length = length << 8 | bytes[i];
  uint64_t room = (uint64_t)(f->size - SKP_ST_LENGTH);
  if (length > room || length > (uint64_t)header_limit)
    return skp__fail(SKP_FORMAT,
                     "%s is truncated or no safetensors file: its header should have %llu bytes, %llu follow, and at "
                     "most %lld are taken.",
                     name, (unsigned long long)length, (unsigned long long)room, (long long)header_limit);
  const char *text = (const char *)bytes + SKP_ST_LENGTH, *data = text + length, *end = NULL;
  SKP_TRY(check_text(name, text, length));
  if (!length || *text != '{') return skp__fail(SKP_FORMAT, "%s: the header is not a JSON object.", name);
  cJSON *header;
  SKP_TRY(skp__json_parse_first(&header, text, length, &end));
  if (!header)
    return skp__fail(SKP_FORMAT, "%s: the header is not valid JSON (near byte %lld).", name,
                     end ? (long long)(end - text) : 0);
  while (end < data && strchr(" \t\r\n", *end)) end++;
  skp_status status = end == data ? read_entries(f, name, header, data)
                                  : skp__fail(SKP_FORMAT, "%s: text follows the header's JSON object.", name);
  cJSON_Delete(header);
  return status;
}

/* Takes over `memory`, which a zero byte ends. */
static skp_status read_owned(struct skp_st_file *out, void *memory, int64_t size, const char *name) {
  *out = (struct skp_st_file){.memory = memory, .size = size};
  skp_status status = read_header(out, name);
  if (status != SKP_OK) skp__st_free(out);
  return status;
}

skp_status skp__st_read(struct skp_st_file *out, const char *path) {
  *out = (struct skp_st_file){0};
  void *memory;
  int64_t size;
  SKP_TRY(skp__file_read(&memory, &size, path, file_limit));
  return read_owned(out, memory, size, path);
}

skp_status skp__st_parse(struct skp_st_file *out, const void *bytes, int64_t size, const char *name) {
  *out = (struct skp_st_file){0};
  char *memory;
  SKP_TRY(skp__alloc(&memory, (size_t)size + 1, 1));
  if (size) memcpy(memory, bytes, (size_t)size);
  return read_owned(out, memory, size, name);
}

void skp__st_free(struct skp_st_file *f) {
  for (size_t i = 0; i < f->tensors; i++) {
    free(f->tensor[i].name);
    free(f->tensor[i].own);
  }
  for (size_t i = 0; i < f->metas; i++) {
    free(f->meta[i].key);
    free(f->meta[i].value);
  }
  free(f->tensor);
  free(f->meta);
  free(f->memory);
  *f = (struct skp_st_file){0};
}

const struct skp_st_tensor *skp__st_find(const struct skp_st_file *f, const char *name) {
  for (size_t i = 0; i < f->tensors; i++)
    if (!strcmp(f->tensor[i].name, name)) return &f->tensor[i];
  return NULL;
}

const char *skp__st_meta(const struct skp_st_file *f, const char *key) {
  for (size_t i = 0; i < f->metas; i++)
    if (!strcmp(f->meta[i].key, key)) return f->meta[i].value;
  return NULL;
}
