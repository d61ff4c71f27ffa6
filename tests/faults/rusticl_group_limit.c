/* rusticl_group_limit.c: does a kernel's work-group limit (CL_KERNEL_WORK_GROUP_SIZE) fall short of what runs
 * correctly? rusticl of Mesa 22.3 gives the preferred multiple, the width of a subgroup, for every kernel.
 * SPDX-License-Identifier: MIT */
#include "fault.h"

int main(void) {
  struct opened o = open_with("kernel void fault(global int *a, local int *l) {\n"
                              "  size_t i = get_local_id(0), n = get_local_size(0);\n"
                              "  l[i] = a[i];\n"
                              "  barrier(CLK_LOCAL_MEM_FENCE);\n"
                              "  a[i] = l[n - 1 - i];\n"
                              "}\n");
  size_t limit, most, multiple;
  clGetKernelWorkGroupInfo(o.kernel, o.device, CL_KERNEL_WORK_GROUP_SIZE, sizeof limit, &limit, NULL);
  clGetKernelWorkGroupInfo(o.kernel, o.device, CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE, sizeof multiple, &multiple,
                           NULL);
  clGetDeviceInfo(o.device, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof most, &most, NULL);
  printf("limit of the kernel %zu, multiple %zu, limit of the device %zu; ", limit, multiple, most);
  size_t n = most < 256 ? most : 256;
  if (limit >= n) {
    puts("no fault");
    return FAULT_ABSENT;
  }
  cl_int values[256], wrong = 0, code;
  for (int i = 0; i < (int)n; i++) values[i] = i;
  cl_mem mem = clCreateBuffer(o.context, CL_MEM_COPY_HOST_PTR, sizeof values, values, &code);
  demand(code, "clCreateBuffer");
  clSetKernelArg(o.kernel, 0, sizeof mem, &mem);
  clSetKernelArg(o.kernel, 1, n * sizeof(cl_int), NULL);
  code = clEnqueueNDRangeKernel(o.queue, o.kernel, 1, NULL, &n, &n, 0, NULL, NULL);
  if (code == CL_SUCCESS)
    code = clEnqueueReadBuffer(o.queue, mem, CL_TRUE, 0, n * sizeof(cl_int), values, 0, NULL, NULL);
  for (int i = 0; i < (int)n; i++) wrong += values[i] != (int)n - 1 - i;
  printf("a group of %zu with a barrier: code %d, %d wrong values: %s\n", n, code, wrong,
         code || wrong ? "no fault, the limit is meant" : "FAULT: the limit is too low");
  return code || wrong ? FAULT_ABSENT : FAULT_PRESENT;
}
