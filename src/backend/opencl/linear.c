/* linear.c: the methods of linear layers and their gradients on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/conv.h"

const struct skp__cl_method skp__cl_linear[] = {{"direct", SKP_CL_ANY, skp__cl_refuse_huge, skp__conv_direct}, {0}};
const struct skp__cl_method skp__cl_linear_dx[] = {{"direct", SKP_CL_ANY, skp__cl_refuse_huge, skp__conv_direct_dx},
                                                   {0}};
const struct skp__cl_method skp__cl_linear_dw[] = {{"direct", SKP_CL_ANY, skp__cl_refuse_huge, skp__conv_direct_dw},
                                                   {0}};
