/* exchange.c: see exchange.h. SPDX-License-Identifier: MIT
 *
 *   device ─> host ─> (× share, of what is a mean) ─> sums over the ranks, in their order ─> device
 *
 * In messages: one a span of the gradients, in the order in which the backward pass finishes them; the last one has
 * the running statistics and the loss with it. All ranks exchange them in that order, each message when the device has
 * come so far, whatever the device does meanwhile. What goes back to it is queued behind the backward pass. */
#include "train/step/exchange.h"
#include "base/array.h"
#include "base/trace.h"
#include <stdlib.h>
#include <string.h>

/* ---- messages ---------------------------------------------------------------------------------------------------- */

static int messages(const struct skp_session *s) { return skp__spans(s->params_n); }
static bool is_last(const struct skp_session *s, int i) { return i == messages(s) - 1; }
/* The parts of a message come one after the other: so many. */
static int parts(const struct skp_session *s, int i) { return is_last(s, i) ? 3 : 1; }

static int64_t count(const struct skp__exchange *x, const struct skp_session *s, int i) {
  int64_t n = 0;
  for (int k = 0; k < parts(s, i); k++) n += x->part[i + k].n;
  return n;
}

/* Queues the copies of parts from the device, or to it. */
static skp_status copy(const struct skp__exchange *x, struct skp_session *s, int from, int n, bool back) {
  const struct skp_backend_ops *ops = s->b->ops;
  for (const struct skp__exchanged *p = x->part + from; p < x->part + from + n; p++) {
    if (!p->n) continue;
    SKP_TRY(back ? ops->write(s->b, p->buffer, 4 * p->from, p->at, 4 * p->n)
                 : ops->read(s->b, p->buffer, 4 * p->from, p->at, 4 * p->n));
  }
  return SKP_OK;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static skp_status open_part(struct skp__exchanged *p, struct skp_session *s, skp_port port, int64_t total,
                            struct skp_span span) {
  p->from = span.from;
  p->n = span.n;
  return total ? skp__store_buffer(s->store, &p->buffer, skp__ports[port].name, 4 * total) : SKP_OK;
}

static skp_status open_parts(struct skp__exchange *x, struct skp_session *s) {
  const int spans = messages(s);
  for (int i = 0; i < spans; i++)
    SKP_TRY(open_part(&x->part[i], s, SKP_PORT_GRADS_SUM, s->params_n, skp__span(s->params_n, i)));
  const struct skp_span statistics = {0, s->state_n}, loss = {0, 1};
  SKP_TRY(open_part(&x->part[spans], s, SKP_PORT_STATE_TRIAL, s->state_n, statistics));
  return open_part(&x->part[spans + 1], s, SKP_PORT_LOSS_SUM, 1, loss);
}

/* Each message with room for its sums. */
static skp_status open_values(struct skp__exchange *x, const struct skp_session *s) {
  int64_t room = 0;
  for (int i = 0; i < messages(s); i++) room += skp__ranks_room(s->ranks, count(x, s, i));
  SKP_TRY(skp__alloc(&x->values, (size_t)room, sizeof *x->values));
  float *at = x->values;
  for (int i = 0; i < messages(s); at += skp__ranks_room(s->ranks, count(x, s, i)), i++) {
    x->part[i].at = at;
    for (int k = 1; k < parts(s, i); k++) x->part[i + k].at = x->part[i + k - 1].at + x->part[i + k - 1].n;
  }
  return SKP_OK;
}

static skp_status open_exchange(struct skp__exchange *x, struct skp_session *s) {
  if (x->values) return SKP_OK;
  SKP_TRY(open_parts(x, s));
  return open_values(x, s);
}

/* ---- while the device computes ----------------------------------------------------------------------------------- */

skp_status skp__exchange_begin(struct skp__exchange *x, struct skp_session *s) {
  if (!s->ranks) return SKP_OK;
  x->s = s;
  return open_exchange(x, s);
}

skp_status skp__exchange_after(struct skp__exchange *x, struct skp_plan *p, size_t n) {
  const int i = x->s ? skp__span_summed(skp__plan_graph(p), n) : -1;
  if (i < 0) return SKP_OK;
  SKP_TRY(copy(x, x->s, i, 1, false));
  return is_last(x->s, i) ? SKP_OK : x->s->b->ops->ticket(x->s->b, &x->ticket[i]);
}

/* What comes with the last span is there at the end. */
static skp_status finish_reading(struct skp__exchange *x, struct skp_session *s) {
  const int last = messages(s) - 1;
  SKP_TRY(copy(x, s, last + 1, 2, false));
  return s->b->ops->ticket(s->b, &x->ticket[last]);
}

/* ---- the exchange ------------------------------------------------------------------------------------------------ */

skp_status skp__exchange_agree(const struct skp_session *s, skp_status status) {
  unsigned wishes = status == SKP_DEVICE_MEMORY ? SKP_WISH_SMALLER : 0;
  SKP_TRY(skp__ranks_meet(s->ranks, wishes ? SKP_OK : status, &wishes));
  if (status == SKP_OK && wishes & SKP_WISH_SMALLER)
    return skp__fail(SKP_DEVICE_MEMORY, "The device of another rank has too little memory for its part of a step.");
  return status;
}

/* What this rank has to give. */
static skp_status collect(struct skp__exchange *x, struct skp_session *s, int i, double share) {
  if (share == 0) return SKP_OK;
  SKP_TRY(s->b->ops->wait(s->b, x->ticket[i]));
  const struct skp__exchanged *means = &x->part[i + 1];
  for (int64_t k = 0; is_last(s, i) && k < means->n; k++) means->at[k] *= (float)share;
  return SKP_OK;
}

static skp_status exchange_message(struct skp__exchange *x, struct skp_session *s, int i) {
  const double begin = skp__trace_begin();
  skp_status status = skp__ranks_sum(s->ranks, x->part[i].at, count(x, s, i));
  skp__trace_end("wait", "exchange gradients with the other ranks", begin);
  return status == SKP_OK ? copy(x, s, i, parts(s, i), true) : status;
}

/* A rank without images has nothing to give, whatever its device holds. */
static skp_status give_nothing(struct skp__exchange *x, struct skp_session *s) {
  SKP_TRY(open_exchange(x, s));
  SKP_TRY(skp__backend_finish(s->b));
  for (int i = 0; i < messages(s); i++) memset(x->part[i].at, 0, (size_t)count(x, s, i) * sizeof *x->values);
  return SKP_OK;
}

skp_status skp__exchange(struct skp__exchange *x, struct skp_session *s, skp_status status, double share) {
  x->s = NULL;
  if (!s->ranks) return status;
  if (status == SKP_OK) status = share > 0 ? finish_reading(x, s) : give_nothing(x, s);
  for (int i = 0; i < messages(s); i++) {
    if (status == SKP_OK) status = collect(x, s, i, share);
    SKP_TRY(skp__exchange_agree(s, status));
    status = exchange_message(x, s, i);
  }
  return status;
}

void skp__exchange_close(struct skp__exchange *x) {
  free(x->values);
  *x = (struct skp__exchange){.values = NULL};
}
