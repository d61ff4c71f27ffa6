/* runs.c: skipper report, skipper compare. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const *folders(const struct cli *c) { return (const char *const *)c->arguments; }
static size_t runs(const struct cli *c) { return (size_t)c->n_arguments; }

/* ---- time by layer ---------------------------------------------------------------------------------------------- */

/* A run's network in a step of the size that it has in the run. */
static skp_status time_model(struct cli *c, skp_model *model, const char *table) {
  const skp_bench_options options = {.samples = 1, .layers = 1, .report = stderr, .table = table};
  skp_session *session;
  skp_speed speed;
  TRY(skp_session_open(&session, model, c->device, 0));
  skp_status status = skp_bench(session, &options, &speed);
  skp_session_close(session);
  return status;
}

/* The batch that the run's config.json says, or the usual one. */
static skp_status set_batch(skp_model *model, const char *run) {
  char path[4200], text[16384] = "", number[32];
  snprintf(path, sizeof path, "%s/config.json", run);
  FILE *f = fopen(path, "r");
  if (f) text[fread(text, 1, sizeof text - 1, f)] = 0;
  if (f) fclose(f);
  cJSON *config = cJSON_Parse(text);
  const cJSON *batch = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(config, "recipe"), "batch");
  snprintf(number, sizeof number, "%.0f", cJSON_IsNumber(batch) ? batch->valuedouble : 0);
  skp_status status = cJSON_IsNumber(batch) ? skp_model_set(model, "batch", number) : SKP_OK;
  cJSON_Delete(config);
  return status;
}

static skp_status time_run(struct cli *c, const char *run) {
  skp_model *model;
  char *table;
  TRY(cli_format(&table, "%s/layers.csv", run));
  skp_status status = skp_model_load(&model, run, &(skp_model_options){.trained = 1});
  if (status == SKP_OK) status = set_batch(model, run);
  if (status == SKP_OK) status = time_model(c, model, table);
  skp_model_free(model);
  free(table);
  return status;
}

static skp_status time_layers(struct cli *c) {
  TRY(cli_open_device(c));
  cli_say_device(c);
  for (size_t i = 0; i < runs(c); i++) TRY(time_run(c, c->arguments[i]));
  return SKP_OK;
}

/* ---- the page --------------------------------------------------------------------------------------------------- */

/* When an epoch of any of the runs was written last, in nanoseconds; 0: none was. */
static long long latest(const struct cli *c) {
  long long time = 0;
  for (size_t i = 0; i < runs(c); i++) {
    char path[4200];
    struct stat st;
    snprintf(path, sizeof path, "%s/results.csv", c->arguments[i]);
    if (stat(path, &st)) continue;
    const long long own = st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec;
    if (own > time) time = own;
  }
  return time;
}

/* Until there is news, or no run goes on. */
static void wait_for_news(const struct cli *c, long long seen) {
  while (latest(c) == seen && skp_runs_going(folders(c), runs(c))) usleep(300000);
}

static skp_status show(const struct cli *c, skp_showing *what) {
  for (;;) {
    const long long seen = latest(c);
    what->reload = cli_said(c, CLI_LIVE) && skp_runs_going(folders(c), runs(c));
    TRY(skp_runs_show(folders(c), runs(c), what));
    if (!what->reload) return SKP_OK;
    skp_print(stderr, "%s: written; it follows the run, Ctrl-C ends that\n", what->page);
    wait_for_news(c, seen);
  }
}

skp_status cli_report(struct cli *c) {
  skp_showing what = {.page = c->value[CLI_OUT] ? c->value[CLI_OUT] : "report.html", .figures = c->value[CLI_FIGURES]};
  if (cli_said(c, CLI_LAYERS)) TRY(time_layers(c));
  TRY(show(c, &what));
  skp_print(stderr, "%s: open it in a browser\n", what.page);
  if (what.figures) skp_print(stderr, "%s: its figures\n", what.figures);
  return SKP_OK;
}

skp_status cli_compare(struct cli *c) { return skp_runs_compare(folders(c), runs(c), stdout); }
