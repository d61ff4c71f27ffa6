/* chunks.h: launches over a flat value in chunks, and then over what became of each; see cl/chunks.clh.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_BACKEND_OPENCL_CHUNKS_H
#define SKP_BACKEND_OPENCL_CHUNKS_H

#include "backend/opencl/cl.h"

/* How a flat value is cut: `chunks` groups of `lanes` work-items. */
struct skp__chunks {
  int chunks;
  size_t lanes;
  char options[80]; /* of all launches */
};

/* The cut of input 0, and the first launch. Its kernel has the parameters partial, the workspace, a number for each
 * chunk; g, the input; n, how many values it has. */
skp_status skp__cl_sum_chunks(struct skp__chunks *out, struct skp_prepared *p, const char *file, const char *kernel,
                              const struct skp_sig *sig, int lanes, int width);

/* The methods of an op that is launched so, by SKP_CHUNK_METHODS(op, launch): `launch` is given lanes and width. */
#define SKP_CHUNK_METHODS(op, launch)                                                                                  \
  static skp_status op##_lanes(struct skp_prepared *p, const struct skp_sig *sig) { return launch(p, sig, 64, 4); }    \
  static skp_status op##_plain(struct skp_prepared *p, const struct skp_sig *sig) { return launch(p, sig, 1, 16); }    \
  const struct skp__cl_method skp__cl_##op[] = {                                                                       \
      {"lanes", SKP_CL_GPU, skp__cl_refuse_huge, op##_lanes, 0},                                                       \
      {"plain", SKP_CL_ANY, skp__cl_refuse_huge, op##_plain, 0},                                                       \
      {0},                                                                                                             \
  }

#endif
