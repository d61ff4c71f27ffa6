/* accuracy.c: the methods of accuracy on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"

enum { LOCAL = 64 }; /* work-items of the one group */

static skp_status prepare(struct skp_prepared *p, const struct skp_sig *sig) {
  size_t local = LOCAL;
  return skp__cl_launch(p, "accuracy", "accuracy", sig->out[1].rank ? "-DLOCAL=64 -DFIVE=1" : "-DLOCAL=64 -DFIVE=0", 1,
                        &local, &local, "o0 o1 i0 i1 d d", (int)sig->in[0].dim[0], (int)sig->in[0].dim[1]);
}

const struct skp__cl_method skp__cl_accuracy[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, prepare}, {0}};
