/* llvmpipe_loop.c: does a loop of many rounds come to its end? llvmpipe (Mesa 22.3) leaves all loops of a work-item
 * after 65,535 rounds in total.
 * SPDX-License-Identifier: MIT */
#include "fault.h"

int main(void) {
  struct opened o = open_with("kernel void fault(global int *out, int n) {\n"
                              "  int rounds = 0;\n"
                              "  for (int i = 0; i < n; i++) rounds += out[1 + (i & 1)];\n"
                              "  out[0] = rounds;\n"
                              "}\n");
  cl_int values[3] = {0, 1, 1}, n = 100000, code;
  size_t one = 1;
  cl_mem mem = clCreateBuffer(o.context, CL_MEM_COPY_HOST_PTR, sizeof values, values, &code);
  demand(code, "clCreateBuffer");
  clSetKernelArg(o.kernel, 0, sizeof mem, &mem);
  clSetKernelArg(o.kernel, 1, sizeof n, &n);
  demand(clEnqueueNDRangeKernel(o.queue, o.kernel, 1, NULL, &one, NULL, 0, NULL, NULL), "clEnqueueNDRangeKernel");
  demand(clEnqueueReadBuffer(o.queue, mem, CL_TRUE, 0, sizeof values, values, 0, NULL, NULL), "clEnqueueReadBuffer");
  printf("%d rounds of %d: %s\n", values[0], n, values[0] == n ? "no fault" : "FAULT");
  return values[0] == n ? FAULT_ABSENT : FAULT_PRESENT;
}
