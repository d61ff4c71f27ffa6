/* add.c: the methods of add (with or without relu) on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"

enum { WIDTH = 8 }; /* values of a work-item */

static skp_status prepare_add(struct skp_prepared *p, const struct skp_sig *sig) {
  int n = (int)skp__shape_count(&sig->out[0]);
  size_t global = (size_t)(n + WIDTH - 1) / WIDTH;
  const char *options = sig->attrs.add.relu ? "-DWIDTH=8 -DRELU=1" : "-DWIDTH=8";
  return skp__cl_launch(p, "add", "add", options, 1, &global, NULL,
                        SKP_ARGS(SKP_OUT(y, 0), SKP_IN(a, 0), SKP_IN(b, 1), SKP_INT(n, n)));
}

const struct skp__cl_method skp__cl_add[] = {{"plain", SKP_CL_ANY | SKP_CL_NARROW, skp__cl_refuse_huge, prepare_add, 0},
                                             {0}};
