/* global_avgpool.c: the methods of global average pooling and its gradient on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"

const struct skp__cl_method skp__cl_global_avgpool[] = {{0}};
const struct skp__cl_method skp__cl_global_avgpool_dx[] = {{0}};
