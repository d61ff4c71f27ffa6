/* backend.c: the list of backends, and blocking copies. SPDX-License-Identifier: MIT */
#include "backend/backend.h"
#include <stdlib.h>
#include <string.h>

static const struct skp_backend_ops *const backends[] = {&skp__backend_opencl, &skp__backend_reference};
enum { BACKENDS = sizeof backends / sizeof *backends };

/* SKIPPER_MEMORY in bytes; 0 if it is not set. */
static skp_status memory_limit(int64_t *out) {
  const char *text = getenv("SKIPPER_MEMORY");
  char *end;
  *out = 0;
  if (!text || !*text) return SKP_OK;
  double mib = strtod(text, &end);
  if (*end || !(mib > 0 && mib < 1e12))
    return skp__fail(SKP_USAGE, "SKIPPER_MEMORY is a number of MiB, not \"%s\".", text);
  *out = (int64_t)(mib * (1 << 20));
  return SKP_OK;
}

skp_status skp__backend_open(struct skp_backend **out, const struct skp_backend_options *asked) {
  *out = NULL;
  struct skp_backend_options copy = *asked, *options = &copy;
  if (!copy.memory) SKP_TRY(memory_limit(&copy.memory));
  const char *name = options->backend ? options->backend : getenv("SKIPPER_BACKEND");
  if (!name || !*name) name = backends[0]->name;
  for (int i = 0; i < BACKENDS; i++)
    if (!strcmp(backends[i]->name, name)) return backends[i]->open(out, options);
  return skp__fail(SKP_USAGE, "There is no backend '%s'. Choose %s or %s.", name, backends[0]->name, backends[1]->name);
}

void skp__backend_close(struct skp_backend *b) {
  if (b) b->ops->close(b);
}

skp_status skp__backend_finish(struct skp_backend *b) {
  uint64_t ticket;
  SKP_TRY(b->ops->ticket(b, &ticket));
  return b->ops->wait(b, ticket);
}

skp_status skp__backend_write_now(struct skp_backend *b, struct skp_buffer *buffer, int64_t offset, const void *from,
                                  int64_t bytes) {
  SKP_TRY(b->ops->write(b, buffer, offset, from, bytes));
  return skp__backend_finish(b);
}

skp_status skp__backend_read_now(struct skp_backend *b, struct skp_buffer *buffer, int64_t offset, void *to,
                                 int64_t bytes) {
  SKP_TRY(b->ops->read(b, buffer, offset, to, bytes));
  return skp__backend_finish(b);
}
