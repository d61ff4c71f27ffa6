/* relu.c: the methods of relu and its gradient on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"

enum { WIDTH = 8 }; /* values of a work-item */

static skp_status launch(struct skp_prepared *p, const struct skp_sig *sig, const char *kernel, const char *args) {
  int n = (int)skp__shape_count(&sig->out[0]);
  size_t global = (size_t)(n + WIDTH - 1) / WIDTH;
  return skp__cl_launch(p, "relu", kernel, "-DWIDTH=8", 1, &global, NULL, args, n);
}

static skp_status prepare_relu(struct skp_prepared *p, const struct skp_sig *sig) {
  return launch(p, sig, "relu", "o0 i0 d");
}

static skp_status prepare_relu_dx(struct skp_prepared *p, const struct skp_sig *sig) {
  return launch(p, sig, "relu_dx", "o0 i0 i1 d");
}

const struct skp__cl_method skp__cl_relu[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, prepare_relu}, {0}};
const struct skp__cl_method skp__cl_relu_dx[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, prepare_relu_dx}, {0}};
