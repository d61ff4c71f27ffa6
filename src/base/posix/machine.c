/* machine.c: see machine.h. SPDX-License-Identifier: MIT */
#include "base/machine.h"
#include "base/array.h"
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

int64_t skp__machine_memory(void) { return (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE); }

int skp__machine_cores(void) {
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);
  return cores < 1 ? 1 : (int)cores;
}

void skp__machine_name(char *out, size_t size) { (void)gethostname(out, size - 1); }

skp_status skp__home(char **out) {
  struct passwd user, *found = NULL;
  char texts[4096];
  *out = NULL;
  if (getpwuid_r(geteuid(), &user, texts, sizeof texts, &found) || !found)
    return skp__fail(SKP_IO, "There is no folder for cached kernels: the system knows no home of user %ld.",
                     (long)geteuid());
  return skp__strdup(out, user.pw_dir);
}

void *skp__aligned(size_t align, size_t bytes) { return aligned_alloc(align, bytes); }
void skp__aligned_free(void *at) { free(at); }

void skp__variable_set(const char *name, const char *value, int anew) { setenv(name, value, anew); }
