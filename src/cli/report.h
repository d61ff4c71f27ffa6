/* report.h: where a network errs, printed. SPDX-License-Identifier: MIT */
#ifndef SKP_CLI_REPORT_H
#define SKP_CLI_REPORT_H

#include "cli/cli.h"

/* At most so many classes, and images with the highest loss. */
skp_status cli_print_report(const skp_report *r, int classes, int64_t worst);
/* "classes" and "worst". */
void cli_add_report(cJSON *object, const skp_report *r);

/* --labels */
skp_status cli_labels(const struct cli *c, skp_testing *out);

#endif
