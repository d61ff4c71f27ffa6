/* report.h: a report and what its numbers mean, for printing. SPDX-License-Identifier: MIT */
#ifndef SKP_CLI_REPORT_H
#define SKP_CLI_REPORT_H

#include "cli/cli.h"
#include "train/metrics.h"

struct cli_report {
  const struct skp_report *r;
  const struct skp_answer *answers;
  const struct skp_source *source;
  const struct skp_class_names *names;
  int classes, worst; /* how many are printed at most */
};
skp_status cli_print_report(const struct cli_report *c);
/* "classes" and "worst". */
void cli_add_report(cJSON *object, const struct cli_report *c);

#endif
