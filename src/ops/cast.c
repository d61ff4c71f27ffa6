/* cast.c: y = x in another type of numbers. Plans put these between ops in bfloat16 and ops in float32
 * (plan/precision.c) after all gradients are there, so they have none. SPDX-License-Identifier: MIT */
#include "ops/check.h"
#include <string.h>

static skp_status infer_to_float32(struct skp_sig *sig) {
  SKP_TRY(skp__check_rank(sig, 0, sig->in[0].rank));
  sig->out[0] = sig->in[0];
  return SKP_OK;
}

static skp_status infer_to_bfloat16(struct skp_sig *sig) {
  SKP_TRY(infer_to_float32(sig));
  sig->out[0].dtype = SKP_BF16;
  return SKP_OK;
}

/* Narrow values come widened and are rounded afterwards (narrow.c). */
static void reference(const struct skp_call *call) {
  memcpy(call->out[0], call->in[0], (size_t)skp__shape_bytes(&call->sig->in[0]));
}

const struct skp_op skp__op_to_float32 = {
    .name = "to_float32",
    .n_in = 1,
    .n_out = 1,
    .in = {{"x", SKP_MAP}},
    .out = {{"y"}},
    .infer = infer_to_float32,
    .flops = skp__no_flops,
    .reference = reference,
};

const struct skp_op skp__op_to_bfloat16 = {
    .name = "to_bfloat16",
    .n_in = 1,
    .n_out = 1,
    .in = {{"x"}},
    .out = {{"y"}},
    .infer = infer_to_bfloat16,
    .flops = skp__no_flops,
    .reference = reference,
};
