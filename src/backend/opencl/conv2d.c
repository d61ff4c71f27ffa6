/* conv2d.c: the methods of convolution and its gradients on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/conv.h"

const struct skp__cl_method skp__cl_conv2d[] = {
    {"depthwise", SKP_CL_ANY, skp__conv_depthwise_refuse, skp__conv_depthwise},
    {"cpu_thin", SKP_CL_CPU, skp__conv_thin_refuse, skp__conv_thin},
    {"cpu_winograd_few", SKP_CL_CPU, skp__conv_few_refuse, skp__conv_few},
    {"cpu_winograd", SKP_CL_CPU, skp__conv_winograd_refuse, skp__conv_winograd},
    {"cpu", SKP_CL_CPU, skp__conv_cpu_refuse, skp__conv_cpu},
    {"igemm", SKP_CL_GPU, skp__conv_igemm_refuse, skp__conv_igemm},
    {"clblast", SKP_CL_GPU, skp__conv_clblast_refuse, skp__conv_clblast},
    {"tiled", SKP_CL_GPU, skp__cl_refuse_huge, skp__conv_tiled},
    {"direct", SKP_CL_ANY, skp__cl_refuse_huge, skp__conv_direct},
    {0},
};
const struct skp__cl_method skp__cl_conv2d_dx[] = {
    {"depthwise", SKP_CL_ANY, skp__conv_depthwise_refuse, skp__conv_depthwise_dx},
    {"cpu_thin", SKP_CL_CPU, skp__conv_thin_dx_refuse, skp__conv_thin_dx},
    {"cpu_winograd_few", SKP_CL_CPU, skp__conv_few_refuse, skp__conv_few_dx},
    {"cpu_winograd", SKP_CL_CPU, skp__conv_winograd_refuse, skp__conv_winograd_dx},
    {"cpu", SKP_CL_CPU, skp__conv_cpu_refuse, skp__conv_cpu_dx},
    {"igemm", SKP_CL_GPU, skp__conv_igemm_refuse, skp__conv_igemm_dx},
    {"clblast", SKP_CL_GPU, skp__conv_clblast_refuse, skp__conv_clblast_dx},
    {"tiled", SKP_CL_GPU, skp__cl_refuse_huge, skp__conv_tiled_dx},
    {"direct", SKP_CL_ANY, skp__cl_refuse_huge, skp__conv_direct_dx},
    {0},
};
const struct skp__cl_method skp__cl_conv2d_dw[] = {
    {"depthwise", SKP_CL_ANY, skp__conv_depthwise_refuse, skp__conv_depthwise_dw},
    {"cpu_thin", SKP_CL_CPU, skp__conv_thin_dw_refuse, skp__conv_thin_dw},
    {"cpu_winograd_few", SKP_CL_CPU, skp__conv_few_refuse, skp__conv_few_dw},
    {"cpu_winograd", SKP_CL_CPU, skp__conv_winograd_dw_refuse, skp__conv_winograd_dw},
    {"cpu", SKP_CL_CPU, skp__conv_cpu_refuse, skp__conv_cpu_dw},
    {"igemm", SKP_CL_GPU, skp__conv_igemm_refuse, skp__conv_igemm_dw},
    {"clblast", SKP_CL_GPU, skp__conv_clblast_refuse, skp__conv_clblast_dw},
    {"tiled", SKP_CL_GPU, skp__cl_refuse_huge, skp__conv_tiled_dw},
    {"direct", SKP_CL_ANY, skp__cl_refuse_huge, skp__conv_direct_dw},
    {0},
};
