/* probe.c: listing devices. OpenCL.dll, which a driver brings along, is loaded now (see opencl.def), or there are none.
 * Windows has no fork, by which drivers would be asked in a child: they are asked here. SPDX-License-Identifier: MIT */
#include "backend/opencl/devices.h"
#include "base/windows/windows.h"

skp_status skp__devices_probe(struct skp_device_list *list) {
  if (LoadLibraryA("OpenCL.dll")) skp__devices_ask(list);
  return SKP_OK;
}
