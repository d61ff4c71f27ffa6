/* devices.c: the list of OpenCL devices of this process. SPDX-License-Identifier: MIT */
#include "backend/opencl/devices.h"
#include "base/host.h"
#include <pthread.h>
#include <stdlib.h>

skp_status skp__cl_devices(const struct skp_device_list **out) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static struct skp_device_list *known;
  *out = NULL;
  skp_status status = SKP_OK;
  pthread_mutex_lock(&lock);
  if (!known) {
    struct skp_device_list *fresh;
    status = skp__alloc(&fresh, 1, sizeof *fresh);
    if (status == SKP_OK) skp__environment_prepare(fresh);
    if (status == SKP_OK) status = skp__devices_probe(fresh);
    if (status == SKP_OK) {
      skp__devices_mark_twins(fresh);
      skp__hardware_find(fresh, skp__host()->root);
      known = fresh;
    } else
      free(fresh);
  }
  *out = known;
  pthread_mutex_unlock(&lock);
  return status;
}
