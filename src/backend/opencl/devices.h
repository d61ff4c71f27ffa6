/* devices.h: which OpenCL devices there are. Drivers are not trusted: platforms are probed in a child process first.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_BACKEND_OPENCL_DEVICES_H
#define SKP_BACKEND_OPENCL_DEVICES_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct skp_device {
  int platform, device; /* indices as --platform and --device take them */
  char platform_name[160], name[160], vendor[160], version[160], driver[160], c_version[80];
  char type[16]; /* "GPU", "CPU", "ACCELERATOR" */
  int units, clock_mhz;
  int64_t memory, max_allocation, local_memory;
  size_t max_group;
  bool fp16, fp64, subgroups, unified;
  bool usable;
  char skipped[240]; /* why it is not usable, else "" (no compiler, big-endian, same GPU as p:d, …) */
};

struct skp_device_list {
  struct skp_device *at;
  size_t n;
  char (
      *notes)[300]; /* what was skipped as a whole: "ICD /etc/OpenCL/vendors/x.icd: crashed while listing (SIGSEGV)" */
  size_t n_notes;
};

skp_status skp__devices_list(struct skp_device_list *out);
void skp__devices_free(struct skp_device_list *list);

/* The entry that `platform` and `device` (index or part of a name, case-insensitive; NULL: any) choose among the usable ones: the best GPU, else
 * accelerator, else CPU. No match or several are errors that list the candidates; no device at all gives skp__devices_advice(). */
skp_status skp__devices_choose(const struct skp_device **out, const struct skp_device_list *list, const char *platform,
                               const char *device);

/* What to install, by vendor; several lines. */
const char *skp__devices_advice(void);

#endif
