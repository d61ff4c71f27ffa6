/* clip_norm.c: the methods of clip_norm on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"
#include <stdio.h>

enum { CHUNK = 4096, GROUP = 64 }; /* values of a group; its work-items where they are many */

static skp_status launch(struct skp_prepared *p, const struct skp_sig *sig, int lanes, int width) {
  const int n = (int)skp__shape_count(&sig->in[0]), chunks = (n + CHUNK - 1) / CHUNK;
  char options[80];
  snprintf(options, sizeof options, "-DLANES=%d -DWIDTH=%d -DCHUNK=%d", lanes, width, CHUNK);
  size_t local = (size_t)lanes, global = local * (size_t)chunks;
  skp__cl_need_workspace(p, chunks * (int64_t)sizeof(float));
  SKP_TRY(skp__cl_launch(p, "clip_norm", "clip_norm_sums", options, 1, &global, &local,
                         SKP_ARGS(SKP_WORK(partial), SKP_IN(g, 0), SKP_INT(n, n))));
  return skp__cl_launch(p, "clip_norm", "clip_norm", options, 1, &local, &local,
                        SKP_ARGS(SKP_OUT(scale, 0), SKP_WORK(partial), SKP_INT(chunks, chunks),
                                 SKP_FLOAT(max_norm, sig->attrs.clip.max_norm)));
}

static skp_status lanes(struct skp_prepared *p, const struct skp_sig *sig) { return launch(p, sig, GROUP, 4); }

static skp_status plain(struct skp_prepared *p, const struct skp_sig *sig) { return launch(p, sig, 1, 16); }

const struct skp__cl_method skp__cl_clip_norm[] = {
    {"lanes", SKP_CL_GPU, skp__cl_refuse_huge, lanes, 0},
    {"plain", SKP_CL_ANY, skp__cl_refuse_huge, plain, 0},
    {0},
};
