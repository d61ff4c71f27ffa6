/* host.c: see host.h. SPDX-License-Identifier: MIT */
#include "base/host.h"
#include "base/array.h"
#include <stdlib.h>

static char no_root[] = "";
#define USUAL_PROBE 10.0 /* seconds */
static struct skp__host host = {.root = no_root, .probe_seconds = USUAL_PROBE};

const struct skp__host *skp__host(void) { return &host; }

skp_status skp__host_set(const char *scratch, const char *root, double probe_seconds) {
  struct skp__host said = {.root = no_root, .probe_seconds = probe_seconds > 0 ? probe_seconds : USUAL_PROBE};
  if (scratch) SKP_TRY(skp__strdup(&said.scratch, scratch));
  skp_status status = root ? skp__strdup(&said.root, root) : SKP_OK;
  if (status != SKP_OK) {
    free(said.scratch);
    return status;
  }
  free(host.scratch);
  if (host.root != no_root) free(host.root);
  host = said;
  return SKP_OK;
}
