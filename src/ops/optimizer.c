/* optimizer.c: the updates of parameters: SGD, Adam, AdamW, each as PyTorch's class of that name, and Lion.
 * SPDX-License-Identifier: MIT
 *
 *   hyper (struct skp_hyper) changes from step to step; attributes do not
 *
 *   sgd     g' = g + weight_decay · p
 *           m  = momentum · m + g';   p -= lr · m                         (Polyak 1964)
 *           nesterov: p -= lr · (g' + momentum · m)                       (Sutskever et al. 2013)
 *           without momentum there is no m: p -= lr · g'
 *   adam    g' = g + weight_decay · p                                     (Kingma & Ba 2015, algorithm 1)
 *           m  = beta1 · m + (1 - beta1) · g';   v = beta2 · v + (1 - beta2) · g'^2
 *           p -= lr · (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
 *   adamw   p is first shrunk by lr · weight_decay · p, and g' = g        (Loshchilov & Hutter 2019, algorithm 2)
 *   lion    c  = beta1 · m + (1 - beta1) · g                              (Chen et al. 2023, algorithm 2)
 *           p -= lr · (sign(c) + weight_decay · p);   m = beta2 · m + (1 - beta2) · g
 *
 * m and v start at zero. Results take over the storage of p, m, v and average. What may
 * be left out, and then changes nothing:
 *
 *   factors   {blocks, 2}: a row {of lr, of weight_decay} for each SKP_UPDATE_BLOCK values of p
 *   scale     {1}: g is multiplied by it first
 *   average   average += ema_rate · (p - average), with the new p
 *   broken    {1}: where it is not 0 p, m and v stay as they are */
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

static const struct skp_attr attrs_lion[] = {
    ATTR(beta1, SKP_ATTR_FLOAT, 0.9),
    ATTR(beta2, SKP_ATTR_FLOAT, 0.99),
    ATTR(weight_decay, SKP_ATTR_FLOAT, 0),
    {0},
};

/* ---- shapes ------------------------------------------------------------------------------------------------------ */

static skp_status check_optional(const struct skp_sig *sig, int i, struct skp_shape want, const char *because) {
  return sig->in[i].rank ? skp__check_shape(sig, i, want, because) : SKP_OK;
}

/* p and what has its shape: g and, where there are any, moments; then the rest. */
static skp_status check_inputs(struct skp_sig *sig) {
  const struct skp_optimizer *o = sig->op->optimizer;
  const bool keeps = !o->keeps || o->keeps(&sig->attrs);
  const int64_t n = skp__shape_count(&sig->in[0]), blocks = (n + SKP_UPDATE_BLOCK - 1) / SKP_UPDATE_BLOCK;
  SKP_TRY(skp__check_within(sig, "weight_decay", (double)sig->attrs.optimizer.weight_decay, 0, INFINITY));
  SKP_TRY(skp__check_rank(sig, 0, sig->in[0].rank));
  SKP_TRY(skp__check_shape(sig, o->g, sig->in[0], "the shape of p"));
  for (int m = 0; m < o->moments && keeps; m++)
    SKP_TRY(skp__check_shape(sig, o->moment[m], sig->in[0], "the shape of p"));
  SKP_TRY(skp__check_shape(sig, o->hyper, skp__shape1(SKP_HYPER), "the numbers of struct skp_hyper"));
  SKP_TRY(check_optional(sig, o->factors, skp__shape2(blocks, 2), "two for each block of p"));
  SKP_TRY(check_optional(sig, o->scale, skp__shape1(1), "one for all of g"));
  SKP_TRY(check_optional(sig, o->average, sig->in[0], "the shape of p"));
  SKP_TRY(check_optional(sig, o->broken, skp__shape1(1), "one for all of p"));
  for (int i = 0; i < sig->n_out; i++) sig->out[i] = sig->in[sig->op->alias[i] - 1];
  return SKP_OK;
}

static skp_status infer_sgd(struct skp_sig *sig) {
  const struct skp_optimizer_attrs *a = &sig->attrs.optimizer;
  SKP_TRY(skp__check_within(sig, "momentum", (double)a->momentum, 0, INFINITY));
  if (a->nesterov && a->momentum == 0) return skp__op_fail(sig, "nesterov needs a momentum above 0.");
  if (a->momentum == 0) SKP_TRY(skp__check_absent(sig, 2, "momentum is 0"));
  return check_inputs(sig);
}

static skp_status infer_adam(struct skp_sig *sig) {
  const struct skp_optimizer_attrs *a = &sig->attrs.optimizer;
  const double below_1 = 1 - 0x1p-24; /* the largest float below 1 */
  SKP_TRY(skp__check_within(sig, "beta1", (double)a->beta1, 0, below_1));
  SKP_TRY(skp__check_within(sig, "beta2", (double)a->beta2, 0, below_1));
  SKP_TRY(skp__check_within(sig, "eps", (double)a->eps, 0, INFINITY));
  return check_inputs(sig);
}

static skp_status infer_lion(struct skp_sig *sig) {
  const struct skp_optimizer_attrs *a = &sig->attrs.optimizer;
  SKP_TRY(skp__check_within(sig, "beta1", (double)a->beta1, 0, 1));
  SKP_TRY(skp__check_within(sig, "beta2", (double)a->beta2, 0, 1));
  return check_inputs(sig);
}

/* ---- cost -------------------------------------------------------------------------------------------------------- */

static double flops_sgd(const struct skp_sig *sig) {
  const struct skp_optimizer_attrs *a = &sig->attrs.optimizer;
  int each = 2 + (a->momentum != 0 ? 2 : 0) + (a->nesterov ? 2 : 0) + (a->weight_decay != 0 ? 2 : 0);
  return (double)skp__shape_count(&sig->in[0]) * each;
}

static double flops_adam(const struct skp_sig *sig) {
  return (double)skp__shape_count(&sig->in[0]) * (sig->attrs.optimizer.weight_decay != 0 ? 14 : 12);
}

static double flops_lion(const struct skp_sig *sig) {
  return (double)skp__shape_count(&sig->in[0]) * (sig->attrs.optimizer.weight_decay != 0 ? 11 : 9);
}

/* ---- reference --------------------------------------------------------------------------------------------------- */

static const struct skp_optimizer *inputs_of(const struct skp_call *call) { return call->sig->op->optimizer; }

static const struct skp_hyper *hyper_in(const struct skp_call *call) { return call->in[inputs_of(call)->hyper]; }

/* A factor of value i of p: which 0: of its learning rate, 1: of its weight decay. */
static double factor(const struct skp_call *call, int64_t i, int which) {
  const float *factors = call->in[inputs_of(call)->factors];
  return factors ? factors[i / SKP_UPDATE_BLOCK * 2 + which] : 1;
}

/* For value i of p: its learning rate, its gradient, the factor of its weight decay. */
static double rate(const struct skp_call *call, int64_t i) { return (double)hyper_in(call)->lr * factor(call, i, 0); }

static double decay(const struct skp_call *call, int64_t i) {
  return (double)call->sig->attrs.optimizer.weight_decay * factor(call, i, 1);
}

static double gradient(const struct skp_call *call, int64_t i) {
  const float *g = call->in[inputs_of(call)->g], *scale = call->in[inputs_of(call)->scale];
  return scale ? (double)scale[0] * g[i] : g[i];
}

/* The new value i of p, and what it makes of the average. */
static void put(const struct skp_call *call, int64_t i, double value) {
  const float *average = call->in[inputs_of(call)->average];
  float *p = call->out[0], *new_average = call->out[call->sig->op->n_out - 1];
  p[i] = (float)value;
  if (average) new_average[i] = (float)(average[i] + (double)hyper_in(call)->ema_rate * ((double)p[i] - average[i]));
}

/* Whether all stays as it is, but for the average. */
static bool is_broken(const struct skp_call *call) {
  const float *broken = call->in[inputs_of(call)->broken], *p = call->in[0];
  if (!broken || broken[0] == 0) return false;
  for (int64_t i = 0; i < skp__shape_count(&call->sig->in[0]); i++) put(call, i, p[i]);
  return true;
}

static void reference_sgd(const struct skp_call *call) {
  if (is_broken(call)) return;
  const struct skp_optimizer_attrs *a = &call->sig->attrs.optimizer;
  const float *p = call->in[0], *m = call->in[2];
  float *new_m = call->out[1];
  const double momentum = (double)a->momentum;
  for (int64_t i = 0; i < skp__shape_count(&call->sig->in[0]); i++) {
    double step = gradient(call, i) + decay(call, i) * p[i];
    if (m) {
      const double kept = momentum * m[i] + step;
      step = a->nesterov ? step + momentum * kept : kept;
      new_m[i] = (float)kept;
    }
    put(call, i, p[i] - rate(call, i) * step);
  }
}

/* Adam, or AdamW where weight decay is `decoupled`: it shrinks p itself instead of being added to the gradient. */
static void adam(const struct skp_call *call, bool decoupled) {
  if (is_broken(call)) return;
  const struct skp_optimizer_attrs *a = &call->sig->attrs.optimizer;
  const float *p = call->in[0], *m = call->in[2], *v = call->in[3];
  const struct skp_hyper *hyper = hyper_in(call);
  float *new_m = call->out[1], *new_v = call->out[2];
  const double beta1 = (double)a->beta1, beta2 = (double)a->beta2;
  for (int64_t i = 0; i < skp__shape_count(&call->sig->in[0]); i++) {
    const double pull = decay(call, i) * p[i], grad = gradient(call, i) + (decoupled ? 0 : pull);
    const double mean = beta1 * m[i] + (1 - beta1) * grad, square = beta2 * v[i] + (1 - beta2) * grad * grad;
    const double step = mean / hyper->rest_1 / (sqrt(square / hyper->rest_2) + (double)a->eps);
    put(call, i, p[i] - rate(call, i) * (step + (decoupled ? pull : 0)));
    new_m[i] = (float)mean;
    new_v[i] = (float)square;
  }
}

static void reference_adam(const struct skp_call *call) { adam(call, false); }

static void reference_adamw(const struct skp_call *call) { adam(call, true); }

/* The sign of a number that is none is none. */
static double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }

static void reference_lion(const struct skp_call *call) {
  if (is_broken(call)) return;
  const struct skp_optimizer_attrs *a = &call->sig->attrs.optimizer;
  const float *p = call->in[0], *m = call->in[2];
  float *new_m = call->out[1];
  const double beta1 = (double)a->beta1, beta2 = (double)a->beta2;
  for (int64_t i = 0; i < skp__shape_count(&call->sig->in[0]); i++) {
    const double grad = gradient(call, i), step = sign(beta1 * m[i] + (1 - beta1) * grad), kept = m[i];
    put(call, i, p[i] - rate(call, i) * (step + decay(call, i) * p[i]));
    new_m[i] = (float)(beta2 * kept + (1 - beta2) * grad);
  }
}

static bool with_momentum(const union skp_attrs *attrs) { return attrs->optimizer.momentum != 0; }

static const struct skp_optimizer inputs_sgd = {.p = 0,
                                                .g = 1,
                                                .moments = 1,
                                                .moment = {2},
                                                .hyper = 3,
                                                .factors = 4,
                                                .scale = 5,
                                                .average = 6,
                                                .broken = 7,
                                                .keeps = with_momentum};
static const struct skp_optimizer inputs_adam = {
    .p = 0, .g = 1, .moments = 2, .moment = {2, 3}, .hyper = 4, .factors = 5, .scale = 6, .average = 7, .broken = 8};

const struct skp_op skp__op_sgd = {
    .name = "sgd",
    .kind = SKP_KIND_UPDATE,
    .n_in = 8,
    .n_out = 3,
    .in = {{"p"},
           {"g"},
           {"m", SKP_OPTIONAL},
           {"hyper"},
           {"factors", SKP_OPTIONAL},
           {"scale", SKP_OPTIONAL},
           {"average", SKP_OPTIONAL},
           {"broken", SKP_OPTIONAL}},
    .out = {{"new_p"}, {"new_m", SKP_OPTIONAL}, {"new_average", SKP_OPTIONAL}},
    .alias = {1, 3, 7},
    .optimizer = &inputs_sgd,
    .attrs = attrs_sgd,
    .infer = infer_sgd,
    .flops = flops_sgd,
    .reference = reference_sgd,
};

const struct skp_op skp__op_adam = {
    .name = "adam",
    .kind = SKP_KIND_UPDATE,
    .n_in = 9,
    .n_out = 4,
    .in = {{"p"},
           {"g"},
           {"m"},
           {"v"},
           {"hyper"},
           {"factors", SKP_OPTIONAL},
           {"scale", SKP_OPTIONAL},
           {"average", SKP_OPTIONAL},
           {"broken", SKP_OPTIONAL}},
    .out = {{"new_p"}, {"new_m"}, {"new_v"}, {"new_average", SKP_OPTIONAL}},
    .alias = {1, 3, 4, 8},
    .optimizer = &inputs_adam,
    .attrs = attrs_adam,
    .infer = infer_adam,
    .flops = flops_adam,
    .reference = reference_adam,
};

const struct skp_op skp__op_adamw = {
    .name = "adamw",
    .kind = SKP_KIND_UPDATE,
    .n_in = 9,
    .n_out = 4,
    .in = {{"p"},
           {"g"},
           {"m"},
           {"v"},
           {"hyper"},
           {"factors", SKP_OPTIONAL},
           {"scale", SKP_OPTIONAL},
           {"average", SKP_OPTIONAL},
           {"broken", SKP_OPTIONAL}},
    .out = {{"new_p"}, {"new_m"}, {"new_v"}, {"new_average", SKP_OPTIONAL}},
    .alias = {1, 3, 4, 8},
    .optimizer = &inputs_adam,
    .attrs = attrs_adamw,
    .infer = infer_adam,
    .flops = flops_adam,
    .reference = reference_adamw,
};

static const struct skp_optimizer inputs_lion = {
    .p = 0, .g = 1, .moments = 1, .moment = {2}, .hyper = 3, .factors = 4, .scale = 5, .average = 6, .broken = 7};

const struct skp_op skp__op_lion = {
    .name = "lion",
    .kind = SKP_KIND_UPDATE,
    .n_in = 8,
    .n_out = 3,
    .in = {{"p"},
           {"g"},
           {"m"},
           {"hyper"},
           {"factors", SKP_OPTIONAL},
           {"scale", SKP_OPTIONAL},
           {"average", SKP_OPTIONAL},
           {"broken", SKP_OPTIONAL}},
    .out = {{"new_p"}, {"new_m"}, {"new_average", SKP_OPTIONAL}},
    .alias = {1, 3, 7},
    .optimizer = &inputs_lion,
    .attrs = attrs_lion,
    .infer = infer_lion,
    .flops = flops_lion,
    .reference = reference_lion,
};
