/* tune.c: see tune.h. SPDX-License-Identifier: MIT */
#include "verify/tune.h"
#include "base/clock.h"
#include "base/host.h"
#include "base/progress.h"
#include "verify/race.h"
#include "verify/tuned.h"
#include <stdlib.h>
#include <string.h>

static const double quick_seconds = 0.7; /* of a process; what was begun may take some longer */

struct tuner {
  struct skp_backend_tuner base;
  struct skp__tuned tuned;
  FILE *say;
  bool full, opened, busy; /* the file was read; a race is on: each method is timed as it is */
  bool told;               /* of the file */
  double spent;            /* seconds */
};

/* A call that is not known. */
struct call {
  const struct skp_sig *sig;
  double flops;
};

static skp_status open_file(struct tuner *t, struct skp_backend *b) {
  if (t->opened) return SKP_OK;
  t->opened = true;
  return skp__tuned_open(&t->tuned, b, t->say);
}

/* ---- choosing ---------------------------------------------------------------------------------------------------- */

static const char *known_method(const struct tuner *t, const struct skp_sig *sig) {
  char *call;
  if (skp__tuned_call(&call, sig) != SKP_OK) return NULL;
  const char *method = skp__tuned_method(&t->tuned, call);
  free(call);
  return method;
}

static const char *method(struct skp_backend_tuner *base, struct skp_backend *b, const struct skp_sig *sig) {
  struct tuner *t = (struct tuner *)base;
  if (t->busy || open_file(t, b) != SKP_OK) return NULL;
  return known_method(t, sig);
}

/* ---- timing ------------------------------------------------------------------------------------------------------ */

static int most_work_first(const void *a, const void *b) {
  const struct call *x = a, *y = b;
  if (x->flops != y->flops) return x->flops > y->flops ? -1 : 1;
  return x->sig < y->sig ? -1 : x->sig > y->sig;
}

/* Products: what others do is soon done, whichever way. */
static bool is_worth_it(const struct tuner *t, const struct skp_sig *sig) {
  return sig->op->narrow && !known_method(t, sig);
}

static skp_status race(struct tuner *t, struct skp_backend *b, const struct skp_sig *sig, double end) {
  struct skp__race r = {.end = end, .compiled = !t->full};
  char *call;
  skp_status status = skp__race_run(&r, b, sig);
  if (status == SKP_DEVICE_MEMORY || status == SKP_UNSUPPORTED || status == SKP_BUILD) return SKP_OK;
  SKP_TRY(status);
  if (!r.winner) return SKP_OK;
  SKP_TRY(skp__tuned_call(&call, sig));
  status = skp__tuned_add(&t->tuned, call, r.winner, r.ms);
  free(call);
  return status;
}

/* Equal calls are known after the first of them. */
static skp_status time_calls(struct tuner *t, struct skp_backend *b, const struct call *calls, size_t n) {
  const double end = t->full ? 0 : skp__clock() + quick_seconds - t->spent;
  for (size_t i = 0; i < n && (!end || skp__clock() < end); i++) {
    skp__progress_work("timing methods", (int64_t)i, (int64_t)n);
    if (is_worth_it(t, calls[i].sig)) SKP_TRY(race(t, b, calls[i].sig, end));
  }
  skp__progress_work("timing methods", (int64_t)n, (int64_t)n);
  return SKP_OK;
}

static skp_status time_unknown(struct tuner *t, struct skp_backend *b, const struct skp_sig *sigs, size_t n) {
  struct call *calls;
  size_t unknown = 0;
  SKP_TRY(skp__alloc(&calls, n, sizeof *calls));
  for (size_t i = 0; i < n; i++)
    if (is_worth_it(t, &sigs[i])) calls[unknown++] = (struct call){&sigs[i], skp__op_flops(&sigs[i])};
  if (unknown) qsort(calls, unknown, sizeof *calls, most_work_first);
  t->busy = true;
  skp_status status = unknown ? time_calls(t, b, calls, unknown) : SKP_OK;
  t->busy = false;
  free(calls);
  return status;
}

/* Once, and whenever something was timed. */
static void tell(struct tuner *t, size_t before, double seconds) {
  const size_t n = t->tuned.lines.n;
  if (!t->say || (t->told && n == before)) return;
  t->told = true;
  skp_print(t->say, "tuned    %s: %zu calls known", t->tuned.path ? t->tuned.path : "(not kept)", before);
  if (n > before) fprintf(t->say, ", %zu timed in %.1f s", n - before, seconds);
  fputc('\n', t->say);
}

static skp_status ready(struct skp_backend_tuner *base, struct skp_backend *b, const struct skp_sig *sigs, size_t n) {
  struct tuner *t = (struct tuner *)base;
  const double start = skp__clock();
  if (t->busy) return SKP_OK;
  SKP_TRY(open_file(t, b));
  const size_t before = t->tuned.lines.n;
  skp_status status = time_unknown(t, b, sigs, n);
  const double seconds = skp__clock() - start;
  t->spent += seconds;
  if (t->tuned.lines.n > before) skp__tuned_save(&t->tuned);
  if (status == SKP_OK) tell(t, before, seconds);
  return status;
}

/* ---- create, close ----------------------------------------------------------------------------------------------- */

static void close_tuner(struct skp_backend_tuner *base) {
  struct tuner *t = (struct tuner *)base;
  skp__tuned_free(&t->tuned);
  free(t);
}

skp_status skp__tuner_create(struct skp_backend_tuner **out, const char *how, FILE *say) {
  struct tuner *t;
  *out = NULL;
  if (!how || !strcmp(how, "off")) return SKP_OK;
  const bool full = !strcmp(how, "full");
  if (!full && strcmp(how, "quick") != 0)
    return skp__fail(SKP_USAGE, "%s is off, quick or full, not \"%s\".", skp__option("tune"), how);
  SKP_TRY(skp__alloc(&t, 1, sizeof *t));
  t->base = (struct skp_backend_tuner){.ready = ready, .method = method, .close = close_tuner};
  t->full = full;
  t->say = say;
  *out = &t->base;
  return SKP_OK;
}
