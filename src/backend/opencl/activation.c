/* activation.c: the methods of activations and their gradient on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"
#include <stdio.h>

enum { WIDTH = 8 }; /* values of a work-item */

static int count(const struct skp_sig *sig) { return (int)skp__shape_count(&sig->out[0]); }

static skp_status launch(struct skp_prepared *p, const struct skp_sig *sig, const char *kernel,
                         const struct skp__cl_arg *args) {
  const size_t global = (size_t)(count(sig) + WIDTH - 1) / WIDTH;
  char options[40];
  snprintf(options, sizeof options, "-DWIDTH=%d -DKIND=%d", WIDTH, sig->attrs.activation.kind);
  return skp__cl_launch(p, "activation", kernel, options, 1, &global, NULL, args);
}

static skp_status prepare(struct skp_prepared *p, const struct skp_sig *sig) {
  return launch(p, sig, "activation", SKP_ARGS(SKP_OUT(y, 0), SKP_IN(x, 0), SKP_INT(n, count(sig))));
}

static skp_status prepare_dx(struct skp_prepared *p, const struct skp_sig *sig) {
  return launch(p, sig, "activation_dx", SKP_ARGS(SKP_OUT(dx, 0), SKP_IN(dy, 0), SKP_IN(x, 1), SKP_INT(n, count(sig))));
}

const struct skp__cl_method skp__cl_activation[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, prepare, 0}, {0}};
const struct skp__cl_method skp__cl_activation_dx[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, prepare_dx, 0}, {0}};
