/* conv2d.c: the methods of convolution and its gradients on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"

const struct skp__cl_method skp__cl_conv2d[] = {{0}};
const struct skp__cl_method skp__cl_conv2d_dx[] = {{0}};
const struct skp__cl_method skp__cl_conv2d_dw[] = {{0}};
