/* devices.h: listing OpenCL devices. Drivers are not trusted: they are asked in a child process first.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_BACKEND_OPENCL_DEVICES_H
#define SKP_BACKEND_OPENCL_DEVICES_H

#include "backend/devices.h"
#include "backend/opencl/cl.h"

/* devices.c, choose.c: slots of the backend. A driver that crashes or hangs in the child is hidden from this process by
 * setting OCL_ICD_VENDORS while the others are loaded. */
skp_status skp__cl_devices(const struct skp_device_list **out);
skp_status skp__cl_choose_device(const struct skp_device **out, bool *meant, const struct skp_device_list *list,
                                 const double *seconds, const char *platform, const char *device);

/* Keeps one of those GPUs that two platforms show; the vendor's own platform goes before Mesa's. */
void skp__devices_mark_twins(struct skp_device_list *list);

/* Adds to `gpus` what the system below the folder `root` ("": this one) knows and `at` lacks. */
void skp__hardware_find(struct skp_device_list *list, const char *root);

/* What a variable says that OpenCL's loader or a driver reads; NULL: nothing. Skipper has none of its own. */
const char *skp__environment_get(const char *name);

/* What to install, by vendor; several lines. */
const char *skp__devices_advice(void);

/* environment.c */
/* Before the first call of OpenCL: sets the variables without which some drivers show no
 * device; notes what that costs. */
void skp__environment_prepare(struct skp_device_list *list);

/* ask.c */
/* Adds devices to a list without any by asking the drivers, in this process. */
void skp__devices_ask(struct skp_device_list *list);
void skp__devices_note(struct skp_device_list *list, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The driver's handles of a listed device. */
skp_status skp__device_handles(cl_platform_id *platform, cl_device_id *device, const struct skp_device *d);

/* probe.c: the same by asking in a child; leaves out drivers that do not survive it. */
skp_status skp__devices_probe(struct skp_device_list *list);
/* "SIGSEGV" */
const char *skp__signal_name(int number);

#endif
