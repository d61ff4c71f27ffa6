/* ending.h: what train says when a run is over. SPDX-License-Identifier: MIT */
#ifndef SKP_CLI_ENDING_H
#define SKP_CLI_ENDING_H

#include "cli/report.h"

struct cli_ending {
  const skp_outcome *o;
  const skp_report *report; /* of the best weights; NULL: there is none */
  const char *out, *data;   /* the run's folder; what it learned from, "" if from nothing */
};
/* What is known of an epoch that the run ended in; the best epoch so far, its figure and its file. */
void cli_print_position(const struct cli_ending *e);
/* The same and more of a whole run: figures, a short report, what was confused most, and what to type next. */
skp_status cli_print_ending(const struct cli_ending *e);

#endif
