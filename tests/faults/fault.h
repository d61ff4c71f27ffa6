/* fault.h: what the programs share that prove a fault of an OpenCL implementation. Each is a program of its own without
 * Skipper's code: it uses the first device of the first platform (so let OCL_ICD_VENDORS name one implementation), says
 * what it saw, and exits with 1 if the fault is there, 0 if it is not, 77 if the question does not arise.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_TESTS_FAULT_H
#define SKP_TESTS_FAULT_H

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FAULT_ABSENT = 0, FAULT_PRESENT = 1, FAULT_NO_QUESTION = 77 };

static inline void demand(cl_int code, const char *call) {
  if (code == CL_SUCCESS) return;
  printf("%s: error %d, so the question does not arise\n", call, code);
  exit(FAULT_NO_QUESTION);
}

static inline cl_device_id first_device(void) {
  cl_platform_id platform;
  cl_device_id device;
  char name[256] = "", version[256] = "";
  demand(clGetPlatformIDs(1, &platform, NULL), "clGetPlatformIDs");
  demand(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, NULL), "clGetDeviceIDs");
  clGetDeviceInfo(device, CL_DEVICE_NAME, sizeof name, name, NULL);
  clGetDeviceInfo(device, CL_DRIVER_VERSION, sizeof version, version, NULL);
  printf("%s, driver %s: ", name, version);
  fflush(stdout);
  return device;
}

struct opened {
  cl_device_id device;
  cl_context context;
  cl_command_queue queue;
  cl_kernel kernel;
};

/* The first device, a queue, and the kernel `fault` of `source`. */
static inline struct opened open_with(const char *source) {
  struct opened o = {.device = first_device()};
  cl_int code;
  o.context = clCreateContext(NULL, 1, &o.device, NULL, NULL, &code);
  demand(code, "clCreateContext");
  o.queue = clCreateCommandQueue(o.context, o.device, 0, &code);
  demand(code, "clCreateCommandQueue");
  cl_program program = clCreateProgramWithSource(o.context, 1, &source, NULL, &code);
  demand(code, "clCreateProgramWithSource");
  demand(clBuildProgram(program, 1, &o.device, "", NULL, NULL), "clBuildProgram");
  o.kernel = clCreateKernel(program, "fault", &code);
  demand(code, "clCreateKernel");
  return o;
}

#endif
