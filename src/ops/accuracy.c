/* accuracy.c: how many rows have their label's logit as the largest, and among the five largest. SPDX-License-Identifier: MIT
 *
 *   place[n] = number of k with x[n,k] > x[n,label], or equal with k < label       (as argmax takes the first of equals)
 *   correct = count of place < 1,  correct5 = count of place < 5
 *
 * NaN counts as the largest value, a label outside 0 … K-1 as wrong. */
#include "ops/check.h"

static skp_status infer(struct skp_sig *sig) {
  SKP_TRY(skp__check_rank(sig, 0, 2));
  SKP_TRY(skp__check_shape(sig, 1, skp__shape_i32(skp__shape1(sig->in[0].dim[0])), "one for each row of x"));
  sig->out[0] = sig->out[1] = skp__shape1(1);
  return SKP_OK;
}

static double flops(const struct skp_sig *sig) { return (double)skp__shape_count(&sig->in[0]); }

static int64_t place(const float *x, int64_t K, int32_t label) {
  int64_t ahead = 0;
  for (int64_t k = 0; k < K; k++) /* negated, so that NaN is ahead */
    if (k != label) ahead += k < label ? !(x[k] < x[label]) : !(x[k] <= x[label]);
  return ahead;
}

static void reference(const struct skp_call *call) {
  const int64_t N = call->sig->in[0].dim[0], K = call->sig->in[0].dim[1];
  const float *x = call->in[0];
  const int32_t *labels = call->in[1];
  float *correct = call->out[0], *correct5 = call->out[1];
  int64_t first = 0, five = 0;
  for (int64_t n = 0; n < N; n++) {
    if (labels[n] < 0 || labels[n] >= K) continue;
    const int64_t at = place(x + n * K, K, labels[n]);
    first += at < 1;
    five += at < 5;
  }
  *correct = (float)first;
  if (correct5) *correct5 = (float)five;
}

const struct skp_op skp__op_accuracy = {
    .name = "accuracy",
    .n_in = 2,
    .n_out = 2,
    .in_names = {"x", "labels"},
    .out_names = {"correct", "correct5?"},
    .infer = infer,
    .flops = flops,
    .reference = reference,
};
