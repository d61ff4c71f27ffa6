/* pocl_local.c: is a local array a group's own where all calls of a function are given it? PoCL 3.1 makes it one for
 * all threads, so that groups overwrite each other's. SPDX-License-Identifier: MIT */
#include "fault.h"

enum { SIDE = 16, GROUPS = 4096, VALUES = GROUPS * SIDE };

int main(void) {
  struct opened o = open_with("static float sum(local float *l, float mine) {\n"
                              "  int lane = get_local_id(0), row = get_local_id(1), own = row * 16 + lane;\n"
                              "  barrier(CLK_LOCAL_MEM_FENCE);\n"
                              "  l[own] = mine;\n"
                              "  for (int n = 16 / 2; n > 0; n /= 2) {\n"
                              "    barrier(CLK_LOCAL_MEM_FENCE);\n"
                              "    if (row < n) l[own] += l[own + n * 16];\n"
                              "  }\n"
                              "  barrier(CLK_LOCAL_MEM_FENCE);\n"
                              "  return l[lane];\n"
                              "}\n"
                              "kernel void fault(global float *a, int rounds) {\n"
                              "  local float l[256];\n"
                              "  float all = 0.0f, more = 0.0f;\n"
                              "  for (int i = 0; i < rounds; i++) all += a[get_global_id(0)];\n"
                              "  all = sum(l, all);\n"
                              "  for (int i = 0; i < rounds; i++) more += all - a[get_global_id(0)];\n"
                              "  more = sum(l, more);\n"
                              "  if (get_local_id(1) == 0) a[get_global_id(0)] = more;\n"
                              "}\n");
  const size_t n[] = {VALUES, SIDE}, group[] = {SIDE, SIDE};
  const int rounds = 4;
  float *values = malloc(VALUES * sizeof *values);
  int wrong = 0;
  cl_int code;
  for (int i = 0; i < VALUES; i++) values[i] = (float)(i / SIDE % 1000);
  cl_mem mem = clCreateBuffer(o.context, CL_MEM_COPY_HOST_PTR, VALUES * sizeof *values, values, &code);
  demand(code, "clCreateBuffer");
  clSetKernelArg(o.kernel, 0, sizeof mem, &mem);
  clSetKernelArg(o.kernel, 1, sizeof rounds, &rounds);
  demand(clEnqueueNDRangeKernel(o.queue, o.kernel, 2, NULL, n, group, 0, NULL, NULL), "clEnqueueNDRangeKernel");
  demand(clEnqueueReadBuffer(o.queue, mem, CL_TRUE, 0, VALUES * sizeof *values, values, 0, NULL, NULL),
         "clEnqueueReadBuffer");
  for (int i = 0; i < VALUES; i++) wrong += values[i] != (float)(i / SIDE % 1000 * (rounds * SIDE - 1) * rounds * SIDE);
  printf("%d of %d sums over groups are wrong: %s\n", wrong, VALUES, wrong ? "FAULT" : "no fault");
  free(values);
  return wrong ? FAULT_PRESENT : FAULT_ABSENT;
}
