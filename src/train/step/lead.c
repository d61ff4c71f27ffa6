/* lead.c: see lead.h. SPDX-License-Identifier: MIT
 *
 *   device of the first rank ─> host ─> hosts of all ─> their devices
 *
 * The others queue the way to the device: the host's copy is changed when the gradients of the next step have come from
 * there, which is later. */
#include "train/step/lead.h"
#include "base/array.h"
#include "base/trace.h"
#include "train/step/exchange.h"
#include <stdlib.h>

static bool is_first(const struct skp_session *s) { return skp__ranks_rank(s->ranks) == 0; }

static skp_status hand_out(struct skp_session *s, skp_port port, float *values, int64_t n, skp_status status) {
  struct skp_buffer *buffer;
  if (status == SKP_OK) status = skp__store_buffer(s->store, &buffer, skp__ports[port].name, 4 * n);
  if (status == SKP_OK && is_first(s)) status = skp__backend_read_now(s->b, buffer, 0, values, 4 * n);
  SKP_TRY(skp__exchange_agree(s, status));
  const double begin = skp__trace_begin();
  status = skp__ranks_hand_out(s->ranks, 0, values, (size_t)n * sizeof *values);
  skp__trace_end("wait", "take the weights of the first rank", begin);
  return status != SKP_OK || is_first(s) ? status : s->b->ops->write(s->b, buffer, 0, values, 4 * n);
}

skp_status skp__lead_step(struct skp__lead *l, struct skp_session *s, skp_status status) {
  if (!s->led || !s->params_n) return status;
  if (status == SKP_OK && !l->values) status = skp__alloc(&l->values, (size_t)s->params_n, sizeof *l->values);
  return hand_out(s, SKP_PORT_PARAMS, l->values, s->params_n, status);
}

static skp_status hand_out_now(struct skp_session *s, skp_port port, int64_t n) {
  float *values;
  if (!n) return SKP_OK;
  skp_status status = skp__alloc(&values, (size_t)n, sizeof *values);
  status = hand_out(s, port, values, n, status);
  const skp_status finished = skp__backend_finish(s->b);
  free(values);
  return status == SKP_OK ? finished : status;
}

skp_status skp__lead_averages(struct skp_session *s) {
  if (!s->led || s->model->recipe.ema == 0) return SKP_OK;
  SKP_TRY(hand_out_now(s, SKP_PORT_AVERAGE, s->params_n));
  return hand_out_now(s, SKP_PORT_AVERAGE_STATE, s->state_n);
}

void skp__lead_close(struct skp__lead *l) {
  free(l->values);
  *l = (struct skp__lead){.values = NULL};
}
