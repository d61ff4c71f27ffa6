/* upsample_nearest.c: the methods of nearest upsampling and its gradient on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/pixels.h"
#include <stdio.h>

/* A work-item belongs to a pixel of the result in both directions. */
static skp_status launch(struct skp_prepared *p, const struct skp_sig *sig, const char *kernel, struct skp__cl_arg to,
                         struct skp__cl_arg from, int width) {
  const struct skp_shape *y = &sig->out[0];
  const int64_t C = y->dim[3], pixels = skp__shape_count(y) / C;
  const size_t global = skp__pixels_global(pixels, C, width);
  char options[30];
  snprintf(options, sizeof options, "-DWIDTH=%d", width);
  return skp__cl_launch(p, "upsample_nearest", kernel, options, 1, &global, NULL,
                        SKP_ARGS(to, from, SKP_INT(pixels, (int)pixels), SKP_INT(W, (int)y->dim[2]), SKP_INT(C, (int)C),
                                 SKP_INT(scale, sig->attrs.upsample.scale)));
}

static skp_status prepare(struct skp_prepared *p, const struct skp_sig *sig, int width) {
  return launch(p, sig, "upsample_nearest", SKP_OUT(y, 0), SKP_IN(x, 0), width);
}

static skp_status prepare_dx(struct skp_prepared *p, const struct skp_sig *sig, int width) {
  return launch(p, sig, "upsample_nearest_dx", SKP_OUT(dx, 0), SKP_IN(dy, 0), width);
}

SKP_PIXELS_METHODS(upsample_nearest, prepare);
SKP_PIXELS_METHODS(upsample_nearest_dx, prepare_dx);
