/* state.c: the file of a run at rest, state.safetensors: made, written, put back. SPDX-License-Identifier: MIT */
#include "train/checkpoint/state.h"
#include "base/host.h"
#include "io/checksum.h"
#include "io/json.h"
#include "plan/methods.h"
#include <stdlib.h>
#include <string.h>

/* ---- methods: an object of their names by calls; there is none where no op has several --- */

static cJSON *methods_json(const struct skp__methods *m) {
  cJSON *object = cJSON_CreateObject();
  bool ok = object;
  for (size_t i = 0; ok && i < m->notes.n; i++) {
    char key[24];
    snprintf(key, sizeof key, "%016llx", (unsigned long long)m->notes.at[i].key);
    ok = skp__json_add_text(object, key, m->notes.at[i].method);
  }
  if (ok) return object;
  cJSON_Delete(object);
  return NULL;
}

/* Those beyond what a network has count as none: each is looked for among all before it. */
static skp_status note_methods(struct skp__methods *m, const cJSON *json) {
  const cJSON *entry;
  cJSON_ArrayForEach(entry, json) {
    if (m->notes.n >= SKP_METHODS_MOST) break;
    if (cJSON_IsString(entry)) SKP_TRY(skp__methods_note(m, strtoull(entry->string, NULL, 16), entry->valuestring));
  }
  return SKP_OK;
}

skp_status skp__state_recall(const struct skp_resume *r, struct skp_session *s) {
  struct skp_backend_info info;
  cJSON *json;
  s->b->ops->info(s->b, &info);
  if (strcmp(info.name, skp__resume_device(r)) != 0) return SKP_OK;
  SKP_TRY(skp__json_parse(&json, skp__st_meta(&r->file, "methods")));
  skp_status status = cJSON_IsObject(json) ? note_methods(skp__store_methods(s->store), json) : SKP_OK;
  cJSON_Delete(json);
  return status;
}

/* ---- the file --- */

skp_status skp__state_metadata(struct skp__metadata *meta, struct skp_session *s,
                               const struct skp_checkpoint_extra *extra, const char *run,
                               const struct skp__position *at) {
  struct skp_backend_info info;
  s->b->ops->info(s->b, &info);
  SKP_TRY(skp__metadata_make(meta, s->model, extra));
  SKP_TRY(skp__metadata_text(meta, "device", info.name));
  SKP_TRY(skp__metadata_text(meta, "run", run));
  const struct skp__methods *methods = skp__store_methods(s->store);
  if (methods->notes.n) SKP_TRY(skp__metadata_json(meta, "methods", methods_json(methods)));
  return skp__metadata_json(meta, "position", skp__position_json(at));
}

skp_status skp__state_write(const char *path, const struct skp__values *v, struct skp__metadata *meta) {
  char *sums;
  SKP_TRY(skp__checksums_make(&sums, v->at, v->n, meta->at, meta->n));
  skp_status status = skp__metadata_text(meta, SKP__CHECKSUMS_KEY, sums);
  free(sums);
  return status == SKP_OK ? skp__st_write(path, v->at, v->n, meta->at, meta->n) : status;
}

skp_status skp__state_bytes(int64_t *out, const struct skp_model *m) {
  struct skp_graph *g;
  int64_t values = 0;
  SKP_TRY(skp__step_graph(&g, m, &(struct skp__variant){SKP_STEP_TRAIN, .N = 1}));
  for (size_t i = 0; i < g->tensors.n; i++) {
    const struct skp_tensor *t = &g->tensors.at[i];
    bool stored = t->role == SKP_ROLE_PARAM || t->role == SKP_ROLE_STATE || t->role == SKP_ROLE_MOMENT;
    if (stored && t->base == SKP_NONE) values += skp__shape_count(&t->shape);
  }
  skp__graph_destroy(g);
  *out = 4 * values + (int64_t)strlen(m->source) + 8192;
  return SKP_OK;
}

skp_status skp__state_restore(const struct skp_resume *r, struct skp_session *s) {
  s->moved = true;
  struct skp_buffer *buffer;
  const char *name;
  int64_t bytes;
  for (size_t i = 0; (buffer = skp__store_nth(s->store, i, &name, &bytes)); i++) {
    if (!skp__values_kept(name)) continue;
    const struct skp_st_tensor *t = skp__st_find(&r->file, name);
    if (!t || t->bytes != bytes || strcmp(t->dtype, "F32") != 0)
      return skp__fail(SKP_FORMAT, "%s holds no %s of %lld bytes, which this network needs.", r->path, name,
                       (long long)bytes);
    SKP_TRY(skp__backend_write_now(s->b, buffer, 0, t->data, bytes));
  }
  return SKP_OK;
}
