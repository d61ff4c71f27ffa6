/* linear.c: the methods of linear layers and their gradients on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"

const struct skp__cl_method skp__cl_linear[] = {{0}};
const struct skp__cl_method skp__cl_linear_dx[] = {{0}};
const struct skp__cl_method skp__cl_linear_dw[] = {{0}};
