/* conv2d.c: the methods of convolution and its gradients on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/conv.h"

const struct skp__cl_method skp__cl_conv2d[] = {{"direct", SKP_CL_ANY, skp__cl_refuse_huge, skp__conv_direct}, {0}};
const struct skp__cl_method skp__cl_conv2d_dx[] = {{"direct", SKP_CL_ANY, skp__cl_refuse_huge, skp__conv_direct_dx},
                                                   {0}};
const struct skp__cl_method skp__cl_conv2d_dw[] = {{"direct", SKP_CL_ANY, skp__cl_refuse_huge, skp__conv_direct_dw},
                                                   {0}};
