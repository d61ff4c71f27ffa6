/* add.c: the methods of add (with or without relu) on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/values.h"

static skp_status prepare_add(struct skp_prepared *p, const struct skp_sig *sig) {
  const int n = skp__cl_values(sig);
  return skp__cl_launch_values(p, "add", "add", sig->attrs.add.relu ? "-DRELU=1" : "", n,
                               SKP_ARGS(SKP_OUT(y, 0), SKP_IN(a, 0), SKP_IN(b, 1), SKP_INT(n, n)));
}

const struct skp__cl_method skp__cl_add[] = {{"plain", SKP_CL_ANY | SKP_CL_NARROW, skp__cl_refuse_huge, prepare_add, 0},
                                             {0}};
