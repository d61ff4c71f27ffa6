/* clip_norm.c: the methods of clip_norm on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/chunks.h"

static skp_status launch(struct skp_prepared *p, const struct skp_sig *sig, int lanes, int width) {
  struct skp__chunks c;
  SKP_TRY(skp__cl_sum_chunks(&c, p, "clip_norm", "clip_norm_sums", sig, lanes, width));
  return skp__cl_launch(p, "clip_norm", "clip_norm", c.options, 1, &c.lanes, &c.lanes,
                        SKP_ARGS(SKP_OUT(scale, 0), SKP_WORK(partial), SKP_INT(chunks, c.chunks),
                                 SKP_FLOAT(max_norm, sig->attrs.clip.max_norm)));
}

SKP_CHUNK_METHODS(clip_norm, launch);
