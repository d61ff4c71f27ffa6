/* exchange.c: see exchange.h. SPDX-License-Identifier: MIT
 *
 *   device ─> host ─> (× share, of what is a mean) ─> sums over the ranks, in their order ─> device */
#include "train/step/exchange.h"
#include "base/array.h"
#include "base/trace.h"
#include <stdlib.h>
#include <string.h>

enum { GRADIENTS, STATISTICS, LOSS, PARTS };

static int64_t count(const struct skp__exchange *x) {
  return x->part[GRADIENTS].n + x->part[STATISTICS].n + x->part[LOSS].n;
}

static skp_status open_part(struct skp__exchange *x, struct skp_session *s, int part, skp_port port, int64_t n) {
  x->part[part].n = n;
  return n ? skp__store_buffer(s->store, &x->part[part].buffer, skp__ports[port].name, 4 * n) : SKP_OK;
}

static skp_status open_exchange(struct skp__exchange *x, struct skp_session *s) {
  if (x->values) return SKP_OK;
  SKP_TRY(open_part(x, s, GRADIENTS, SKP_PORT_GRADS_SUM, s->params_n));
  SKP_TRY(open_part(x, s, STATISTICS, SKP_PORT_STATE_TRIAL, s->state_n));
  SKP_TRY(open_part(x, s, LOSS, SKP_PORT_LOSS_SUM, 1));
  return skp__alloc(&x->values, (size_t)skp__ranks_room(s->ranks, count(x)), sizeof *x->values);
}

/* Queues the copies of all parts from the device, or to it. */
static skp_status copy(struct skp__exchange *x, struct skp_session *s, bool back) {
  float *at = x->values;
  for (int i = 0; i < PARTS; at += x->part[i++].n) {
    struct skp_buffer *buffer = x->part[i].buffer;
    const int64_t bytes = 4 * x->part[i].n;
    if (!bytes) continue;
    SKP_TRY(back ? s->b->ops->write(s->b, buffer, 0, at, bytes) : s->b->ops->read(s->b, buffer, 0, at, bytes));
  }
  return SKP_OK;
}

/* What this rank has to give; one without images has nothing, whatever its device holds. */
static skp_status collect(struct skp__exchange *x, struct skp_session *s, double share) {
  SKP_TRY(open_exchange(x, s));
  if (share > 0) SKP_TRY(copy(x, s, false));
  SKP_TRY(skp__backend_finish(s->b));
  if (share == 0) memset(x->values, 0, (size_t)count(x) * sizeof *x->values);
  float *means = x->values + x->part[GRADIENTS].n;
  for (int64_t i = 0; i < x->part[STATISTICS].n; i++) means[i] *= (float)share;
  return SKP_OK;
}

skp_status skp__exchange_agree(const struct skp_session *s, skp_status status) {
  unsigned wishes = status == SKP_DEVICE_MEMORY ? SKP_WISH_SMALLER : 0;
  SKP_TRY(skp__ranks_meet(s->ranks, wishes ? SKP_OK : status, &wishes));
  if (status == SKP_OK && wishes & SKP_WISH_SMALLER)
    return skp__fail(SKP_DEVICE_MEMORY, "The device of another rank has too little memory for its part of a step.");
  return status;
}

static skp_status exchange(struct skp__exchange *x, struct skp_session *s, skp_status status, double share) {
  if (status == SKP_OK) status = collect(x, s, share);
  SKP_TRY(skp__exchange_agree(s, status));
  SKP_TRY(skp__ranks_sum(s->ranks, x->values, count(x)));
  return copy(x, s, true);
}

skp_status skp__exchange(struct skp__exchange *x, struct skp_session *s, skp_status status, double share) {
  if (!s->ranks) return status;
  const double begin = skp__trace_begin();
  status = exchange(x, s, status, share);
  skp__trace_end("wait", "exchange gradients with the other ranks", begin);
  return status;
}

void skp__exchange_close(struct skp__exchange *x) {
  free(x->values);
  *x = (struct skp__exchange){.values = NULL};
}
