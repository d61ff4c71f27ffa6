/* activation.c: the methods of activations and their gradient on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"
#include <stdio.h>

enum { WIDTH = 8 }; /* values of a work-item */

static skp_status launch(struct skp_prepared *p, const struct skp_sig *sig, const char *kernel, const char *args) {
  const int n = (int)skp__shape_count(&sig->out[0]);
  const size_t global = (size_t)(n + WIDTH - 1) / WIDTH;
  char options[40];
  snprintf(options, sizeof options, "-DWIDTH=%d -DKIND=%d", WIDTH, sig->attrs.activation.kind);
  return skp__cl_launch(p, "activation", kernel, options, 1, &global, NULL, args, n);
}

static skp_status prepare(struct skp_prepared *p, const struct skp_sig *sig) {
  return launch(p, sig, "activation", "o0 i0 d");
}

static skp_status prepare_dx(struct skp_prepared *p, const struct skp_sig *sig) {
  return launch(p, sig, "activation_dx", "o0 i0 i1 d");
}

const struct skp__cl_method skp__cl_activation[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, prepare}, {0}};
const struct skp__cl_method skp__cl_activation_dx[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, prepare_dx}, {0}};
