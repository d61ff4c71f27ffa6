/* intel_exit.c: can a program end while a kernel of its hangs? Intel's CPU runtime waits
 * for the kernel in its clean-up at exit.
 * SPDX-License-Identifier: MIT */
#include "fault.h"
#include <signal.h>

static int child_main(void) {
  struct opened o = open_with("kernel void fault(global volatile int *a) { while (a[0] == 0) {} a[0] = 2; }\n");
  cl_int zero = 0, code;
  size_t one = 1;
  cl_mem mem = clCreateBuffer(o.context, CL_MEM_COPY_HOST_PTR, sizeof zero, &zero, &code);
  demand(code, "clCreateBuffer");
  clSetKernelArg(o.kernel, 0, sizeof mem, &mem);
  demand(clEnqueueNDRangeKernel(o.queue, o.kernel, 1, NULL, &one, &one, 0, NULL, NULL), "clEnqueueNDRangeKernel");
  clFlush(o.queue);
  sleep(1);
  return 0; /* and so exit() */
}

int main(void) {
  pid_t child = fork();
  if (child == 0) exit(child_main());
  for (int tenth = 0, status; tenth < 200; tenth++) {
    if (waitpid(child, &status, WNOHANG) == child) {
      puts(WIFEXITED(status) && WEXITSTATUS(status) ? "the question does not arise" : "the program ended: no fault");
      return WIFEXITED(status) ? WEXITSTATUS(status) : FAULT_ABSENT;
    }
    usleep(100000);
  }
  kill(child, SIGKILL);
  puts("the program does not end: FAULT");
  return FAULT_PRESENT;
}
