/* seeds.c: skipper train --seeds: the same training several times over. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* The folder for all: --out, or the first runs/MODEL-N that is not there. */
static skp_status choose_folder(const struct cli *c, char **out) {
  const char *model = c->arguments[0], *slash = strrchr(model, '/');
  const char *name = slash ? slash + 1 : model;
  if (c->value[CLI_OUT]) return cli_copy(out, c->value[CLI_OUT]);
  for (int n = 1;; n++) {
    TRY(cli_format(out, "runs/%.*s-%d", (int)strcspn(name, "."), name, n));
    if (access(*out, F_OK)) return SKP_OK;
    free(*out);
  }
}

/* As if it had been said. `text` is taken over. */
static void say(struct cli *c, cli_option o, char *text) {
  free(c->value[o]);
  c->value[o] = text;
}

static skp_status say_seed(struct cli *c, const char *folder, int64_t seed) {
  char *text;
  TRY(cli_format(&text, "%lld", (long long)seed));
  say(c, CLI_SEED, text);
  TRY(cli_format(&text, "%s/seed-%lld", folder, (long long)seed));
  say(c, CLI_OUT, text);
  return SKP_OK;
}

static skp_status print_spread(const struct cli *c, const char *folder) {
  skp_spread s;
  TRY(skp_runs_spread(folder, &s));
  if (!cli_said(c, CLI_JSON)) {
    skp_print(stdout, "%lld seeds in %s: best accuracy median %.2f %%, %.2f to %.2f %%, mean %.2f +- %.2f %%\n",
              (long long)s.runs, folder, 100 * s.median, 100 * s.least, 100 * s.most, 100 * s.mean, 100 * s.half);
    return SKP_OK;
  }
  cJSON *object = cJSON_CreateObject();
  cJSON_AddStringToObject(object, "saved_in", folder);
  cJSON_AddNumberToObject(object, "seeds", (double)s.runs);
  cJSON_AddNumberToObject(object, "median_accuracy", s.median);
  cJSON_AddNumberToObject(object, "mean_accuracy", s.mean);
  cJSON_AddItemToObject(object, "half_interval", isnan(s.half) ? cJSON_CreateNull() : cJSON_CreateNumber(s.half));
  cJSON_AddNumberToObject(object, "least_accuracy", s.least);
  cJSON_AddNumberToObject(object, "most_accuracy", s.most);
  return cli_print_json(object);
}

static skp_status train_each(struct cli *c, int64_t n, skp_status (*train)(struct cli *c), const char *folder) {
  int64_t first;
  TRY(cli_int(c, CLI_SEED, &first, 0, INT64_MAX - n, 1));
  for (int64_t seed = first; seed < first + n; seed++) {
    close_run(c);
    TRY(say_seed(c, folder, seed));
    TRY(train(c));
    if (c->signal) return SKP_OK; /* it was stopped, and so are those that were to follow */
  }
  return print_spread(c, folder);
}

skp_status cli_train_seeds(struct cli *c, int64_t n, skp_status (*train)(struct cli *c)) {
  char *folder;
  if (cli_said(c, CLI_RESUME) || !c->n_arguments)
    return skp_fail(SKP_USAGE, "--seeds begins new runs of MODEL; --resume DIR/seed-N goes on with one of them.");
  TRY(choose_folder(c, &folder));
  skp_status status = train_each(c, n, train, folder);
  free(folder);
  return status;
}
