/* ranks.c: the program as one of several that mpirun started. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/system.h"
#include <string.h>

/* What one says stands for all. */
static skp_status fall_silent(void) {
  return cli_fall_silent() ? SKP_OK : skp_fail(SKP_IO, "Cannot turn the output away.");
}

skp_status cli_open_ranks(struct cli *c) {
  skp_ranks_place place;
  const char *command = c->command->name;
  if (!cli_environment_ranks()) return SKP_OK;
  if (strcmp(command, "train") != 0)
    return skp_fail(SKP_USAGE, "Several processes share a training; %s is done by one, without mpirun.", command);
  TRY(skp_ranks_open(&c->ranks, cli_environment_timeout()));
  skp_ranks_describe(c->ranks, &place);
  return place.rank ? fall_silent() : SKP_OK;
}

void cli_close_ranks(struct cli *c, skp_status status) {
  skp_ranks_close(c->ranks, status);
  c->ranks = NULL;
}
