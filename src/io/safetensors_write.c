/* safetensors_write.c: writing safetensors files; see safetensors.h. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "base/file.h"
#include "io/json.h"
#include "io/safetensors_form.h"
#include <stdlib.h>
#include <string.h>

static int compare_rows(const void *a, const void *b) {
  const struct skp_st_tensor *s = *(const struct skp_st_tensor *const *)a, *t = *(const struct skp_st_tensor *const *)b;
  int by_size = skp__st_dtype(t->dtype) - skp__st_dtype(s->dtype);
  return by_size ? by_size : strcmp(s->name, t->name);
}

static bool add_number(cJSON *list, int64_t value) {
  cJSON *item = cJSON_CreateNumber((double)value);
  if (item && cJSON_AddItemToArray(list, item)) return true;
  cJSON_Delete(item);
  return false;
}

static bool add_entry(cJSON *header, const struct skp_st_tensor *t, int64_t begin, int64_t end) {
  cJSON *entry = cJSON_AddObjectToObject(header, t->name), *shape, *offsets;
  if (!entry || !skp__json_add_text(entry, "dtype", t->dtype)) return false;
  if (!(shape = cJSON_AddArrayToObject(entry, "shape"))) return false;
  for (int i = 0; i < t->rank; i++)
    if (!add_number(shape, t->dim[i])) return false;
  offsets = cJSON_AddArrayToObject(entry, "data_offsets");
  return offsets && add_number(offsets, begin) && add_number(offsets, end);
}

static skp_status add_metadata(cJSON *header, const struct skp_st_meta *meta, size_t metas) {
  cJSON *object = cJSON_AddObjectToObject(header, SKP_ST_METADATA);
  if (!object) return skp__fail_memory("a file's metadata", sizeof *object);
  for (size_t i = 0; i < metas; i++) {
    if (!skp__json_add_text(object, meta[i].key, meta[i].value))
      return skp__fail_memory("a file's metadata", strlen(meta[i].value));
  }
  return SKP_OK;
}

/* A file that the reader would refuse is not written. */
static skp_status check_tensor(const char *path, const struct skp_st_tensor *t) {
  int64_t bytes;
  const char *defect = !strcmp(t->name, SKP_ST_METADATA) ? "is reserved" : skp__st_name_defect(t->name);
  if (!defect && !skp__st_dtype(t->dtype)) defect = "has an unknown dtype";
  if (!defect && (t->rank < 0 || t->rank > SKP_ST_RANK || !skp__st_bytes(&bytes, t)))
    defect = "has an impossible shape";
  return defect ? skp__fail(SKP_INTERNAL, "Cannot write %s: tensor '%.200s' %s.", path, t->name, defect) : SKP_OK;
}

/* Fills `part` with the tensors' data and makes the header that describes them. */
static skp_status describe(cJSON *header, struct skp__file_part *part, const char *path,
                           const struct skp_st_tensor *const *row, size_t tensors) {
  int64_t at = 0;
  for (size_t i = 0; i < tensors; i++) {
    SKP_TRY(check_tensor(path, row[i]));
    part[i].data = row[i]->data;
    skp__st_bytes(&part[i].bytes, row[i]);
    if (!add_entry(header, row[i], at, at + part[i].bytes)) return skp__fail_memory("a file's header", 64);
    at += part[i].bytes;
  }
  return SKP_OK;
}

/* The 8 bytes of length and the header's text, padded with blanks, as one piece of fresh memory. */
static skp_status print_header(char **out, int64_t *bytes, const cJSON *header) {
  char *text;
  SKP_TRY(skp__json_text(&text, header, false)); /* metadata may quote names that are not UTF-8 */
  size_t n = strlen(text), padded = (n + SKP_ST_LENGTH - 1) / SKP_ST_LENGTH * SKP_ST_LENGTH;
  skp_status status = skp__alloc(out, SKP_ST_LENGTH + padded, 1);
  if (status == SKP_OK) {
    for (int i = 0; i < SKP_ST_LENGTH; i++) (*out)[i] = (char)(padded >> 8 * i & 0xff);
    memset(*out + SKP_ST_LENGTH, ' ', padded);
    memcpy(*out + SKP_ST_LENGTH, text, n);
    *bytes = (int64_t)(SKP_ST_LENGTH + padded);
  }
  free(text);
  return status;
}

static skp_status write_rows(const char *path, cJSON *header, const struct skp_st_tensor *const *row,
                             struct skp__file_part *part, size_t tensors, const struct skp_st_meta *meta,
                             size_t metas) {
  if (!header) return skp__fail_memory("a file's header", 0);
  if (metas) SKP_TRY(add_metadata(header, meta, metas));
  if (metas) SKP_TRY(skp__st_unique(path, header->child));
  SKP_TRY(describe(header, part + 1, path, row, tensors));
  SKP_TRY(skp__st_unique(path, header));
  char *text;
  SKP_TRY(print_header(&text, &part->bytes, header));
  part->data = text;
  skp_status status = skp__file_write_atomic(path, part, tensors + 1);
  free(text);
  return status;
}

skp_status skp__st_write(const char *path, const struct skp_st_tensor *tensor, size_t tensors,
                         const struct skp_st_meta *meta, size_t metas) {
  const struct skp_st_tensor **row = NULL;
  struct skp__file_part *part = NULL;
  skp_status status = skp__alloc(&row, tensors, sizeof *row);
  if (status == SKP_OK) status = skp__alloc(&part, tensors + 1, sizeof *part);
  if (status == SKP_OK) {
    for (size_t i = 0; i < tensors; i++) row[i] = &tensor[i];
    qsort(row, tensors, sizeof *row, compare_rows);
    cJSON *header = cJSON_CreateObject();
    status = write_rows(path, header, row, part, tensors, meta, metas);
    cJSON_Delete(header);
  }
  free(row);
  free(part);
  return status;
}
