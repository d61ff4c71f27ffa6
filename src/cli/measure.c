/* measure.c: where several devices may be meant, each is measured once, by a call of this very program: a driver that
 * fails, crashes or hangs at that is not the one that this call may want to use. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/system.h"
#include <string.h>

/* Whether `skipper bench --peak` could be done on it. What that says is nothing for this call's readers. */
static bool measure(const char *program, const char *device) {
  enum { PATIENCE = 30 }; /* seconds */
  return cli_run((const char *const[]){program, "bench", "--peak", "--backend", "opencl", "--device", device, NULL},
                 PATIENCE);
}

/* Ranks would disturb each other, and none may start a process that MPI takes for a rank: for them what is known is all
 * there is. */
skp_status cli_measure_devices(const struct cli *c, const skp_device_options *o) {
  size_t n;
  if (c->ranks || (o->backend && strcmp(o->backend, "opencl"))) return SKP_OK;
  TRY(skp_device_count(&n));
  for (size_t i = 0; i < n; i++) {
    skp_device_info d;
    char device[32];
    if (!skp_device_unmeasured(i, o)) continue; /* perhaps by now: one of that very name was */
    TRY(skp_device_describe(i, &d));
    snprintf(device, sizeof device, "%d:%d", d.platform, d.device);
    skp_print(stderr, "Several devices may be meant: %s %s is measured, once\n", device, d.name);
    if (measure(c->program, device) && !skp_device_unmeasured(i, o)) continue;
    skp_print(stderr, "%s could not be measured: a device is taken by its kind. --device names one\n", device);
    break;
  }
  return SKP_OK;
}
