/* host.c: see host.h. SPDX-License-Identifier: MIT */
#include "base/host.h"
#include "base/array.h"
#include <locale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define USUAL_PROBE 10.0 /* seconds */
static char *texts[3];   /* the host's own: scratch, index, root */
static struct skp__host host = {.root = "", .probe_seconds = USUAL_PROBE};

const struct skp__host *skp__host(void) { return &host; }

static skp_status copy(char **out, const char *said) { return skp__strdup(out, said ? said : ""); }

skp_status skp__host_set(const struct skp__host *said) {
  char *own[] = {NULL, NULL, NULL};
  skp_status status = copy(&own[0], said->scratch);
  if (status == SKP_OK) status = copy(&own[1], said->index);
  if (status == SKP_OK) status = copy(&own[2], said->root);
  for (int i = 0; i < 3; i++) {
    free(status == SKP_OK ? texts[i] : own[i]);
    if (status == SKP_OK) texts[i] = own[i];
  }
  SKP_TRY(status);
  host = (struct skp__host){.scratch = said->scratch ? texts[0] : NULL,
                            .index = said->index ? texts[1] : NULL,
                            .root = texts[2],
                            .probe_seconds = said->probe_seconds > 0 ? said->probe_seconds : USUAL_PROBE,
                            .call = said->call};
  return SKP_OK;
}

skp_status skp__host_check_numbers(void) {
  const char *sign = localeconv()->decimal_point;
  if (!strcmp(sign, ".")) return SKP_OK;
  return skp__fail(
      SKP_USAGE,
      "In this process numbers are written with \"%s\", and what Skipper reads and writes has a point: call "
      "setlocale(LC_NUMERIC, \"C\") first.",
      sign);
}

const char *skp__option(const char *name) { return host.call ? host.call(name) : name; }

skp_status skp__option_written(const char *name, skp_status status) {
  const bool unwritten = status == SKP_IO || status == SKP_DISK_FULL;
  return unwritten ? skp__fail_in(status, "%s", skp__option(name)) : status;
}
