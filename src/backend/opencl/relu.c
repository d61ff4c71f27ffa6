/* relu.c: the methods of relu and its gradient on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/values.h"

static skp_status prepare_relu(struct skp_prepared *p, const struct skp_sig *sig) {
  const int n = skp__cl_values(sig);
  return skp__cl_launch_values(p, "relu", "relu", "", n, SKP_ARGS(SKP_OUT(y, 0), SKP_IN(x, 0), SKP_INT(n, n)));
}

static skp_status prepare_relu_dx(struct skp_prepared *p, const struct skp_sig *sig) {
  const int n = skp__cl_values(sig);
  return skp__cl_launch_values(p, "relu", "relu_dx", "", n,
                               SKP_ARGS(SKP_OUT(dx, 0), SKP_IN(dy, 0), SKP_IN(y, 1), SKP_INT(n, n)));
}

const struct skp__cl_method skp__cl_relu[] = {
    {"plain", SKP_CL_ANY | SKP_CL_NARROW, skp__cl_refuse_huge, prepare_relu, 0}, {0}};
const struct skp__cl_method skp__cl_relu_dx[] = {
    {"plain", SKP_CL_ANY | SKP_CL_NARROW, skp__cl_refuse_huge, prepare_relu_dx, 0}, {0}};
