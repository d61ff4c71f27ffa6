/* resize_bilinear.c: the methods of bilinear resizing on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"

const struct skp__cl_method skp__cl_resize_bilinear[] = {{0}};
