/* normalise.c: the method of normalise on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"

enum { WIDTH = 8 }; /* values of a work-item */

static skp_status prepare(struct skp_prepared *p, const struct skp_sig *sig) {
  const int n = (int)skp__shape_count(&sig->out[0]), channels = (int)sig->out[0].dim[3];
  const size_t global = (size_t)(n + WIDTH - 1) / WIDTH;
  return skp__cl_launch(
      p, "normalise", "normalise", "-DWIDTH=8", 1, &global, NULL,
      SKP_ARGS(SKP_OUT(y, 0), SKP_IN(bytes, 0), SKP_IN(levels, 1), SKP_INT(n, n), SKP_INT(channels, channels)));
}

const struct skp__cl_method skp__cl_normalise[] = {
    {"plain", SKP_CL_ANY | SKP_CL_NARROW, skp__cl_refuse_huge, prepare, 0}, {0}};
