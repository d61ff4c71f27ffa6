/* maxpool2d.c: the methods of max pooling and its gradient on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/pixels.h"
#include <stdio.h>

/* `image` and `windows` are the shapes of x and y, or of dx and dy; a work-item belongs to a pixel of `of`. */
static skp_status launch(struct skp_prepared *p, const struct skp_sig *sig, const char *kernel,
                         const struct skp__cl_arg values[3], const struct skp_shape *image,
                         const struct skp_shape *windows, const struct skp_shape *of, bool index, int width) {
  const struct skp_pool_attrs *a = &sig->attrs.pool;
  const int64_t pixels = of->dim[0] * of->dim[1] * of->dim[2], C = of->dim[3];
  char options[120];
  snprintf(options, sizeof options, "-DWIDTH=%d -DC=%d -DKERNEL=%d -DSTRIDE=%d -DPAD=%d -DINDEX=%d", width, (int)C,
           a->kernel, a->stride, a->pad, index);
  const size_t global = skp__pixels_global(pixels, C, width);
  return skp__cl_launch(p, "maxpool2d", kernel, options, 1, &global, NULL,
                        SKP_ARGS(values[0], values[1], values[2], SKP_INT(pixels, (int)pixels),
                                 SKP_INT(H, (int)image->dim[1]), SKP_INT(W, (int)image->dim[2]),
                                 SKP_INT(P, (int)windows->dim[1]), SKP_INT(Q, (int)windows->dim[2])));
}

static skp_status prepare(struct skp_prepared *p, const struct skp_sig *sig, int width) {
  return launch(p, sig, "maxpool2d", SKP_ARGS(SKP_OUT(y, 0), SKP_OUT(index, 1), SKP_IN(x, 0)), &sig->in[0],
                &sig->out[0], &sig->out[0], sig->out[1].rank > 0, width);
}

static skp_status prepare_dx(struct skp_prepared *p, const struct skp_sig *sig, int width) {
  return launch(p, sig, "maxpool2d_dx", SKP_ARGS(SKP_OUT(dx, 0), SKP_IN(dy, 0), SKP_IN(index, 1)), &sig->out[0],
                &sig->in[0], &sig->out[0], true, width);
}

SKP_PIXELS_METHODS(maxpool2d, prepare);
SKP_PIXELS_METHODS(maxpool2d_dx, prepare_dx);
