/* pixels.h: launches of kernels in which a work-item does WIDTH neighbouring channels of a pixel: pooling and resizing.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_BACKEND_OPENCL_PIXELS_H
#define SKP_BACKEND_OPENCL_PIXELS_H

#include "backend/opencl/cl.h"

/* The widest vector that C is a multiple of. */
static inline int skp__pixels_width(const struct skp__cl *cl, int64_t C) {
  const int widest = cl->cpu ? 16 : 4;
  int width = 1;
  while (width < widest && C % (2 * width) == 0) width *= 2;
  return width;
}

/* Global size for that many pixels of C channels, in groups of any size. */
static inline size_t skp__pixels_global(int64_t pixels, int64_t C, int width) { return (size_t)(pixels * (C / width)); }

static inline const char *skp__pixels_refuse_vector(const struct skp__cl *cl, const struct skp_sig *sig) {
  return skp__channels(&sig->in[0]) % 2 ? "an odd number of channels" : skp__cl_refuse_huge(cl, sig);
}

/* The two methods of such an op: PREPARE(p, sig, width) adds the launch. */
#define SKP_PIXELS_METHODS(op, PREPARE)                                                                                \
  static skp_status op##_vector(struct skp_prepared *p, const struct skp_sig *sig) {                                   \
    return PREPARE(p, sig, skp__pixels_width(skp__cl_of(p), skp__channels(&sig->in[0])));                              \
  }                                                                                                                    \
  static skp_status op##_plain(struct skp_prepared *p, const struct skp_sig *sig) { return PREPARE(p, sig, 1); }       \
  const struct skp__cl_method skp__cl_##op[] = {                                                                       \
      {"vector", SKP_CL_ANY | SKP_CL_NARROW, skp__pixels_refuse_vector, op##_vector, 0},                               \
      {"plain", SKP_CL_ANY | SKP_CL_NARROW, skp__cl_refuse_huge, op##_plain, 0},                                       \
      {0}}

#endif
