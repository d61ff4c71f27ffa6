/* backend.c: the list of backends, the devices of the first, and blocking copies. SPDX-License-Identifier: MIT */
#include "backend/backend.h"
#include <string.h>

static const struct skp_backend_ops *const backends[] = {&skp__backend_opencl, &skp__backend_reference};
enum { BACKENDS = sizeof backends / sizeof *backends };

static void close_helpers(struct skp_backend_check *check, struct skp_backend_tuner *tuner) {
  if (check) check->close(check);
  if (tuner) tuner->close(tuner);
}

static skp_status open_named(struct skp_backend **out, const struct skp_backend_options *options) {
  const char *name = options->backend ? options->backend : backends[0]->name;
  *out = NULL;
  for (int i = 0; i < BACKENDS; i++)
    if (!strcmp(backends[i]->name, name)) return backends[i]->open(out, options);
  return skp__fail(SKP_USAGE, "There is no backend '%s'. Choose %s or %s.", name, backends[0]->name, backends[1]->name);
}

skp_status skp__backend_open(struct skp_backend **out, const struct skp_backend_options *options) {
  skp_status status = open_named(out, options);
  if (status == SKP_OK) {
    (*out)->check = options->check;
    (*out)->tuner = options->tuner;
  } else {
    close_helpers(options->check, options->tuner);
  }
  return status;
}

skp_status skp__devices_list(const struct skp_device_list **out) { return backends[0]->devices(out); }

void skp__devices_describe(struct skp_backend_info *out, const struct skp_device *d) { backends[0]->describe(out, d); }

skp_status skp__devices_choose(const struct skp_device **out, bool *meant, const struct skp_device_list *list,
                               const double *seconds, const char *platform, const char *device) {
  return backends[0]->choose(out, meant, list, seconds, platform, device);
}

void skp__backend_close(struct skp_backend *b) {
  if (!b) return;
  struct skp_backend_check *check = b->check;
  struct skp_backend_tuner *tuner = b->tuner;
  b->ops->close(b);
  close_helpers(check, tuner);
}

skp_status skp__backend_ready(struct skp_backend *b, const struct skp_sig *sigs, size_t n) {
  return b->tuner ? b->tuner->ready(b->tuner, b, sigs, n) : SKP_OK;
}

void skp__backend_settle(struct skp_backend *b) {
  if (b->check) b->check->settle(b->check);
}

skp_status skp__backend_finish(struct skp_backend *b) {
  uint64_t ticket;
  skp_status status = b->ops->ticket(b, &ticket);
  if (status == SKP_OK) status = b->ops->wait(b, ticket);
  if (status != SKP_OK) b->ops->drain(b);
  return status;
}

/* Of a copy that was queued, or failed in it. */
static skp_status finish_copy(struct skp_backend *b, skp_status status) {
  if (status == SKP_OK) return skp__backend_finish(b);
  b->ops->drain(b);
  return status;
}

skp_status skp__backend_write_now(struct skp_backend *b, struct skp_buffer *buffer, int64_t offset, const void *from,
                                  int64_t bytes) {
  return finish_copy(b, b->ops->write(b, buffer, offset, from, bytes));
}

skp_status skp__backend_read_now(struct skp_backend *b, struct skp_buffer *buffer, int64_t offset, void *to,
                                 int64_t bytes) {
  return finish_copy(b, b->ops->read(b, buffer, offset, to, bytes));
}
