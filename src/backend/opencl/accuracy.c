/* accuracy.c: the methods of accuracy on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"

const struct skp__cl_method skp__cl_accuracy[] = {{0}};
