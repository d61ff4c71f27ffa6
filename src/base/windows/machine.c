/* machine.c: see machine.h. SPDX-License-Identifier: MIT */
#include "base/machine.h"
#include "base/array.h"
#include "base/windows/windows.h"
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

int64_t skp__machine_memory(void) {
  MEMORYSTATUSEX memory = {.dwLength = sizeof memory};
  return GlobalMemoryStatusEx(&memory) ? (int64_t)memory.ullTotalPhys : 0;
}

int skp__machine_cores(void) {
  SYSTEM_INFO info;
  GetSystemInfo(&info);
  return info.dwNumberOfProcessors < 1 ? 1 : (int)info.dwNumberOfProcessors;
}

void skp__machine_name(char *out, size_t size) {
  char name[MAX_COMPUTERNAME_LENGTH + 1];
  DWORD n = sizeof name;
  if (GetComputerNameA(name, &n)) snprintf(out, size, "%s", name);
}

/* Where programs keep what is this user's on this machine. */
skp_status skp__home(char **out) {
  char path[MAX_PATH];
  const DWORD n = GetEnvironmentVariableA("LOCALAPPDATA", path, sizeof path);
  *out = NULL;
  if (!n || n >= sizeof path)
    return skp__fail(SKP_IO, "There is no folder for cached kernels: the system knows none of this user's.");
  return skp__strdup(out, path);
}

void *skp__aligned(size_t align, size_t bytes) { return _aligned_malloc(bytes, align); }
void skp__aligned_free(void *at) { _aligned_free(at); }

void skp__variable_set(const char *name, const char *value, int anew) {
  if (anew || !GetEnvironmentVariableA(name, NULL, 0)) _putenv_s(name, value);
}
