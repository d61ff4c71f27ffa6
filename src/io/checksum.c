/* checksum.c: see checksum.h. SPDX-License-Identifier: MIT */
#include "io/checksum.h"
#include "io/json.h"
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* Tensors and entries may share names. */
static const char *const kinds[] = {"tensors", "metadata"};
enum { TENSORS, ENTRIES, KINDS };

struct skp__checksum skp__checksum_of(const void *data, size_t bytes) {
  struct skp__checksum sum;
  snprintf(sum.text, sizeof sum.text, "%016llx", (unsigned long long)XXH3_64bits(data, bytes));
  return sum;
}

static struct skp__checksum of_tensor(const struct skp_st_tensor *t) {
  return skp__checksum_of(t->data, (size_t)t->bytes);
}
static struct skp__checksum of_entry(const struct skp_st_meta *m) {
  return skp__checksum_of(m->value, strlen(m->value));
}

static bool add_all(cJSON *const to[KINDS], const struct skp_st_tensor *tensor, size_t tensors,
                    const struct skp_st_meta *meta, size_t metas) {
  bool ok = true;
  for (size_t i = 0; ok && i < tensors; i++)
    ok = skp__json_add_text(to[TENSORS], tensor[i].name, of_tensor(&tensor[i]).text);
  for (size_t i = 0; ok && i < metas; i++) ok = skp__json_add_text(to[ENTRIES], meta[i].key, of_entry(&meta[i]).text);
  return ok;
}

skp_status skp__checksums_make(char **out, const struct skp_st_tensor *tensor, size_t tensors,
                               const struct skp_st_meta *meta, size_t metas) {
  cJSON *all = cJSON_CreateObject(), *of[KINDS];
  bool ok = all;
  *out = NULL;
  for (int k = 0; k < KINDS; k++) ok = skp__json_add(all, kinds[k], of[k] = cJSON_CreateObject()) && ok;
  ok = ok && add_all(of, tensor, tensors, meta, metas);
  skp_status status = ok ? skp__json_text(out, all, false) : skp__fail_memory("checksums", 0);
  cJSON_Delete(all);
  return status;
}

static skp_status compare(const cJSON *all, int kind, const char *name, struct skp__checksum is, const char *path) {
  const cJSON *of = cJSON_GetObjectItemCaseSensitive(all, kinds[kind]);
  const char *was = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(of, name));
  if (was && strcmp(was, is.text) == 0) return SKP_OK;
  return skp__fail(SKP_FORMAT,
                   "%s was damaged after it was written: the checksum of %s%s is %s, and %s%s was written. Take a copy "
                   "of the file if there is one.",
                   path, kind == ENTRIES ? "its entry " : "", name, is.text, was ? "" : "not ", was ? was : "one");
}

skp_status skp__checksums_check(const struct skp_st_file *f, const char *path) {
  const char *text = skp__st_meta(f, SKP__CHECKSUMS_KEY);
  cJSON *all;
  if (!text) return SKP_OK;
  skp_status status = skp__json_parse(&all, text);
  for (size_t i = 0; status == SKP_OK && i < f->tensors; i++)
    status = compare(all, TENSORS, f->tensor[i].name, of_tensor(&f->tensor[i]), path);
  for (size_t i = 0; status == SKP_OK && i < f->metas; i++)
    if (strcmp(f->meta[i].key, SKP__CHECKSUMS_KEY) != 0)
      status = compare(all, ENTRIES, f->meta[i].key, of_entry(&f->meta[i]), path);
  cJSON_Delete(all);
  return status;
}
