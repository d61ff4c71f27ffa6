/* maxpool2d.c: the methods of max pooling and its gradient on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"

const struct skp__cl_method skp__cl_maxpool2d[] = {{0}};
const struct skp__cl_method skp__cl_maxpool2d_dx[] = {{0}};
