/* batchnorm.c: the methods of batch normalisation and its gradient on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"

const struct skp__cl_method skp__cl_batchnorm[] = {{0}};
const struct skp__cl_method skp__cl_batchnorm_dx[] = {{0}};
