/* rusticl_partition.c: does clCreateSubDevices crash where it should answer with an error? rusticl of Mesa 22.3 does,
 * on devices that cannot be partitioned. SPDX-License-Identifier: MIT */
#include "fault.h"

int main(void) {
  cl_device_id device = first_device();
  pid_t child = fork();
  if (child == 0) {
    cl_device_partition_property how[] = {CL_DEVICE_PARTITION_BY_COUNTS, 1, CL_DEVICE_PARTITION_BY_COUNTS_LIST_END, 0};
    cl_device_id part;
    cl_uint n = 0;
    clCreateSubDevices(device, how, 1, &part, &n);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) {
    printf("clCreateSubDevices died by signal %d: FAULT\n", WTERMSIG(status));
    return FAULT_PRESENT;
  }
  puts("clCreateSubDevices returned: no fault");
  return FAULT_ABSENT;
}
