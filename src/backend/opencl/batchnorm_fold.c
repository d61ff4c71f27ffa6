/* batchnorm_fold.c: the method of batchnorm_fold on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"

static skp_status prepare(struct skp_prepared *p, const struct skp_sig *sig) {
  int C = (int)skp__shape_count(&sig->out[0]);
  size_t global = (size_t)C;
  SKP_TRY(skp__cl_launch(p, "batchnorm_fold", "batchnorm_fold", "", 1, &global, NULL,
                         SKP_ARGS(SKP_OUT(scale, 0), SKP_OUT(shift, 1), SKP_IN(gamma, 0), SKP_IN(beta, 1),
                                  SKP_IN(mean, 2), SKP_IN(var, 3), SKP_IN(b, 4), SKP_INT(has_b, sig->in[4].rank > 0),
                                  SKP_FLOAT(eps, sig->attrs.batchnorm.eps), SKP_INT(C, C))));
  skp__cl_of_weights(p);
  return SKP_OK;
}

const struct skp__cl_method skp__cl_batchnorm_fold[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, prepare, 0}, {0}};
