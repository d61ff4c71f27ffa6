/* guard.c: the methods of all_finite and commit on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"
#include <stdio.h>

enum {
  CHUNK = 4096,
  GROUP = 64,
  WIDTH = 8
}; /* values of a group; its work-items where they are many; commit's values */

static skp_status launch(struct skp_prepared *p, const struct skp_sig *sig, int lanes, int width) {
  const int n = (int)skp__shape_count(&sig->in[0]), chunks = (n + CHUNK - 1) / CHUNK;
  char options[80];
  snprintf(options, sizeof options, "-DLANES=%d -DWIDTH=%d -DCHUNK=%d", lanes, width, CHUNK);
  size_t local = (size_t)lanes, global = local * (size_t)chunks;
  skp__cl_need_workspace(p, chunks * (int64_t)sizeof(float));
  SKP_TRY(skp__cl_launch(p, "guard", "all_finite_sums", options, 1, &global, &local,
                         SKP_ARGS(SKP_WORK(partial), SKP_IN(g, 0), SKP_INT(n, n))));
  return skp__cl_launch(p, "guard", "all_finite", options, 1, &local, &local,
                        SKP_ARGS(SKP_OUT(new_broken, 0), SKP_IN(loss, 1), SKP_IN(broken, 2), SKP_WORK(partial),
                                 SKP_INT(chunks, chunks), SKP_INT(sticky, sig->attrs.guard.sticky)));
}

static skp_status lanes(struct skp_prepared *p, const struct skp_sig *sig) { return launch(p, sig, GROUP, 4); }

static skp_status plain(struct skp_prepared *p, const struct skp_sig *sig) { return launch(p, sig, 1, 16); }

static skp_status commit(struct skp_prepared *p, const struct skp_sig *sig) {
  const int n = (int)skp__shape_count(&sig->in[0]);
  size_t global = (size_t)(n + WIDTH - 1) / WIDTH;
  return skp__cl_launch(
      p, "guard", "commit", "-DLANES=1 -DWIDTH=8", 1, &global, NULL,
      SKP_ARGS(SKP_OUT(new_y, 0), SKP_OUT(new_x, 1), SKP_IN(y, 0), SKP_IN(x, 1), SKP_IN(broken, 2), SKP_INT(n, n)));
}

const struct skp__cl_method skp__cl_all_finite[] = {
    {"lanes", SKP_CL_GPU, skp__cl_refuse_huge, lanes, 0},
    {"plain", SKP_CL_ANY, skp__cl_refuse_huge, plain, 0},
    {0},
};
const struct skp__cl_method skp__cl_commit[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, commit, 0}, {0}};
