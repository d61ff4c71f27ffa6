/* tracer.c: see tracer.h. SPDX-License-Identifier: MIT */
#include "train/step/tracer.h"
#include "base/host.h"
#include "base/trace.h"

skp_status skp__tracer_start(struct skp__tracer *t, struct skp_backend *b, const char *path, int64_t steps) {
  if (steps < 1 || t->path) return SKP_OK;
  SKP_TRY(skp__trace_start());
  *t = (struct skp__tracer){b, path, steps};
  return b->ops->record(b, true);
}

skp_status skp__tracer_step(struct skp__tracer *t) {
  if (!t->b || --t->left > 0) return SKP_OK;
  return skp__tracer_stop(t);
}

skp_status skp__tracer_stop(struct skp__tracer *t) {
  if (!t->b) return SKP_OK;
  skp_status status = t->b->ops->record(t->b, false);
  if (status != SKP_OK) return status;
  t->b = NULL;
  return skp__option_written("trace", skp__trace_stop(t->path));
}

void skp__tracer_drop(struct skp__tracer *t) {
  if (t->b) (void)skp__trace_stop(NULL); /* the device's own records end with it */
  t->b = NULL;
}
