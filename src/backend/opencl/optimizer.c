/* optimizer.c: the methods of the optimizers on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"
#include <stdio.h>

enum { WIDTH = 8, LOCAL = 64 }; /* values of a work-item; work-items of a group */

static size_t items(const struct skp_sig *sig) {
  return skp__cl_round_up((skp__shape_count(&sig->in[0]) + WIDTH - 1) / WIDTH, LOCAL);
}

static skp_status prepare_sgd(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct skp_optimizer_attrs *a = &sig->attrs.optimizer;
  char options[80];
  snprintf(options, sizeof options, "-DWIDTH=%d -DMOMENTUM=%d -DNESTEROV=%d", WIDTH, sig->in[2].rank > 0,
           a->nesterov != 0);
  size_t local = LOCAL, global = items(sig);
  return skp__cl_launch(p, "optimizer", "sgd", options, 1, &global, &local, "o0 o1 i0 i1 i2 i3 d f f",
                        (int)skp__shape_count(&sig->in[0]), (double)a->momentum, (double)a->weight_decay);
}

static skp_status launch_adam(struct skp_prepared *p, const struct skp_sig *sig, int decoupled) {
  const struct skp_optimizer_attrs *a = &sig->attrs.optimizer;
  char options[80];
  snprintf(options, sizeof options, "-DWIDTH=%d -DDECOUPLED=%d", WIDTH, decoupled);
  size_t local = LOCAL, global = items(sig);
  return skp__cl_launch(p, "optimizer", "adam", options, 1, &global, &local, "o0 o1 o2 i0 i1 i2 i3 i4 d f f f f",
                        (int)skp__shape_count(&sig->in[0]), (double)a->beta1, (double)a->beta2, (double)a->eps,
                        (double)a->weight_decay);
}

static skp_status prepare_adam(struct skp_prepared *p, const struct skp_sig *sig) { return launch_adam(p, sig, 0); }

static skp_status prepare_adamw(struct skp_prepared *p, const struct skp_sig *sig) { return launch_adam(p, sig, 1); }

const struct skp__cl_method skp__cl_sgd[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, prepare_sgd}, {0}};
const struct skp__cl_method skp__cl_adam[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, prepare_adam}, {0}};
const struct skp__cl_method skp__cl_adamw[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, prepare_adamw}, {0}};
