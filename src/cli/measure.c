/* measure.c: where several devices may be meant, each is measured once, by a call of this very program: a driver that
 * fails, crashes or hangs at that is not the one that this call may want to use. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/system.h"
#include <string.h>

/* As `skipper bench --peak` on it, whatever the environment says of options. What that says is nothing for this call's
 * readers. */
static void bench(const char *program, const char *device) {
  enum { PATIENCE = 30 }; /* seconds */
  (void)cli_run((const char *const[]){program, "bench", "--peak", "--json", "--backend", "opencl", "--platform", "",
                                      "--device", device, NULL},
                PATIENCE);
}

/* What counts is what is known then: another call may have come through, and two at once may be too slow. */
static skp_status measure(const struct cli *c, size_t i, const char *cache) {
  skp_device_info d;
  skp_peaks peaks;
  char device[32];
  TRY(skp_device_describe(i, &d));
  snprintf(device, sizeof device, "%d:%d", d.platform, d.device);
  skp_print(stderr, "Several devices may be meant: %s %s is measured, once\n", device, d.name);
  bench(c->program, device);
  if (skp_device_known(i, cache, &peaks) > 0) return SKP_OK;
  skp_print(stderr,
            "%s could not be measured: it is taken for its kind, or not at all. --device names one; bench --peak "
            "--device %s tries again\n",
            device, device);
  (void)skp_device_unmeasurable(i, cache); /* or the next call tries again, too */
  return SKP_OK;
}

/* Ranks would disturb each other, and none may start a process that MPI takes for a rank: for them what is known is all
 * there is. */
skp_status cli_measure_devices(const struct cli *c, const skp_device_options *o) {
  if (c->ranks || (o->backend && strcmp(o->backend, "opencl"))) return SKP_OK;
  for (size_t i = 0; skp_device_unmeasured(&i, o); i++) TRY(measure(c, i, o->cache));
  return SKP_OK;
}
