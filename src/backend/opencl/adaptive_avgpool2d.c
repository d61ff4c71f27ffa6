/* adaptive_avgpool2d.c: the methods of adaptive average pooling and its gradient on OpenCL.
 * SPDX-License-Identifier: MIT */
#include "backend/opencl/pixels.h"
#include <stdio.h>

/* `image` is the shape of x or dx; a work-item belongs to a pixel of output 0. */
static skp_status launch(struct skp_prepared *p, const struct skp_sig *sig, const char *kernel, struct skp__cl_arg to,
                         struct skp__cl_arg from, const struct skp_shape *image, int width) {
  const struct skp_shape *of = &sig->out[0];
  const int64_t pixels = of->dim[0] * of->dim[1] * of->dim[2], C = of->dim[3];
  char options[80];
  snprintf(options, sizeof options, "-DWIDTH=%d -DC=%d -DSIZE=%d", width, (int)C, sig->attrs.adaptive.size);
  const size_t global = skp__pixels_global(pixels, C, width);
  return skp__cl_launch(
      p, "adaptive_avgpool2d", kernel, options, 1, &global, NULL,
      SKP_ARGS(to, from, SKP_INT(pixels, (int)pixels), SKP_INT(H, (int)image->dim[1]), SKP_INT(W, (int)image->dim[2])));
}

static skp_status prepare(struct skp_prepared *p, const struct skp_sig *sig, int width) {
  return launch(p, sig, "adaptive_avgpool2d", SKP_OUT(y, 0), SKP_IN(x, 0), &sig->in[0], width);
}

static skp_status prepare_dx(struct skp_prepared *p, const struct skp_sig *sig, int width) {
  return launch(p, sig, "adaptive_avgpool2d_dx", SKP_OUT(dx, 0), SKP_IN(dy, 0), &sig->out[0], width);
}

SKP_PIXELS_METHODS(adaptive_avgpool2d, prepare);
SKP_PIXELS_METHODS(adaptive_avgpool2d_dx, prepare_dx);
