/* guard.c: the methods of all_finite and commit on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/chunks.h"
#include "backend/opencl/values.h"

static skp_status launch(struct skp_prepared *p, const struct skp_sig *sig, int lanes, int width) {
  struct skp__chunks c;
  SKP_TRY(skp__cl_sum_chunks(&c, p, "guard", "all_finite_sums", sig, lanes, width));
  return skp__cl_launch(p, "guard", "all_finite", c.options, 1, &c.lanes, &c.lanes,
                        SKP_ARGS(SKP_OUT(new_broken, 0), SKP_IN(loss, 1), SKP_IN(broken, 2), SKP_WORK(partial),
                                 SKP_INT(chunks, c.chunks), SKP_INT(sticky, sig->attrs.guard.sticky)));
}

static skp_status commit(struct skp_prepared *p, const struct skp_sig *sig) {
  const int n = skp__cl_values(sig);
  return skp__cl_launch_values(
      p, "guard", "commit", "-DLANES=1", n,
      SKP_ARGS(SKP_OUT(new_y, 0), SKP_OUT(new_x, 1), SKP_IN(y, 0), SKP_IN(x, 1), SKP_IN(broken, 2), SKP_INT(n, n)));
}

SKP_CHUNK_METHODS(all_finite, launch);
const struct skp__cl_method skp__cl_commit[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, commit, 0}, {0}};
