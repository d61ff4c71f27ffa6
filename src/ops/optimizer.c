/* optimizer.c: the updates of parameters: SGD, Adam, AdamW, each as PyTorch's class of that name. SPDX-License-Identifier: MIT
 *
 *   hyper = {lr, 1 - beta1^t, 1 - beta2^t, 0}, t counting from 1, changes from step to step; attributes do not
 *
 *   sgd     g' = g + weight_decay · p
 *           m  = momentum · m + g';   p -= lr · m                         (Polyak 1964)
 *           nesterov: p -= lr · (g' + momentum · m)                       (Sutskever et al. 2013)
 *           without momentum there is no m: p -= lr · g'
 *   adam    g' = g + weight_decay · p                                     (Kingma & Ba 2015, algorithm 1)
 *           m  = beta1 · m + (1 - beta1) · g';   v = beta2 · v + (1 - beta2) · g'^2
 *           p -= lr · (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
 *   adamw   p is first shrunk by lr · weight_decay · p, and g' = g        (Loshchilov & Hutter 2019, algorithm 2)
 *
 * m and v start at zero. Results take over the storage of p, m and v. */
#include "ops/check.h"
#include <math.h>

#define ATTR(field, kind, fallback)                                                                                    \
  { #field, kind, offsetof(struct skp_optimizer_attrs, field), fallback, NULL }

static const struct skp_attr attrs_sgd[] = {
    ATTR(momentum, SKP_ATTR_FLOAT, 0),
    ATTR(nesterov, SKP_ATTR_BOOL, 0),
    ATTR(weight_decay, SKP_ATTR_FLOAT, 0),
    {0},
};
static const struct skp_attr attrs_adam[] = {
    ATTR(beta1, SKP_ATTR_FLOAT, 0.9),
    ATTR(beta2, SKP_ATTR_FLOAT, 0.999),
    ATTR(eps, SKP_ATTR_FLOAT, 1e-8),
    ATTR(weight_decay, SKP_ATTR_FLOAT, 0),
    {0},
};
static const struct skp_attr attrs_adamw[] = {
    ATTR(beta1, SKP_ATTR_FLOAT, 0.9),
    ATTR(beta2, SKP_ATTR_FLOAT, 0.999),
    ATTR(eps, SKP_ATTR_FLOAT, 1e-8),
    ATTR(weight_decay, SKP_ATTR_FLOAT, 0.01),
    {0},
};

/* ---- shapes ------------------------------------------------------------------------------------------------------- */

/* p and what has its shape: g and the first `moments` of the inputs after it; then hyper. */
static skp_status check_inputs(const struct skp_sig *sig, int moments) {
  SKP_TRY(skp__check_within(sig, "weight_decay", (double)sig->attrs.optimizer.weight_decay, 0, INFINITY));
  SKP_TRY(skp__check_rank(sig, 0, sig->in[0].rank));
  for (int i = 1; i < 2 + moments; i++) SKP_TRY(skp__check_shape(sig, i, sig->in[0], "the shape of p"));
  return skp__check_shape(sig, sig->op->n_in - 1, skp__shape1(4), "lr, 1 - beta1^t, 1 - beta2^t, 0");
}

static skp_status infer_sgd(struct skp_sig *sig) {
  const struct skp_optimizer_attrs *a = &sig->attrs.optimizer;
  SKP_TRY(skp__check_within(sig, "momentum", (double)a->momentum, 0, INFINITY));
  if (a->nesterov && a->momentum == 0) return skp__op_fail(sig, "nesterov needs a momentum above 0.");
  if (a->momentum == 0) SKP_TRY(skp__check_absent(sig, 2, "momentum is 0"));
  SKP_TRY(check_inputs(sig, a->momentum != 0));
  sig->out[0] = sig->in[0];
  sig->out[1] = sig->in[2];
  return SKP_OK;
}

static skp_status infer_adam(struct skp_sig *sig) {
  const struct skp_optimizer_attrs *a = &sig->attrs.optimizer;
  const double below_1 = 1 - 0x1p-24; /* the largest float below 1 */
  SKP_TRY(skp__check_within(sig, "beta1", (double)a->beta1, 0, below_1));
  SKP_TRY(skp__check_within(sig, "beta2", (double)a->beta2, 0, below_1));
  SKP_TRY(skp__check_within(sig, "eps", (double)a->eps, 0, INFINITY));
  SKP_TRY(check_inputs(sig, 2));
  sig->out[0] = sig->out[1] = sig->out[2] = sig->in[0];
  return SKP_OK;
}

/* ---- cost --------------------------------------------------------------------------------------------------------- */

static double flops_sgd(const struct skp_sig *sig) {
  const struct skp_optimizer_attrs *a = &sig->attrs.optimizer;
  int each = 2 + (a->momentum != 0 ? 2 : 0) + (a->nesterov ? 2 : 0) + (a->weight_decay != 0 ? 2 : 0);
  return (double)skp__shape_count(&sig->in[0]) * each;
}

static double flops_adam(const struct skp_sig *sig) {
  return (double)skp__shape_count(&sig->in[0]) * (sig->attrs.optimizer.weight_decay != 0 ? 14 : 12);
}

/* ---- reference ---------------------------------------------------------------------------------------------------- */

static void reference_sgd(const struct skp_call *call) {
  const struct skp_optimizer_attrs *a = &call->sig->attrs.optimizer;
  const float *p = call->in[0], *g = call->in[1], *m = call->in[2], *hyper = call->in[3];
  float *new_p = call->out[0], *new_m = call->out[1];
  const double lr = hyper[0], momentum = (double)a->momentum;
  for (int64_t i = 0; i < skp__shape_count(&call->sig->in[0]); i++) {
    double step = g[i] + (double)a->weight_decay * p[i];
    if (m) {
      const double kept = momentum * m[i] + step;
      step = a->nesterov ? step + momentum * kept : kept;
      new_m[i] = (float)kept;
    }
    new_p[i] = (float)(p[i] - lr * step);
  }
}

/* Adam where `decay` is added to the gradient, AdamW where it shrinks p itself. */
static void adam(const struct skp_call *call, double decay_gradient, double decay_weight) {
  const struct skp_optimizer_attrs *a = &call->sig->attrs.optimizer;
  const float *p = call->in[0], *g = call->in[1], *m = call->in[2], *v = call->in[3], *hyper = call->in[4];
  float *new_p = call->out[0], *new_m = call->out[1], *new_v = call->out[2];
  const double lr = hyper[0], beta1 = (double)a->beta1, beta2 = (double)a->beta2;
  for (int64_t i = 0; i < skp__shape_count(&call->sig->in[0]); i++) {
    const double grad = g[i] + decay_gradient * p[i];
    const double mean = beta1 * m[i] + (1 - beta1) * grad, square = beta2 * v[i] + (1 - beta2) * grad * grad;
    const double step = mean / hyper[1] / (sqrt(square / hyper[2]) + (double)a->eps);
    new_p[i] = (float)(p[i] - lr * (step + decay_weight * p[i]));
    new_m[i] = (float)mean;
    new_v[i] = (float)square;
  }
}

static void reference_adam(const struct skp_call *call) {
  adam(call, (double)call->sig->attrs.optimizer.weight_decay, 0);
}

static void reference_adamw(const struct skp_call *call) {
  adam(call, 0, (double)call->sig->attrs.optimizer.weight_decay);
}

const struct skp_op skp__op_sgd = {
    .name = "sgd",
    .n_in = 4,
    .n_out = 2,
    .in_names = {"p", "g", "m?", "hyper"},
    .out_names = {"new_p", "new_m?"},
    .alias = {1, 3},
    .attrs = attrs_sgd,
    .infer = infer_sgd,
    .flops = flops_sgd,
    .reference = reference_sgd,
};

const struct skp_op skp__op_adam = {
    .name = "adam",
    .n_in = 5,
    .n_out = 3,
    .in_names = {"p", "g", "m", "v", "hyper"},
    .out_names = {"new_p", "new_m", "new_v"},
    .alias = {1, 3, 4},
    .attrs = attrs_adam,
    .infer = infer_adam,
    .flops = flops_adam,
    .reference = reference_adam,
};

const struct skp_op skp__op_adamw = {
    .name = "adamw",
    .n_in = 5,
    .n_out = 3,
    .in_names = {"p", "g", "m", "v", "hyper"},
    .out_names = {"new_p", "new_m", "new_v"},
    .alias = {1, 3, 4},
    .attrs = attrs_adamw,
    .infer = infer_adam,
    .flops = flops_adam,
    .reference = reference_adamw,
};
