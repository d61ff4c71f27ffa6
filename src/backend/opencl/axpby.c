/* axpby.c: the method of axpby on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"

enum { WIDTH = 8 }; /* values of a work-item */

static skp_status prepare(struct skp_prepared *p, const struct skp_sig *sig) {
  int n = (int)skp__shape_count(&sig->out[0]);
  size_t global = (size_t)(n + WIDTH - 1) / WIDTH;
  return skp__cl_launch(p, "axpby", "axpby", "-DWIDTH=8", 1, &global, NULL,
                        SKP_ARGS(SKP_OUT(new_y, 0), SKP_IN(y, 0), SKP_IN(x, 1), SKP_IN(w, 2), SKP_INT(n, n)));
}

const struct skp__cl_method skp__cl_axpby[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, prepare, 0}, {0}};
