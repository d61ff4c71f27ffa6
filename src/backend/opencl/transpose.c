/* transpose.c: the method of transpose on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"

static skp_status prepare(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct skp_transpose_attrs *a = &sig->attrs.transpose;
  const int total = (int)skp__shape_count(&sig->out[0]);
  const size_t global = (size_t)total;
  return skp__cl_launch(p, "transpose", "transpose", "", 1, &global, NULL,
                        SKP_ARGS(SKP_OUT(y, 0), SKP_IN(x, 0), SKP_INT(total, total), SKP_INT(rows, a->rows),
                                 SKP_INT(columns, a->columns)));
}

const struct skp__cl_method skp__cl_transpose[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, prepare, 0}, {0}};
