/* global_avgpool.c: the methods of global average pooling and its gradient on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/pixels.h"
#include <stdio.h>

/* `image` is the shape of x or dx; there is a work-item for each vector of `items` pixels. */
static skp_status launch(struct skp_prepared *p, const char *kernel, struct skp__cl_arg to, struct skp__cl_arg from,
                         const struct skp_shape *image, int64_t items, int width) {
  char options[60];
  snprintf(options, sizeof options, "-DWIDTH=%d -DC=%d", width, (int)image->dim[3]);
  const size_t global = skp__pixels_global(items, image->dim[3], width);
  return skp__cl_launch(
      p, "global_avgpool", kernel, options, 1, &global, NULL,
      SKP_ARGS(to, from, SKP_INT(N, (int)image->dim[0]), SKP_INT(pixels, (int)(image->dim[1] * image->dim[2]))));
}

static skp_status prepare(struct skp_prepared *p, const struct skp_sig *sig, int width) {
  return launch(p, "global_avgpool", SKP_OUT(y, 0), SKP_IN(x, 0), &sig->in[0], sig->in[0].dim[0], width);
}

static skp_status prepare_dx(struct skp_prepared *p, const struct skp_sig *sig, int width) {
  const struct skp_shape *image = &sig->out[0];
  return launch(p, "global_avgpool_dx", SKP_OUT(dx, 0), SKP_IN(dy, 0), image,
                image->dim[0] * image->dim[1] * image->dim[2], width);
}

SKP_PIXELS_METHODS(global_avgpool, prepare);
SKP_PIXELS_METHODS(global_avgpool_dx, prepare_dx);
