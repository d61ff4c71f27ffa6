/* oclgrind_fill.c: is a buffer that clEnqueueFillBuffer wrote taken for written? Run it as `oclgrind --uninitialized
 * fault_oclgrind_fill`: a report is the fault, for the kernel reads nothing but filled memory.
 * SPDX-License-Identifier: MIT */
#include "fault.h"

int main(void) {
  struct opened o = open_with("kernel void fault(global int *out, global const int *in) {\n"
                              "  if (in[get_global_id(0)] == 7) out[get_global_id(0)] = 1;\n"
                              "}\n");
  enum { N = 8 };
  cl_int seven = 7, code, got[N];
  cl_mem in = clCreateBuffer(o.context, CL_MEM_READ_WRITE, sizeof got, NULL, &code);
  demand(code, "clCreateBuffer");
  cl_mem out = clCreateBuffer(o.context, CL_MEM_READ_WRITE, sizeof got, NULL, &code);
  demand(code, "clCreateBuffer");
  demand(clEnqueueFillBuffer(o.queue, in, &seven, sizeof seven, 0, sizeof got, 0, NULL, NULL), "clEnqueueFillBuffer");
  clSetKernelArg(o.kernel, 0, sizeof out, &out);
  clSetKernelArg(o.kernel, 1, sizeof in, &in);
  size_t n = N;
  demand(clEnqueueNDRangeKernel(o.queue, o.kernel, 1, NULL, &n, NULL, 0, NULL, NULL), "clEnqueueNDRangeKernel");
  demand(clEnqueueReadBuffer(o.queue, out, CL_TRUE, 0, sizeof got, got, 0, NULL, NULL), "clEnqueueReadBuffer");
  printf("%d values read back; a report of uninitialised memory above is the fault\n", N);
  return FAULT_ABSENT;
}
