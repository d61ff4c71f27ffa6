/* optimizer.c: the methods of the optimizers on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"

const struct skp__cl_method skp__cl_sgd[] = {{0}};
const struct skp__cl_method skp__cl_adam[] = {{0}};
const struct skp__cl_method skp__cl_adamw[] = {{0}};
