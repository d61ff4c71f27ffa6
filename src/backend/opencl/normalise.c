/* normalise.c: the method of normalise on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/values.h"

static skp_status prepare(struct skp_prepared *p, const struct skp_sig *sig) {
  const int n = skp__cl_values(sig), channels = (int)sig->out[0].dim[3];
  return skp__cl_launch_values(
      p, "normalise", "normalise", "", n,
      SKP_ARGS(SKP_OUT(y, 0), SKP_IN(bytes, 0), SKP_IN(levels, 1), SKP_INT(n, n), SKP_INT(channels, channels)));
}

const struct skp__cl_method skp__cl_normalise[] = {
    {"plain", SKP_CL_ANY | SKP_CL_NARROW, skp__cl_refuse_huge, prepare, 0}, {0}};
