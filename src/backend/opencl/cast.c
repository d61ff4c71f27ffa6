/* cast.c: the methods of casts between float32 and bfloat16 on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/values.h"

static skp_status prepare(struct skp_prepared *p, const struct skp_sig *sig) {
  const int n = skp__cl_values(sig);
  return skp__cl_launch_values(p, "cast", sig->op->name, "", n, SKP_ARGS(SKP_OUT(y, 0), SKP_IN(x, 0), SKP_INT(n, n)));
}

#define METHODS                                                                                                        \
  {                                                                                                                    \
    {"plain", SKP_CL_ANY | SKP_CL_NARROW, skp__cl_refuse_huge, prepare, 0}, { 0 }                                      \
  }
const struct skp__cl_method skp__cl_to_float32[] = METHODS;
const struct skp__cl_method skp__cl_to_bfloat16[] = METHODS;
