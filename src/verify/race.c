/* race.c: see race.h. SPDX-License-Identifier: MIT
 *
 *   the table's choice ─> others that suit and take the call ─> buffers ─> rounds of all in turn ─> the least
 *
 * Values are zeros: no arithmetic unit that is met takes longer over others. */
#include "verify/race.h"
#include "base/array.h"
#include "base/clock.h"
#include <stdlib.h>
#include <string.h>

enum { MOST = 8, ROUNDS = 7 };
static const double margin = 0.95; /* of the table's choice's time, below which another is faster */

struct runner {
  struct skp_prepared *p;
  double least; /* seconds */
};

struct race {
  struct skp__race *r;
  struct skp_backend *b;
  const struct skp_sig *sig;
  struct runner runners[MOST]; /* the first is the table's choice */
  int n;
  struct skp_buffer **values, *workspace; /* inputs, then outputs */
};

static bool is_over(const struct race *c) { return c->r->end > 0 && skp__clock() > c->r->end; }

/* ---- who takes part ---------------------------------------------------------------------------------------------- */

/* Methods that cannot take the call are left out. */
static skp_status enter(struct race *c, const char *method) {
  struct runner *next = &c->runners[c->n];
  skp_status status = c->b->ops->prepare(c->b, &next->p, c->sig, method);
  if (status == SKP_OK) c->n++;
  return method && (status == SKP_UNSUPPORTED || status == SKP_BUILD) ? SKP_OK : status;
}

static bool may_enter(const struct race *c, const char *method, int number) {
  const struct skp_backend_ops *ops = c->b->ops;
  return c->n < MOST && !is_over(c) && strcmp(method, ops->method(c->runners[0].p)) != 0 &&
         ops->method_suits(c->b, c->sig->op, number) && !ops->method_refusal(c->b, c->sig, number) &&
         (!c->r->compiled || ops->compiled(c->b, c->sig, method));
}

static skp_status enter_all(struct race *c) {
  const char *method;
  SKP_TRY(enter(c, NULL));
  for (int n = 0; (method = c->b->ops->method_name(c->b, c->sig->op, n)); n++)
    if (may_enter(c, method, n)) SKP_TRY(enter(c, method));
  return SKP_OK;
}

/* ---- buffers ----------------------------------------------------------------------------------------------------- */

static skp_status create_values(struct race *c) {
  const struct skp_sig *s = c->sig;
  SKP_TRY(skp__alloc(&c->values, (size_t)(s->n_in + s->n_out), sizeof *c->values));
  for (int i = 0; i < s->n_in + s->n_out; i++) {
    const struct skp_shape *shape = i < s->n_in ? &s->in[i] : &s->out[i - s->n_in];
    if (shape->rank) SKP_TRY(c->b->ops->buffer_create(c->b, &c->values[i], skp__shape_bytes(shape)));
  }
  return SKP_OK;
}

static skp_status create_workspace(struct race *c) {
  int64_t most = 0;
  for (int i = 0; i < c->n; i++) {
    const int64_t bytes = c->b->ops->workspace(c->runners[i].p);
    if (bytes > most) most = bytes;
  }
  return most ? c->b->ops->buffer_create(c->b, &c->workspace, most) : SKP_OK;
}

static skp_status bind_all(struct race *c) {
  SKP_TRY(create_values(c));
  SKP_TRY(create_workspace(c));
  for (int i = 0; i < c->n; i++)
    SKP_TRY(c->b->ops->bind(c->runners[i].p, c->values, c->values + c->sig->n_in, c->workspace));
  return SKP_OK;
}

static void clean_up(struct race *c) {
  for (int i = 0; i < c->n; i++) c->b->ops->prepared_destroy(c->runners[i].p);
  for (int i = 0; c->values && i < c->sig->n_in + c->sig->n_out; i++) c->b->ops->buffer_destroy(c->b, c->values[i]);
  c->b->ops->buffer_destroy(c->b, c->workspace);
  free(c->values);
}

/* ---- the race ---------------------------------------------------------------------------------------------------- */

static void add_launch(void *user, size_t i, const char *launch, double seconds) {
  double *sum = user;
  (void)i, (void)launch;
  *sum += seconds;
}

static skp_status run_one(struct race *c, struct runner *one) {
  double seconds = 0;
  SKP_TRY(c->b->ops->time(c->b, &one->p, 1, add_launch, &seconds));
  if (!one->least || seconds < one->least) one->least = seconds;
  return SKP_OK;
}

/* Whether what is left of the time does not do for a first round of all, by what the first runner took. */
static bool is_too_long(const struct race *c) {
  return c->r->end > 0 && skp__clock() + 2 * c->n * c->runners[0].least > c->r->end;
}

static skp_status run_rounds(struct race *c) {
  for (int round = 0; round < ROUNDS && (!round || !is_over(c)); round++)
    for (int i = 0; i < c->n; i++) {
      SKP_TRY(run_one(c, &c->runners[i]));
      if (!round && !i && is_too_long(c)) return SKP_OK;
    }
  const struct runner *best = &c->runners[0];
  for (int i = 1; i < c->n; i++)
    if (c->runners[i].least < margin * c->runners[0].least && c->runners[i].least < best->least) best = &c->runners[i];
  c->r->winner = c->b->ops->method(best->p);
  c->r->ms = 1e3 * best->least;
  return SKP_OK;
}

static skp_status run(struct race *c) {
  SKP_TRY(enter_all(c));
  if (is_over(c)) return SKP_OK;
  SKP_TRY(bind_all(c));
  return run_rounds(c);
}

skp_status skp__race_run(struct skp__race *r, struct skp_backend *b, const struct skp_sig *sig) {
  struct race c = {.r = r, .b = b, .sig = sig};
  r->winner = NULL;
  r->ms = 0;
  skp_status status = run(&c);
  clean_up(&c);
  return status;
}
