/* concat.c: the channels of several values side by side, and one of them taken out again. SPDX-License-Identifier: MIT
 *
 *   y[…, from(j) + c] = x_j[…, c],  from(j) = channels of those before;   dx_j[…, c] = dy[…, from(j) + c]
 */
#include "ops/check.h"

static const struct skp_attr attrs_dx[] = {
    {"from", SKP_ATTR_INT, offsetof(struct skp_concat_attrs, from), 0, NULL},
    {"channels", SKP_ATTR_INT, offsetof(struct skp_concat_attrs, channels), 1, NULL},
    {0},
};

static skp_status infer(struct skp_sig *sig) {
  const struct skp_shape *first = &sig->in[0];
  if (first->rank != 2) SKP_TRY(skp__check_rank(sig, 0, 4));
  struct skp_shape *y = &sig->out[0];
  *y = *first;
  for (int i = 1; i < sig->n_in; i++) {
    struct skp_shape want = *first;
    if (sig->in[i].rank == want.rank) want.dim[want.rank - 1] = skp__channels(&sig->in[i]);
    SKP_TRY(skp__check_shape(sig, i, want, "all but the channels as in the first"));
    y->dim[y->rank - 1] += skp__channels(&sig->in[i]);
  }
  return SKP_OK;
}

static skp_status infer_dx(struct skp_sig *sig) {
  const struct skp_concat_attrs *a = &sig->attrs.concat;
  const struct skp_shape *dy = &sig->in[0];
  SKP_TRY(skp__check_rank(sig, 0, dy->rank == 2 ? 2 : 4));
  SKP_TRY(skp__check_least(sig, "from", a->from, 0));
  SKP_TRY(skp__check_least(sig, "channels", a->channels, 1));
  if (a->channels > skp__channels(dy) - a->from)
    return skp__op_fail(sig, "dy has %lld channels, not %d from %d on.", (long long)skp__channels(dy), a->channels,
                        a->from);
  sig->out[0] = *dy;
  sig->out[0].dim[dy->rank - 1] = a->channels;
  return SKP_OK;
}

static skp_status gradient(struct skp_grad *g) {
  union skp_attrs attrs = {.concat = {0}};
  for (int i = 0; i < g->sig->n_in; i++) {
    attrs.concat.from += attrs.concat.channels;
    attrs.concat.channels = (int)skp__channels(&g->sig->in[i]);
    if (g->need[i]) SKP_TRY(g->emit(g, SKP_OP_concat_dx, &attrs, &g->dout[0], NULL, &g->din[i]));
  }
  return SKP_OK;
}

/* All that is kept of dy is read once, and written. */
static double bytes_dx(const struct skp_sig *sig) { return 8 * (double)skp__shape_count(&sig->out[0]); }

static void reference(const struct skp_call *call) {
  const int64_t all = skp__channels(&call->sig->out[0]), rows = skp__shape_count(&call->sig->out[0]) / all;
  float *y = call->out[0];
  for (int i = 0; i < call->sig->n_in; i++) {
    const float *x = call->in[i];
    const int64_t C = skp__channels(&call->sig->in[i]);
    for (int64_t j = 0; j < rows * C; j++) y[j / C * all + j % C] = x[j];
    y += C;
  }
}

static void reference_dx(const struct skp_call *call) {
  const int64_t all = skp__channels(&call->sig->in[0]), C = skp__channels(&call->sig->out[0]);
  const float *dy = (const float *)call->in[0] + call->sig->attrs.concat.from;
  float *dx = call->out[0];
  for (int64_t j = 0; j < skp__shape_count(&call->sig->out[0]); j++) dx[j] = dy[j / C * all + j % C];
}

const struct skp_op skp__op_concat = {
    .name = "concat",
    .n_in = 1,
    .n_out = 1,
    .in = {{"x", SKP_VARIADIC}},
    .out = {{"y"}},
    .infer = infer,
    .gradient = gradient,
    .flops = skp__no_flops,
    .reference = reference,
};

const struct skp_op skp__op_concat_dx = {
    .name = "concat_dx",
    .n_in = 1,
    .n_out = 1,
    .in = {{"dy"}},
    .out = {{"dx"}},
    .attrs = attrs_dx,
    .infer = infer_dx,
    .flops = skp__no_flops,
    .bytes = bytes_dx,
    .reference = reference_dx,
};
