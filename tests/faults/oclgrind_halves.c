/* oclgrind_halves.c: is the upper half of a vector that was written taken for uninitialised? Run it as
 * `oclgrind --uninitialized fault_oclgrind_halves`: a report is the fault. SPDX-License-Identifier: MIT */
#include "fault.h"

int main(void) {
  struct opened o = open_with("kernel void fault(global float *out, global const float *in) {\n"
                              "  float16 v = vload16(0, in);\n"
                              "  vstore8(v.hi, 0, out);\n"
                              "}\n");
  enum { N = 16 };
  cl_float x[N], got[N / 2];
  cl_int code;
  for (int i = 0; i < N; i++) x[i] = (cl_float)i;
  cl_mem in = clCreateBuffer(o.context, CL_MEM_READ_WRITE, sizeof x, NULL, &code);
  demand(code, "clCreateBuffer");
  cl_mem out = clCreateBuffer(o.context, CL_MEM_READ_WRITE, sizeof got, NULL, &code);
  demand(code, "clCreateBuffer");
  demand(clEnqueueWriteBuffer(o.queue, in, CL_TRUE, 0, sizeof x, x, 0, NULL, NULL), "clEnqueueWriteBuffer");
  clSetKernelArg(o.kernel, 0, sizeof out, &out);
  clSetKernelArg(o.kernel, 1, sizeof in, &in);
  size_t n = 1;
  demand(clEnqueueNDRangeKernel(o.queue, o.kernel, 1, NULL, &n, NULL, 0, NULL, NULL), "clEnqueueNDRangeKernel");
  demand(clEnqueueReadBuffer(o.queue, out, CL_TRUE, 0, sizeof got, got, 0, NULL, NULL), "clEnqueueReadBuffer");
  printf("%g … %g read back; a report of uninitialised memory above is the fault\n", got[0], got[N / 2 - 1]);
  return FAULT_ABSENT;
}
