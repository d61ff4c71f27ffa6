/* runs.c: skipper report, skipper compare. SPDX-License-Identifier: MIT */
#include "cli/cli.h"

static const char *const *folders(const struct cli *c) { return (const char *const *)c->arguments; }

skp_status cli_report(struct cli *c) {
  const char *page = c->value[CLI_OUT] ? c->value[CLI_OUT] : "report.html";
  TRY(skp_runs_report(folders(c), (size_t)c->n_arguments, page));
  skp_print(stderr, "%s: open it in a browser\n", page);
  return SKP_OK;
}

skp_status cli_compare(struct cli *c) { return skp_runs_compare(folders(c), (size_t)c->n_arguments, stdout); }
