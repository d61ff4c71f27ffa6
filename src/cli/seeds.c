/* seeds.c: skipper train --seeds: the same training several times over. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <stdlib.h>

/* What a training opened. */
static void close_run(struct cli *c) {
  skp_session_close(c->session);
  skp_run_close(c->run);
  skp_model_free(c->model);
  skp_data_close(c->data);
  skp_device_close(c->device);
  c->session = NULL;
  c->run = NULL;
  c->model = NULL;
  c->data = NULL;
  c->device = NULL;
}

/* As if it had been said. `text` is taken over. */
static void say(struct cli *c, cli_option o, char *text) {
  free(c->value[o]);
  c->value[o] = text;
}

static skp_status say_seed(struct cli *c, uint64_t seed) {
  char *text;
  TRY(cli_format(&text, "%llu", (unsigned long long)seed));
  say(c, CLI_SEED, text);
  return SKP_OK;
}

/* The folder that the first run got, for those that follow. */
static skp_status say_folder(struct cli *c, const char *folder) {
  char *text;
  TRY(cli_copy(&text, folder));
  say(c, CLI_OUT, text);
  return SKP_OK;
}

/* ---- how well they did ------------------------------------------------------------------------------------------- */

static void print_words(const skp_spread *s, const char *folder, int64_t n) {
  skp_print(stdout, "%lld seed%s in %s: ", (long long)n, n == 1 ? "" : "s", folder);
  if (!s->runs)
    printf("nothing judged them\n");
  else if (s->runs == 1)
    printf("best accuracy %.2f %%\n", 100 * s->mean);
  else
    printf("best accuracy median %.2f %%, %.2f to %.2f %%, mean %.2f +- %.2f %%\n", 100 * s->median, 100 * s->least,
           100 * s->most, 100 * s->mean, 100 * s->half);
}

static skp_status print_object(const skp_spread *s, const char *folder, int64_t n) {
  const struct {
    const char *name;
    double value;
  } rows[] = {{"median_accuracy", s->median},
              {"mean_accuracy", s->mean},
              {"half_interval", s->half},
              {"least_accuracy", s->least},
              {"most_accuracy", s->most}};
  cJSON *object = cJSON_CreateObject();
  cJSON_AddStringToObject(object, "saved_in", folder);
  cJSON_AddNumberToObject(object, "seeds", (double)n);
  for (size_t i = 0; s->runs && i < sizeof rows / sizeof *rows; i++)
    cJSON_AddNumberToObject(object, rows[i].name, rows[i].value); /* null, if it is NaN */
  return cli_print_json(object);
}

static skp_status print_spread(const struct cli *c, const char *folder, char *const *run, int64_t n) {
  skp_spread s;
  TRY(skp_runs_spread((const char *const *)run, (size_t)n, &s));
  if (cli_said(c, CLI_JSON)) return print_object(&s, folder, n);
  print_words(&s, folder, n);
  return SKP_OK;
}

/* ---- training ---------------------------------------------------------------------------------------------------- */

/* `run` receives their folders. */
static skp_status train_each(struct cli *c, int64_t n, cli_trainer *train, char **run) {
  skp_run_facts facts;
  uint64_t first;
  TRY(cli_seed(c, &first, UINT64_MAX - (uint64_t)(n - 1), 1));
  for (int64_t i = 0; i < n; i++) {
    close_run(c);
    TRY(say_seed(c, first + (uint64_t)i));
    TRY(train(c, &facts));
    if (c->signal) return SKP_OK; /* it was stopped, and so are those that were to follow */
    TRY(cli_copy(&run[i], facts.folder));
    TRY(say_folder(c, facts.seeds));
  }
  return print_spread(c, c->value[CLI_OUT], run, n);
}

/* Each would write over what the one before it wrote there. */
static skp_status check(const struct cli *c) {
  const char *board = c->value[CLI_TENSORBOARD];
  if (cli_said(c, CLI_RESUME) || !c->n_arguments)
    return skp_fail(SKP_USAGE, "--seeds begins new runs of MODEL; --resume DIR/seed-N goes on with one of them.");
  if (cli_said(c, CLI_TRACE))
    return skp_fail(SKP_USAGE, "With --seeds each run has a trace of its own: --trace-steps N in place of --trace %s.",
                    c->value[CLI_TRACE]);
  if (board && *board)
    return skp_fail(SKP_USAGE, "With --seeds each run has its own folder for TensorBoard: --tensorboard without %s.",
                    board);
  return SKP_OK;
}

skp_status cli_train_seeds(struct cli *c, int64_t n, cli_trainer *train) {
  char **run;
  TRY(check(c));
  TRY(cli_alloc(&run, (size_t)n, sizeof *run));
  skp_status status = train_each(c, n, train, run);
  for (int64_t i = 0; i < n; i++) free(run[i]);
  free(run);
  return status;
}
