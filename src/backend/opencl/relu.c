/* relu.c: the methods of relu and its gradient on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"

enum { WIDTH = 8 }; /* values of a work-item */

static int count(const struct skp_sig *sig) { return (int)skp__shape_count(&sig->out[0]); }

static skp_status launch(struct skp_prepared *p, const struct skp_sig *sig, const char *kernel,
                         const struct skp__cl_arg *args) {
  size_t global = (size_t)(count(sig) + WIDTH - 1) / WIDTH;
  return skp__cl_launch(p, "relu", kernel, "-DWIDTH=8", 1, &global, NULL, args);
}

static skp_status prepare_relu(struct skp_prepared *p, const struct skp_sig *sig) {
  return launch(p, sig, "relu", SKP_ARGS(SKP_OUT(y, 0), SKP_IN(x, 0), SKP_INT(n, count(sig))));
}

static skp_status prepare_relu_dx(struct skp_prepared *p, const struct skp_sig *sig) {
  return launch(p, sig, "relu_dx", SKP_ARGS(SKP_OUT(dx, 0), SKP_IN(dy, 0), SKP_IN(y, 1), SKP_INT(n, count(sig))));
}

const struct skp__cl_method skp__cl_relu[] = {
    {"plain", SKP_CL_ANY | SKP_CL_NARROW, skp__cl_refuse_huge, prepare_relu, 0}, {0}};
const struct skp__cl_method skp__cl_relu_dx[] = {
    {"plain", SKP_CL_ANY | SKP_CL_NARROW, skp__cl_refuse_huge, prepare_relu_dx, 0}, {0}};
