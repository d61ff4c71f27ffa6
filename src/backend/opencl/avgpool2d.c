/* avgpool2d.c: the methods of average pooling and its gradient on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"

const struct skp__cl_method skp__cl_avgpool2d[] = {{0}};
const struct skp__cl_method skp__cl_avgpool2d_dx[] = {{0}};
