/* store.c: buffers that outlive a step, found by name. SPDX-License-Identifier: MIT */
#include "plan/methods.h"
#include "plan/plan.h"
#include <stdlib.h>
#include <string.h>

struct kept {
  char *name;
  int64_t bytes;
  struct skp_buffer *buffer;
};

struct skp_store {
  struct skp_backend *b;
  SKP_ARRAY(struct kept) kept;
  struct skp__methods methods;
};

skp_status skp__store_create(struct skp_store **out, struct skp_backend *b) {
  SKP_TRY(skp__alloc(out, 1, sizeof **out));
  (*out)->b = b;
  return SKP_OK;
}

void skp__store_destroy(struct skp_store *s) {
  if (!s) return;
  for (size_t i = 0; i < s->kept.n; i++) {
    s->b->ops->buffer_destroy(s->b, s->kept.at[i].buffer);
    free(s->kept.at[i].name);
  }
  SKP_FREE(&s->kept);
  skp__methods_free(&s->methods);
  free(s);
}

static skp_status add(struct skp_store *s, const char *name, int64_t bytes) {
  struct kept fresh = {.bytes = bytes};
  SKP_TRY(skp__strdup(&fresh.name, name));
  skp_status status = s->b->ops->buffer_create(s->b, &fresh.buffer, bytes);
  if (status == SKP_OK) {
    status = SKP_GROW(&s->kept);
    if (status == SKP_OK) {
      s->kept.at[s->kept.n - 1] = fresh;
      return SKP_OK;
    }
    s->b->ops->buffer_destroy(s->b, fresh.buffer);
  }
  free(fresh.name);
  return status;
}

skp_status skp__store_buffer(struct skp_store *s, struct skp_buffer **out, const char *name, int64_t bytes) {
  for (size_t i = 0; i < s->kept.n; i++) {
    const struct kept *k = &s->kept.at[i];
    if (strcmp(k->name, name) != 0) continue;
    if (k->bytes != bytes)
      return skp__fail(SKP_INTERNAL, "The stored value %s has %lld bytes, not %lld.", name, (long long)k->bytes,
                       (long long)bytes);
    *out = k->buffer;
    return SKP_OK;
  }
  SKP_TRY(add(s, name, bytes));
  *out = s->kept.at[s->kept.n - 1].buffer;
  return SKP_OK;
}

struct skp_buffer *skp__store_nth(const struct skp_store *s, size_t n, const char **name, int64_t *bytes) {
  if (n >= s->kept.n) return NULL;
  *name = s->kept.at[n].name;
  *bytes = s->kept.at[n].bytes;
  return s->kept.at[n].buffer;
}

struct skp__methods *skp__store_methods(struct skp_store *s) {
  return &s->methods;
}
