/* tracer.c: see tracer.h. SPDX-License-Identifier: MIT */
#include "train/step/tracer.h"
#include "base/host.h"
#include "base/trace.h"

skp_status skp__tracer_start(struct skp__tracer *t, struct skp_backend *b, const char *path, int64_t steps) {
  if (steps < 1 || t->path) return SKP_OK;
  SKP_TRY(skp__trace_start());
  *t = (struct skp__tracer){.b = b, .path = path, .left = steps};
  return b->ops->record(b, true);
}

skp_status skp__tracer_step(struct skp__tracer *t) {
  if (!t->b || --t->left > 0) return SKP_OK;
  return skp__tracer_stop(t);
}

skp_status skp__tracer_stop(struct skp__tracer *t) {
  if (t->b) SKP_TRY(t->b->ops->record(t->b, false));
  if (!t->b && !t->unwritten) return SKP_OK;
  t->b = NULL;
  const skp_status status = skp__trace_stop(t->path);
  t->unwritten = status == SKP_DISK_FULL;
  return skp__option_written("trace", status);
}

void skp__tracer_drop(struct skp__tracer *t) {
  if (t->b || t->unwritten) (void)skp__trace_stop(NULL); /* the device's own records end with it */
  t->b = NULL;
}
