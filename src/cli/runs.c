/* runs.c: skipper report, skipper compare. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <unistd.h>

static const char *const *folders(const struct cli *c) { return (const char *const *)c->arguments; }
static size_t runs(const struct cli *c) { return (size_t)c->n_arguments; }

/* Until there is news, or no run goes on. */
static void wait_for_news(const struct cli *c, int64_t seen) {
  while (skp_runs_latest(folders(c), runs(c)) == seen && skp_runs_going(folders(c), runs(c))) usleep(300000);
}

static skp_status show(const struct cli *c, skp_showing *what) {
  for (;;) {
    const int64_t seen = skp_runs_latest(folders(c), runs(c));
    what->reload = cli_said(c, CLI_LIVE) && skp_runs_going(folders(c), runs(c));
    TRY(skp_runs_show(folders(c), runs(c), what));
    if (!what->reload) return SKP_OK;
    skp_print(stderr, "%s: written; it follows the run, Ctrl-C ends that\n", what->page);
    wait_for_news(c, seen);
  }
}

skp_status cli_report(struct cli *c) {
  skp_showing what = {.page = c->value[CLI_OUT] ? c->value[CLI_OUT] : "report.html", .figures = c->value[CLI_FIGURES]};
  if (cli_said(c, CLI_LAYERS) || cli_said(c, CLI_WHY)) TRY(cli_open_device(c));
  if (c->device) cli_say_device(c);
  if (cli_said(c, CLI_LAYERS)) TRY(skp_runs_time(folders(c), runs(c), c->device, stderr));
  if (cli_said(c, CLI_WHY)) what.why = c->device;
  TRY(show(c, &what));
  skp_print(stderr, "%s: open it in a browser\n", what.page);
  if (what.figures) skp_print(stderr, "%s: its figures\n", what.figures);
  return SKP_OK;
}

skp_status cli_compare(struct cli *c) { return skp_runs_compare(folders(c), runs(c), stdout); }
