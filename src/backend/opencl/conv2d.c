/* conv2d.c: the methods of convolution and its gradients on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/conv.h"

const struct skp__cl_method skp__cl_conv2d[] = {
    {"depthwise", SKP_CL_ANY | SKP_CL_STATISTICS, skp__conv_depthwise_refuse, skp__conv_depthwise, 0},
    {"cpu_thin", SKP_CL_CPU, skp__conv_thin_refuse, skp__conv_thin, 0},
    {"cpu_winograd_few", SKP_CL_CPU, skp__conv_few_refuse, skp__conv_few, SKP__WINOGRAD_TOLERANCE},
    {"cpu_winograd", SKP_CL_CPU, skp__conv_winograd_refuse, skp__conv_winograd, SKP__WINOGRAD_TOLERANCE},
    {"cpu_amx", SKP_CL_AMX | SKP_CL_NARROW, skp__conv_amx_refuse, skp__conv_amx, 0},
    {"cpu", SKP_CL_CPU | SKP_CL_NARROW, skp__conv_cpu_refuse, skp__conv_cpu, 0},
    {"igemm", SKP_CL_GPU | SKP_CL_STATISTICS, skp__conv_igemm_refuse, skp__conv_igemm, 0},
    {"clblast", SKP_CL_GPU | SKP_CL_STATISTICS, skp__conv_clblast_refuse, skp__conv_clblast, 0},
    {"tiled", SKP_CL_GPU | SKP_CL_STATISTICS, skp__cl_refuse_huge, skp__conv_tiled, 0},
    {"direct", SKP_CL_ANY | SKP_CL_NARROW | SKP_CL_STATISTICS, skp__cl_refuse_huge, skp__conv_direct, 0},
    {0},
};
const struct skp__cl_method skp__cl_conv2d_dx[] = {
    {"depthwise", SKP_CL_ANY, skp__conv_depthwise_refuse, skp__conv_depthwise_dx, 0},
    {"cpu_thin", SKP_CL_CPU, skp__conv_thin_dx_refuse, skp__conv_thin_dx, 0},
    {"cpu_winograd_few", SKP_CL_CPU, skp__conv_few_refuse, skp__conv_few_dx, SKP__WINOGRAD_TOLERANCE},
    {"cpu_winograd", SKP_CL_CPU, skp__conv_winograd_refuse, skp__conv_winograd_dx, SKP__WINOGRAD_TOLERANCE},
    {"cpu_amx", SKP_CL_AMX | SKP_CL_NARROW, skp__conv_amx_refuse, skp__conv_amx_dx, 0},
    {"cpu", SKP_CL_CPU | SKP_CL_NARROW, skp__conv_cpu_refuse, skp__conv_cpu_dx, 0},
    {"igemm", SKP_CL_GPU, skp__conv_igemm_refuse, skp__conv_igemm_dx, 0},
    {"clblast", SKP_CL_GPU, skp__conv_clblast_refuse, skp__conv_clblast_dx, 0},
    {"tiled", SKP_CL_GPU, skp__cl_refuse_huge, skp__conv_tiled_dx, 0},
    {"direct", SKP_CL_ANY | SKP_CL_NARROW, skp__cl_refuse_huge, skp__conv_direct_dx, 0},
    {0},
};
const struct skp__cl_method skp__cl_conv2d_dw[] = {
    {"depthwise", SKP_CL_ANY, skp__conv_depthwise_refuse, skp__conv_depthwise_dw, 0},
    {"cpu_thin", SKP_CL_CPU, skp__conv_thin_dw_refuse, skp__conv_thin_dw, 0},
    {"cpu_winograd_few", SKP_CL_CPU, skp__conv_few_refuse, skp__conv_few_dw, SKP__WINOGRAD_TOLERANCE},
    {"cpu_winograd", SKP_CL_CPU, skp__conv_winograd_dw_refuse, skp__conv_winograd_dw, SKP__WINOGRAD_TOLERANCE},
    {"cpu_amx", SKP_CL_AMX | SKP_CL_NARROW, skp__conv_amx_refuse, skp__conv_amx_dw, 0},
    {"cpu", SKP_CL_CPU | SKP_CL_NARROW, skp__conv_cpu_refuse, skp__conv_cpu_dw, 0},
    {"igemm", SKP_CL_GPU, skp__conv_igemm_refuse, skp__conv_igemm_dw, 0},
    {"clblast", SKP_CL_GPU, skp__conv_clblast_refuse, skp__conv_clblast_dw, 0},
    {"tiled", SKP_CL_GPU, skp__cl_refuse_huge, skp__conv_tiled_dw, 0},
    {"direct", SKP_CL_ANY | SKP_CL_NARROW, skp__cl_refuse_huge, skp__conv_direct_dw, 0},
    {0},
};
/* Asked for where a method of conv2d_dw leaves its parts, whatever the device. */
const struct skp__cl_method skp__cl_conv2d_dw_parts[] = {
    {"igemm", SKP_CL_ANY, skp__conv_igemm_refuse, skp__conv_igemm_dw_parts, 0},
    {"direct", SKP_CL_ANY, skp__cl_refuse_huge, skp__conv_direct_dw_parts, 0},
    {0},
};
