/* softmax_cross_entropy.c: the mean over a batch of the cross-entropy between softmax(x)
 * and the labels, and its gradient.
 * SPDX-License-Identifier: MIT
 *
 *   t[k]  = (1 - s) · (k = label) + s / K          label smoothing s (Szegedy et al. 2016, "Rethinking the Inception
 *                                                  Architecture", section 7)
 *   loss  = mean over n of  log(sum over k of exp(x[n,k])) - sum over k of t[k] · x[n,k]
 *   dx    = dloss / N · (softmax(x) - t)
 *
 * A row that was mixed from two images (Zhang et al. 2018, "mixup") has a second label,
 * `other`, and the `lambda` of the first:
 *   t[k]  = (1 - s) · (lambda · (k = label) + (1 - lambda) · (k = other)) + s / K
 *
 * A label outside 0 … K-1 makes the loss NaN, and its row of dx too: nothing is read
 * outside x, and nothing goes unnoticed. */
#include "ops/check.h"
#include <math.h>

static const struct skp_attr attrs[] = {
    {"label_smoothing", SKP_ATTR_FLOAT, offsetof(struct skp_loss_attrs, label_smoothing), 0, NULL},
    {0},
};

static skp_status infer_loss(struct skp_sig *sig) {
  SKP_TRY(skp__check_within(sig, "label_smoothing", (double)sig->attrs.loss.label_smoothing, 0, 1));
  SKP_TRY(skp__check_rank(sig, 0, 2));
  SKP_TRY(skp__check_shape(sig, 1, skp__shape_i32(skp__shape1(sig->in[0].dim[0])), "one for each row of x"));
  sig->out[0] = skp__shape1(1);
  return SKP_OK;
}

/* The inputs `other` and `lambda` come together, from number i on. */
static skp_status check_mixed(const struct skp_sig *sig, int i) {
  struct skp_shape row = skp__shape1(sig->in[0].dim[0]);
  if (!sig->in[i].rank) return skp__check_absent(sig, i + 1, "there are no other labels");
  SKP_TRY(skp__check_shape(sig, i, skp__shape_i32(row), "one for each row of x"));
  return skp__check_shape(sig, i + 1, row, "one for each row of x");
}

static skp_status infer(struct skp_sig *sig) {
  SKP_TRY(infer_loss(sig));
  return check_mixed(sig, 2);
}

static skp_status infer_dx(struct skp_sig *sig) {
  SKP_TRY(infer_loss(sig));
  if (sig->in[2].rank) SKP_TRY(skp__check_shape(sig, 2, skp__shape1(1), "the loss is one number"));
  SKP_TRY(check_mixed(sig, 3));
  sig->out[0] = sig->in[0];
  return SKP_OK;
}

static skp_status gradient(struct skp_grad *g) {
  const skp_value in[] = {g->in[0], g->in[1], g->dout[0], g->in[2], g->in[3]};
  return g->emit(g, SKP_OP_softmax_cross_entropy_dx, &g->sig->attrs, in, NULL, &g->din[0]);
}

/* For each element: maximum, subtract, exponential, sum, and the product with t. */
static double flops(const struct skp_sig *sig) { return 6 * (double)skp__shape_count(&sig->in[0]); }

/* log(sum of exp(x[k])), safe from overflow. */
static double log_sum_exp(const float *x, int64_t K) {
  double most = x[0], sum = 0;
  for (int64_t k = 1; k < K; k++) most = x[k] > most ? x[k] : most;
  for (int64_t k = 0; k < K; k++) sum += exp(x[k] - most);
  return most + log(sum);
}

/* What the targets are made of; `other` and `lambda` NULL where rows are not mixed. */
struct targets {
  const int32_t *labels, *other;
  const float *lambda;
  double smoothing;
  int64_t K;
};

static double target(const struct targets *t, int64_t n, int64_t k) {
  const int32_t label = t->labels[n], other = t->other ? t->other[n] : label;
  const double lambda = t->lambda ? (double)t->lambda[n] : 1;
  if (label < 0 || label >= t->K || other < 0 || other >= t->K) return NAN;
  return (1 - t->smoothing) * ((label == k ? lambda : 0) + (other == k ? 1 - lambda : 0)) + t->smoothing / (double)t->K;
}

static void reference(const struct skp_call *call) {
  const int64_t N = call->sig->in[0].dim[0], K = call->sig->in[0].dim[1];
  const struct targets t = {call->in[1], call->in[2], call->in[3], (double)call->sig->attrs.loss.label_smoothing, K};
  const float *x = call->in[0];
  double sum = 0;
  for (int64_t n = 0; n < N; n++) {
    const double log_sum = log_sum_exp(x + n * K, K);
    for (int64_t k = 0; k < K; k++) sum += target(&t, n, k) * (log_sum - x[n * K + k]);
  }
  *(float *)call->out[0] = (float)(sum / (double)N);
}

static void reference_dx(const struct skp_call *call) {
  const int64_t N = call->sig->in[0].dim[0], K = call->sig->in[0].dim[1];
  const struct targets t = {call->in[1], call->in[3], call->in[4], (double)call->sig->attrs.loss.label_smoothing, K};
  const float *x = call->in[0], *dloss = call->in[2];
  float *dx = call->out[0];
  const double scale = (dloss ? *dloss : 1) / (double)N;
  for (int64_t n = 0; n < N; n++) {
    const double log_sum = log_sum_exp(x + n * K, K);
    for (int64_t k = 0; k < K; k++) dx[n * K + k] = (float)(scale * (exp(x[n * K + k] - log_sum) - target(&t, n, k)));
  }
}

const struct skp_op skp__op_softmax_cross_entropy = {
    .name = "softmax_cross_entropy",
    .n_in = 4,
    .n_out = 1,
    .in = {{"x"}, {"labels"}, {"other", SKP_OPTIONAL}, {"lambda", SKP_OPTIONAL}},
    .out = {{"loss"}},
    .attrs = attrs,
    .infer = infer,
    .gradient = gradient,
    .flops = flops,
    .reference = reference,
};

const struct skp_op skp__op_softmax_cross_entropy_dx = {
    .name = "softmax_cross_entropy_dx",
    .n_in = 5,
    .n_out = 1,
    .in = {{"x"}, {"labels"}, {"dloss", SKP_OPTIONAL}, {"other", SKP_OPTIONAL}, {"lambda", SKP_OPTIONAL}},
    .out = {{"dx"}},
    .attrs = attrs,
    .infer = infer_dx,
    .flops = flops,
    .reference = reference_dx,
};
