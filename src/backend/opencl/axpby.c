/* axpby.c: the method of axpby on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/values.h"

static skp_status prepare(struct skp_prepared *p, const struct skp_sig *sig) {
  const int n = skp__cl_values(sig);
  return skp__cl_launch_values(p, "axpby", "axpby", "", n,
                               SKP_ARGS(SKP_OUT(new_y, 0), SKP_IN(y, 0), SKP_IN(x, 1), SKP_IN(w, 2), SKP_INT(n, n)));
}

const struct skp__cl_method skp__cl_axpby[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, prepare, 0}, {0}};
