/* hardware.c: what to do where there is no device. Which chips there are, and why none of their drivers shows them, is
 * not asked on Windows. SPDX-License-Identifier: MIT */
#include "backend/opencl/devices.h"

const char *skp__devices_advice(void) {
  return "There is no usable OpenCL device. AMD's, Intel's and NVIDIA's drivers for graphics bring OpenCL for their "
         "GPUs along; for CPUs there is Intel's \"CPU Runtime for OpenCL Applications\".";
}

void skp__hardware_find(struct skp_device_list *list, const char *root) { (void)list, (void)root; }
