/* linear.c: the methods of linear layers and their gradients on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/conv.h"

const struct skp__cl_method skp__cl_linear[] = {
    {"cpu_rows", SKP_CL_CPU, skp__conv_rows_refuse, skp__conv_rows, 0},
    {"cpu", SKP_CL_CPU, skp__conv_cpu_refuse, skp__conv_cpu, 0},
    {"igemm", SKP_CL_GPU, skp__conv_igemm_refuse, skp__conv_igemm, 0},
    {"clblast", SKP_CL_GPU, skp__conv_clblast_refuse, skp__conv_clblast, 0},
    {"tiled", SKP_CL_GPU, skp__cl_refuse_huge, skp__conv_tiled, 0},
    {"direct", SKP_CL_ANY, skp__cl_refuse_huge, skp__conv_direct, 0},
    {0},
};
const struct skp__cl_method skp__cl_linear_dx[] = {
    {"cpu_rows", SKP_CL_CPU, skp__conv_rows_dx_refuse, skp__conv_rows_dx, 0},
    {"cpu", SKP_CL_CPU, skp__conv_cpu_refuse, skp__conv_cpu_dx, 0},
    {"igemm", SKP_CL_GPU, skp__conv_igemm_refuse, skp__conv_igemm_dx, 0},
    {"clblast", SKP_CL_GPU, skp__conv_clblast_refuse, skp__conv_clblast_dx, 0},
    {"tiled", SKP_CL_GPU, skp__cl_refuse_huge, skp__conv_tiled_dx, 0},
    {"direct", SKP_CL_ANY, skp__cl_refuse_huge, skp__conv_direct_dx, 0},
    {0},
};
const struct skp__cl_method skp__cl_linear_dw[] = {
    {"cpu_rows", SKP_CL_CPU, skp__conv_rows_dw_refuse, skp__conv_rows_dw, 0},
    {"cpu", SKP_CL_CPU, skp__conv_cpu_refuse, skp__conv_cpu_dw, 0},
    {"igemm", SKP_CL_GPU, skp__conv_igemm_refuse, skp__conv_igemm_dw, 0},
    {"clblast", SKP_CL_GPU, skp__conv_clblast_refuse, skp__conv_clblast_dw, 0},
    {"tiled", SKP_CL_GPU, skp__cl_refuse_huge, skp__conv_tiled_dw, 0},
    {"direct", SKP_CL_ANY, skp__cl_refuse_huge, skp__conv_direct_dw, 0},
    {0},
};
