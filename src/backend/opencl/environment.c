/* environment.c: the variables that drivers read when they are loaded, where the user's
 * own would leave them without devices.
 * SPDX-License-Identifier: MIT */
#include "backend/opencl/devices.h"
#include "base/machine.h"
#include "base/scratch.h"
#include <stdlib.h>
#include <string.h>

static const char CACHE[] = "POCL_CACHE_DIR";

const char *skp__environment_get(const char *name) { return getenv(name); }

static const char *variable(const char *name) {
  const char *value = getenv(name);
  return value && *value ? value : NULL;
}

/* Where PoCL compiles to: without such a folder it shows no device. */
static void pocl_folder(char *out, size_t size) {
  const char *own = variable(CACHE), *xdg = variable("XDG_CACHE_HOME"), *home = getenv("HOME");
  if (own)
    snprintf(out, size, "%s", own);
  else if (xdg)
    snprintf(out, size, "%s/pocl/kcache", xdg);
  else if (home)
    snprintf(out, size, "%s/.cache/pocl/kcache", home);
  else
    snprintf(out, size, "/tmp/pocl/kcache");
}

static void give_pocl_a_folder(struct skp_device_list *list) {
  char usual[4096];
  const char *scratch;
  pocl_folder(usual, sizeof usual);
  if (skp__can_run_from(usual)) return;
  if (skp__scratch_folder(&scratch) != SKP_OK) {
    skp__devices_note(list, "PoCL can write neither to %.150s nor to /tmp: %s=FOLDER names a place for its kernels.",
                      usual, CACHE);
    return;
  }
  skp__variable_set(CACHE, scratch, 1);
  skp__devices_note(
      list,
      "PoCL cannot write to %.150s: its kernels are in a temporary folder, and compiled anew in each run; "
      "%s=FOLDER keeps them.",
      usual, CACHE);
}

void skp__environment_prepare(struct skp_device_list *list) {
  skp__variable_set("RUSTICL_ENABLE", "radeonsi,iris,panfrost,asahi,freedreno", 0); /* unset, rusticl shows nothing */
  /* PoCL compiles a kernel for each work-group size that it is launched with, at the launch, and once more for all
   * sizes when a binary is asked for. One for all sizes is as fast for kernels like
   * ours, and what the cache gets is all that a launch needs. */
  skp__variable_set("POCL_WORK_GROUP_SPECIALIZATION", "0", 0);
  give_pocl_a_folder(list);
}
