/* ending.h: what train says when a run is over. SPDX-License-Identifier: MIT */
#ifndef SKP_CLI_ENDING_H
#define SKP_CLI_ENDING_H

#include "cli/report.h"
#include "train/result.h"

struct cli_ending {
  const struct skp_train_result *r;
  const char *out, *data; /* the run's folder; what it learned from, "" if from nothing */
  bool valid;             /* some of the training images judged each epoch */
  struct skp_class_names names;
};
/* What is known of an epoch that the run ended in; the best epoch so far, its figure and its file. */
void cli_print_position(const struct cli_ending *e);
/* The same and more of a whole run: figures, a short report, what was confused most, and what to type next. */
skp_status cli_print_ending(const struct cli_ending *e);

#endif
