/* activation.c: the methods of activations and their gradient on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/values.h"
#include <stdio.h>

static skp_status launch(struct skp_prepared *p, const struct skp_sig *sig, const char *kernel,
                         const struct skp__cl_arg *args) {
  char options[20];
  snprintf(options, sizeof options, "-DKIND=%d", sig->attrs.activation.kind);
  return skp__cl_launch_values(p, "activation", kernel, options, skp__cl_values(sig), args);
}

static skp_status prepare(struct skp_prepared *p, const struct skp_sig *sig) {
  return launch(p, sig, "activation", SKP_ARGS(SKP_OUT(y, 0), SKP_IN(x, 0), SKP_INT(n, skp__cl_values(sig))));
}

static skp_status prepare_dx(struct skp_prepared *p, const struct skp_sig *sig) {
  return launch(p, sig, "activation_dx",
                SKP_ARGS(SKP_OUT(dx, 0), SKP_IN(dy, 0), SKP_IN(x, 1), SKP_INT(n, skp__cl_values(sig))));
}

const struct skp__cl_method skp__cl_activation[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, prepare, 0}, {0}};
const struct skp__cl_method skp__cl_activation_dx[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, prepare_dx, 0}, {0}};
