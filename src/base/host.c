/* host.c: see host.h. SPDX-License-Identifier: MIT */
#include "base/host.h"
#include "base/array.h"
#include <stdbool.h>
#include <stdlib.h>

#define USUAL_PROBE 10.0 /* seconds */
static char *own_scratch, *own_root;
static struct skp__host host = {.root = "", .probe_seconds = USUAL_PROBE};

const struct skp__host *skp__host(void) { return &host; }

skp_status skp__host_set(const struct skp__host *said) {
  char *scratch = NULL, *root;
  if (said->scratch) SKP_TRY(skp__strdup(&scratch, said->scratch));
  skp_status status = skp__strdup(&root, said->root ? said->root : "");
  if (status != SKP_OK) {
    free(scratch);
    return status;
  }
  free(own_scratch);
  free(own_root);
  own_scratch = scratch;
  own_root = root;
  host = (struct skp__host){scratch, root, said->probe_seconds > 0 ? said->probe_seconds : USUAL_PROBE, said->call};
  return SKP_OK;
}

const char *skp__option(const char *name) { return host.call ? host.call(name) : name; }

skp_status skp__option_written(const char *name, skp_status status) {
  const bool unwritten = status == SKP_IO || status == SKP_DISK_FULL;
  return unwritten ? skp__fail_in(status, "%s", skp__option(name)) : status;
}
