/* dropout.c: the method of dropout on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/values.h"

enum { IMAGES_WIDTH = 64 }; /* values of a work-item where images are left out as a whole */

static skp_status prepare(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct skp_dropout_attrs *a = &sig->attrs.dropout;
  const int n = skp__cl_values(sig), threshold = (int)skp__dropout_threshold(a);
  const float scale = skp__dropout_scale(a);
  const size_t global = ((size_t)n + IMAGES_WIDTH - 1) / IMAGES_WIDTH;
  if (a->images)
    return skp__cl_launch(p, "dropout", "dropout_images", "-DWIDTH=64", 1, &global, NULL,
                          SKP_ARGS(SKP_OUT(y, 0), SKP_IN(x, 0), SKP_IN(key, 1), SKP_INT(n, n),
                                   SKP_INT(threshold, threshold), SKP_FLOAT(scale, scale), SKP_INT(stream, a->stream),
                                   SKP_INT(together, (int)skp__dropout_together(sig))));
  return skp__cl_launch_values(p, "dropout", "dropout", "", n,
                               SKP_ARGS(SKP_OUT(y, 0), SKP_IN(x, 0), SKP_IN(key, 1), SKP_INT(n, n),
                                        SKP_INT(threshold, threshold), SKP_FLOAT(scale, scale),
                                        SKP_INT(stream, a->stream)));
}

const struct skp__cl_method skp__cl_dropout[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, prepare, 0}, {0}};
