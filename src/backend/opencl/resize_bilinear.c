/* resize_bilinear.c: the methods of bilinear resizing on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/pixels.h"
#include <stdio.h>

static skp_status prepare(struct skp_prepared *p, const struct skp_sig *sig, int width) {
  const struct skp_shape *x = &sig->in[0], *y = &sig->out[0];
  const int64_t pixels = y->dim[0] * y->dim[1] * y->dim[2];
  char options[60];
  snprintf(options, sizeof options, "-DWIDTH=%d -DC=%d", width, (int)y->dim[3]);
  const size_t global = skp__pixels_global(pixels, y->dim[3], width);
  return skp__cl_launch(p, "resize_bilinear", "resize_bilinear", options, 1, &global, NULL,
                        SKP_ARGS(SKP_OUT(y, 0), SKP_IN(x, 0), SKP_INT(pixels, (int)pixels), SKP_INT(H, (int)x->dim[1]),
                                 SKP_INT(W, (int)x->dim[2]), SKP_INT(P, (int)y->dim[1]), SKP_INT(Q, (int)y->dim[2])));
}

SKP_PIXELS_METHODS(resize_bilinear, prepare);
