/* dropout.c: the method of dropout on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"

enum { WIDTH = 8 }; /* values of a work-item */

static skp_status prepare(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct skp_dropout_attrs *a = &sig->attrs.dropout;
  const int n = (int)skp__shape_count(&sig->out[0]);
  const size_t global = (size_t)(n + WIDTH - 1) / WIDTH;
  return skp__cl_launch(p, "dropout", "dropout", "-DWIDTH=8", 1, &global, NULL, "o0 i0 i1 d d f d d", n,
                        (int)skp__dropout_threshold(a), (double)skp__dropout_scale(a), a->stream,
                        (int)skp__dropout_together(sig));
}

const struct skp__cl_method skp__cl_dropout[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, prepare}, {0}};
