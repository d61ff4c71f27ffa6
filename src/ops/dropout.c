/* dropout.c: in training, each value is left out with probability p and the others are scaled up, so that the mean
 * stays (Srivastava et al. 2014, as PyTorch scales). In evaluation a value passes as it is.
 * SPDX-License-Identifier: MIT
 *
 *   y[i] = x[i] · m[i],  m[i] = 0 where the random number for i is below p, which at p = 1 all are, else 1 / (1 - p);
 *                        with `images` (stochastic depth, Huang et al. 2016) it is the one for the number of the image
 *                        that i belongs to
 *   dx[i] = dy[i] · m[i], which is the same op on dy
 *
 * The random number for element i is skp__random_bits(key, stream, i). The host makes `key`, a random key, for each
 * step; `stream` is the layer's. So the mask is the same on every device and after a resume, and backward makes the
 * mask again instead of keeping it. */
#include "base/random.h"
#include "ops/check.h"

static const struct skp_attr attrs[] = {
    {"p", SKP_ATTR_FLOAT, offsetof(struct skp_dropout_attrs, p), 0.5, NULL},
    {"stream", SKP_ATTR_INT, offsetof(struct skp_dropout_attrs, stream), 0, NULL},
    {"images", SKP_ATTR_BOOL, offsetof(struct skp_dropout_attrs, images), 0, NULL},
    {0},
};

/* Where all are left out none is scaled. */
float skp__dropout_scale(const struct skp_dropout_attrs *a) { return a->p < 1 ? (float)(1 / (1 - (double)a->p)) : 0; }

uint32_t skp__dropout_threshold(const struct skp_dropout_attrs *a) { return (uint32_t)((double)a->p * 0x1p24); }

int64_t skp__dropout_together(const struct skp_sig *sig) {
  return sig->attrs.dropout.images ? skp__shape_count(&sig->in[0]) / sig->in[0].dim[0] : 1;
}

static skp_status infer(struct skp_sig *sig) {
  SKP_TRY(skp__check_rank(sig, 0, sig->in[0].rank));
  SKP_TRY(skp__check_within(sig, "p", (double)sig->attrs.dropout.p, 0, 1));
  SKP_TRY(skp__check_least(sig, "stream", sig->attrs.dropout.stream, 0));
  const struct skp_shape key = skp__shape_i32(skp__shape1(2));
  SKP_TRY(skp__check_shape(sig, 1, key, "the low and the high half of the step's number"));
  sig->out[0] = sig->in[0];
  return SKP_OK;
}

static skp_status gradient(struct skp_grad *g) {
  const skp_value in[] = {g->dout[0], g->in[1]};
  return g->emit(g, SKP_OP_dropout, &g->sig->attrs, in, NULL, &g->din[0]);
}

static void reference(const struct skp_call *call) {
  const struct skp_dropout_attrs *a = &call->sig->attrs.dropout;
  const float *x = call->in[0], scale = skp__dropout_scale(a);
  const int32_t *key = call->in[1];
  const int64_t together = skp__dropout_together(call->sig);
  const uint64_t seed = (uint64_t)(uint32_t)key[1] << 32 | (uint32_t)key[0];
  float *y = call->out[0];
  for (int64_t i = 0; i < skp__shape_count(&call->sig->in[0]); i++) {
    const uint32_t drawn = (uint32_t)(skp__random_bits(seed, (uint64_t)a->stream, (uint64_t)(i / together)) >> 40);
    y[i] = x[i] * (drawn < skp__dropout_threshold(a) ? 0 : scale); /* a product, so that NaN passes */
  }
}

const struct skp_op skp__op_dropout = {
    .name = "dropout",
    .n_in = 2,
    .n_out = 1,
    .in = {{"x"}, {"key"}},
    .out = {{"y"}},
    .attrs = attrs,
    .training_only = true,
    .order = SKP_ORDER_SAME,
    .infer = infer,
    .gradient = gradient,
    .reference = reference,
};
