/* oclgrind_min.c: is the least of a vector and a number right in all lanes? SPDX-License-Identifier: MIT */
#include "fault.h"

int main(void) {
  struct opened o = open_with("kernel void fault(global int *out, int most) {\n"
                              "  vstore8(min((int8)(0, 1, 2, 3, 4, 5, 6, 7), most), 0, out);\n"
                              "}\n");
  enum { LANES = 8 };
  cl_int got[LANES], code, most = 5, wrong = 0;
  cl_mem out = clCreateBuffer(o.context, CL_MEM_READ_WRITE, sizeof got, NULL, &code);
  demand(code, "clCreateBuffer");
  clSetKernelArg(o.kernel, 0, sizeof out, &out);
  clSetKernelArg(o.kernel, 1, sizeof most, &most);
  size_t n = 1;
  demand(clEnqueueNDRangeKernel(o.queue, o.kernel, 1, NULL, &n, NULL, 0, NULL, NULL), "clEnqueueNDRangeKernel");
  demand(clEnqueueReadBuffer(o.queue, out, CL_TRUE, 0, sizeof got, got, 0, NULL, NULL), "clEnqueueReadBuffer");
  for (int i = 0; i < LANES; i++) wrong += got[i] != (i < most ? i : most);
  printf("%d of %d lanes of min(vector, number) are wrong\n", wrong, LANES);
  return wrong ? FAULT_PRESENT : FAULT_ABSENT;
}
