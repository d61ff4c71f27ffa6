/* optimizer.c: the methods of the optimizers on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/values.h"
#include <stdio.h>
#include <string.h>

/* What all updates have in common. */
static void add_options(char *text, size_t size, const struct skp_sig *sig) {
  const struct skp_optimizer *o = sig->op->optimizer;
  size_t used = strlen(text);
  snprintf(text + used, size - used, "%s-DBLOCK=%d -DFACTORS=%d -DSCALE=%d -DAVERAGE=%d -DGUARD=%d", used ? " " : "",
           SKP_UPDATE_BLOCK, sig->in[o->factors].rank > 0, sig->in[o->scale].rank > 0, sig->in[o->average].rank > 0,
           sig->in[o->broken].rank > 0);
}

static skp_status prepare_sgd(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct skp_optimizer_attrs *a = &sig->attrs.optimizer;
  char options[160];
  snprintf(options, sizeof options, "-DMOMENTUM=%d -DNESTEROV=%d", sig->in[2].rank > 0, a->nesterov != 0);
  add_options(options, sizeof options, sig);
  const int n = skp__cl_values(sig);
  return skp__cl_launch_values(p, "optimizer", "sgd", options, n,
                               SKP_ARGS(SKP_OUT(new_p, 0), SKP_OUT(new_m, 1), SKP_OUT(new_a, 2), SKP_IN(p, 0),
                                        SKP_IN(g, 1), SKP_IN(m, 2), SKP_IN(h, 3), SKP_IN(f, 4), SKP_IN(scale, 5),
                                        SKP_IN(a, 6), SKP_IN(broken, 7), SKP_INT(n, n),
                                        SKP_FLOAT(momentum, a->momentum), SKP_FLOAT(decay, a->weight_decay)));
}

static skp_status launch_adam(struct skp_prepared *p, const struct skp_sig *sig, int decoupled) {
  const struct skp_optimizer_attrs *a = &sig->attrs.optimizer;
  char options[160];
  snprintf(options, sizeof options, "-DDECOUPLED=%d", decoupled);
  add_options(options, sizeof options, sig);
  const int n = skp__cl_values(sig);
  return skp__cl_launch_values(p, "optimizer", "adam", options, n,
                               SKP_ARGS(SKP_OUT(new_p, 0), SKP_OUT(new_m, 1), SKP_OUT(new_v, 2), SKP_OUT(new_a, 3),
                                        SKP_IN(p, 0), SKP_IN(g, 1), SKP_IN(m, 2), SKP_IN(v, 3), SKP_IN(h, 4),
                                        SKP_IN(f, 5), SKP_IN(scale, 6), SKP_IN(a, 7), SKP_IN(broken, 8), SKP_INT(n, n),
                                        SKP_FLOAT(beta1, a->beta1), SKP_FLOAT(beta2, a->beta2), SKP_FLOAT(eps, a->eps),
                                        SKP_FLOAT(decay, a->weight_decay)));
}

static skp_status prepare_adam(struct skp_prepared *p, const struct skp_sig *sig) { return launch_adam(p, sig, 0); }

static skp_status prepare_adamw(struct skp_prepared *p, const struct skp_sig *sig) { return launch_adam(p, sig, 1); }

static skp_status prepare_lion(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct skp_optimizer_attrs *a = &sig->attrs.optimizer;
  char options[160] = "";
  add_options(options, sizeof options, sig);
  const int n = skp__cl_values(sig);
  return skp__cl_launch_values(p, "optimizer", "lion", options, n,
                               SKP_ARGS(SKP_OUT(new_p, 0), SKP_OUT(new_m, 1), SKP_OUT(new_a, 2), SKP_IN(p, 0),
                                        SKP_IN(g, 1), SKP_IN(m, 2), SKP_IN(h, 3), SKP_IN(f, 4), SKP_IN(scale, 5),
                                        SKP_IN(a, 6), SKP_IN(broken, 7), SKP_INT(n, n), SKP_FLOAT(beta1, a->beta1),
                                        SKP_FLOAT(beta2, a->beta2), SKP_FLOAT(decay, a->weight_decay)));
}

const struct skp__cl_method skp__cl_sgd[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, prepare_sgd, 0}, {0}};
const struct skp__cl_method skp__cl_adam[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, prepare_adam, 0}, {0}};
const struct skp__cl_method skp__cl_adamw[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, prepare_adamw, 0}, {0}};
const struct skp__cl_method skp__cl_lion[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, prepare_lion, 0}, {0}};
