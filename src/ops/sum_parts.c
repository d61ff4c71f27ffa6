/* sum_parts.c: partial sums added up, of several layers at once. SPDX-License-Identifier: MIT
 *
 *   sum_n[i, k] = sum over j of parts_n[j, i, k]        for each n that is there
 *
 * See conv2d_dw_parts.c. */
#include "ops/check.h"

static skp_status infer(struct skp_sig *sig) {
  for (int i = 0; i < sig->n_in; i++) {
    const struct skp_shape *parts = &sig->in[i];
    sig->out[i] = (struct skp_shape){.rank = 0};
    if (!parts->rank) continue;
    SKP_TRY(skp__check_rank(sig, i, 3));
    sig->out[i] = skp__shape(SKP_F32, 2, &parts->dim[1]);
  }
  return SKP_OK;
}

static double flops(const struct skp_sig *sig) {
  double flops = 0;
  for (int i = 0; i < sig->n_in; i++) flops += sig->in[i].rank ? (double)skp__shape_count(&sig->in[i]) : 0;
  return flops;
}

static void reference(const struct skp_call *call) {
  for (int n = 0; n < call->sig->n_in; n++) {
    const float *parts = call->in[n];
    float *to = call->out[n];
    const int64_t size = to ? skp__shape_count(&call->sig->out[n]) : 0;
    for (int64_t i = 0; i < size; i++) {
      double sum = 0;
      for (int64_t j = 0; j < call->sig->in[n].dim[0]; j++) sum += parts[j * size + i];
      to[i] = (float)sum;
    }
  }
}

#define PARTS(n)                                                                                                       \
  { "parts_" #n, SKP_OPTIONAL }
#define SUM(n)                                                                                                         \
  { "sum_" #n, SKP_OPTIONAL }

const struct skp_op skp__op_sum_parts = {
    .name = "sum_parts",
    .kind = SKP_KIND_UPDATE,
    .n_in = SKP_SUMS,
    .n_out = SKP_SUMS,
    .in = {{"parts_1"}, PARTS(2), PARTS(3), PARTS(4), PARTS(5), PARTS(6), PARTS(7), PARTS(8)},
    .out = {{"sum_1"}, SUM(2), SUM(3), SUM(4), SUM(5), SUM(6), SUM(7), SUM(8)},
    .infer = infer,
    .flops = flops,
    .reference = reference,
};
