/* device.c: which devices there are, and opening one. SPDX-License-Identifier: MIT */
#include "api/api.h"
#include "backend/opencl/devices.h"
#include <string.h>

const char *skp_version(void) { return SKP_VERSION; }

skp_status skp_device_count(size_t *out) {
  const struct skp_device_list *list;
  *out = 0;
  SKP_TRY(skp__devices_list(&list));
  *out = list->n;
  return SKP_OK;
}

/* What stands against a device is no error here. */
static bool chosen(const struct skp_device_list *list, const struct skp_device *d) {
  const struct skp_device *best;
  return skp__devices_choose(&best, list, NULL, NULL) == SKP_OK && best == d;
}

skp_status skp_device_describe(size_t i, skp_device_info *out) {
  const struct skp_device_list *list;
  *out = (skp_device_info){0};
  SKP_TRY(skp__devices_list(&list));
  if (i >= list->n) return skp__fail(SKP_USAGE, "There is no device %zu; there are %zu, from 0 on.", i, list->n);
  const struct skp_device *d = &list->at[i];
  *out = (skp_device_info){.platform = d->platform,
                           .device = d->device,
                           .name = d->name,
                           .vendor = d->vendor,
                           .platform_name = d->platform_name,
                           .driver = d->driver,
                           .type = d->type,
                           .units = d->units,
                           .clock_mhz = d->clock_mhz,
                           .memory = d->memory,
                           .usable = d->usable,
                           .chosen = chosen(list, d),
                           .why = d->skipped};
  return SKP_OK;
}

skp_status skp_device_open(skp_device **out, const skp_device_options *options) {
  static const skp_device_options usual;
  const skp_device_options *o = options ? options : &usual;
  return skp__backend_open(out, &(struct skp_backend_options){.backend = o->backend,
                                                              .platform = o->platform,
                                                              .device = o->device,
                                                              .threads = o->threads,
                                                              .memory = o->memory,
                                                              .trace = o->trace});
}

void skp_device_close(skp_device *device) { skp__backend_close(device); }

void skp_device_ask(skp_device *device, skp_device_state *out) {
  struct skp_backend_info info;
  device->ops->info(device, &info);
  *out = (skp_device_state){.memory = info.memory, .used = info.used};
  memcpy(out->name, info.name, sizeof out->name);
  memcpy(out->driver, info.driver, sizeof out->driver);
}
