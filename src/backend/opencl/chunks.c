/* chunks.c: see chunks.h. SPDX-License-Identifier: MIT */
#include "backend/opencl/chunks.h"
#include <stdio.h>

enum { CHUNK = 4096 }; /* values of a group */

skp_status skp__cl_sum_chunks(struct skp__chunks *out, struct skp_prepared *p, const char *file, const char *kernel,
                              const struct skp_sig *sig, int lanes, int width) {
  const int n = (int)skp__shape_count(&sig->in[0]);
  *out = (struct skp__chunks){.chunks = (n + CHUNK - 1) / CHUNK, .lanes = (size_t)lanes};
  snprintf(out->options, sizeof out->options, "-DLANES=%d -DWIDTH=%d -DCHUNK=%d", lanes, width, CHUNK);
  const size_t global = out->lanes * (size_t)out->chunks;
  skp__cl_need_workspace(p, out->chunks * (int64_t)sizeof(float));
  return skp__cl_launch(p, file, kernel, out->options, 1, &global, &out->lanes,
                        SKP_ARGS(SKP_WORK(partial), SKP_IN(g, 0), SKP_INT(n, n)));
}
