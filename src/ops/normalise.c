/* normalise.c: the bytes of images as the numbers that a network reads. SPDX-License-Identifier: MIT
 *
 *   y[n, h, w, c] = levels[c, bytes[n, h, w, c]]
 *
 * The host makes the table of levels (data/augment.h), so the numbers are the same bits wherever they are looked up. It
 * stands before a network's first layer, to which nothing flows back. */
#include "ops/check.h"

static const struct skp_attr attrs[] = {
    {"narrow", SKP_ATTR_BOOL, offsetof(struct skp_normalise_attrs, narrow), 0, NULL},
    {0},
};

static skp_status infer(struct skp_sig *sig) {
  struct skp_shape bytes = sig->in[0];
  bytes.dtype = SKP_U8;
  SKP_TRY(skp__check_shape(sig, 0, bytes, "images as they are stored"));
  if (bytes.rank != 4) return skp__op_fail(sig, "takes images of N×H×W×C bytes.");
  SKP_TRY(skp__check_shape(sig, 1, skp__shape2(bytes.dim[3], SKP_BYTE_LEVELS), "each byte's number, by channels"));
  sig->out[0] = bytes;
  sig->out[0].dtype = sig->attrs.normalise.narrow ? SKP_BF16 : SKP_F32;
  return SKP_OK;
}

static void reference(const struct skp_call *call) {
  const struct skp_shape *s = &call->sig->in[0];
  const uint8_t *bytes = call->in[0];
  const float *levels = call->in[1];
  float *y = call->out[0];
  for (int64_t i = 0; i < skp__shape_count(s); i++) y[i] = levels[i % s->dim[3] * SKP_BYTE_LEVELS + bytes[i]];
}

const struct skp_op skp__op_normalise = {
    .name = "normalise",
    .n_in = 2,
    .n_out = 1,
    .in = {{"bytes"}, {"levels"}},
    .out = {{"y", SKP_MAP}},
    .attrs = attrs,
    .infer = infer,
    .flops = skp__no_flops,
    .reference = reference,
};
