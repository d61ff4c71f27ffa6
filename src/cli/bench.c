/* bench.c: skipper bench: whole steps on random images that stay on the device. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/system.h"
#include <string.h>

/* `object` NULL: they are printed as text. */
static void put_figures(cJSON *object, const struct cli *c, const skp_speed *s, bool train) {
  skp_device_state device;
  skp_device_ask(c->device, &device);
  char text[32];
  const double mib = 1 << 20;
  const struct {
    const char *name, *unit;
    double value;
  } rows[] = {
      {"img_per_s", "images/s, the median of the samples", s->img_per_s},
      {"best_img_per_s", "images/s at best", s->best_img_per_s},
      {"gflops", "GFLOP/s", s->gflops},
      {"cold_start_s", "s from the start of the process to the end of the first step", s->cold_start},
      {"peak_rss_mib", "MiB of host memory at most", cli_most_memory() / mib},
      {"device_mib", "MiB of device memory", (double)device.used / mib},
      {"batch", "images a step", (double)s->batch},
      {"ops", "operations a step", (double)s->ops},
      {"launches", "launches a step", (double)s->launches},
      {"loss", "is the loss of the random images", s->loss},
  };
  const size_t shown = sizeof rows / sizeof *rows - !train; /* an evaluation has no loss */
  for (size_t i = 0; i < shown; i++)
    if (object)
      cJSON_AddNumberToObject(object, rows[i].name, rows[i].value);
    else
      printf("%s %s\n", cli_number(text, sizeof text, rows[i].value), rows[i].unit);
}

static skp_status print_result(const struct cli *c, const skp_speed *s, bool train) {
  cJSON *object;
  TRY(cli_create_json(c, &object, cJSON_CreateObject));
  put_figures(object, c, s, train);
  if (cli_said(c, CLI_LAYERS)) {
    skp_status status = cli_show_layers(s, object);
    if (status != SKP_OK) cJSON_Delete(object);
    TRY(status);
  }
  return object ? cli_print_json(object) : SKP_OK;
}

/* Of a device alone, or of a network's steps. */
static skp_status check_arguments(const struct cli *c) {
  const bool peak = cli_said(c, CLI_PEAK);
  if (peak && c->n_arguments)
    return skp_fail(SKP_USAGE, "--peak measures the device, without a MODEL; --layers shows a network's shares of it.");
  return peak || c->n_arguments ? SKP_OK : skp_fail(SKP_USAGE, "bench wants MODEL, or --peak.");
}

skp_status cli_bench(struct cli *c) {
  TRY(check_arguments(c));
  if (cli_said(c, CLI_PEAK)) return cli_bench_peak(c);
  const char *mode = c->value[CLI_MODE] ? c->value[CLI_MODE] : "train";
  skp_bench_options options = {.layers = cli_said(c, CLI_LAYERS), .trace = c->value[CLI_TRACE], .report = stderr};
  skp_speed speed;
  TRY(cli_int(c, CLI_STEPS, &options.samples, 1, 1 << 20, 20));
  options.evaluate = strcmp(mode, "eval") == 0;
  if (!options.evaluate && strcmp(mode, "train") != 0)
    return skp_fail(SKP_USAGE, "--mode is train or eval, not \"%s\".", mode);
  TRY(cli_open_model(c));
  TRY(cli_open_device(c));
  cli_say_device(c);
  TRY(skp_session_open(&c->session, c->model, c->device, 1));
  TRY(skp_bench(c->session, &options, &speed));
  if (options.trace) skp_print(stderr, "%s: open it in ui.perfetto.dev or about:tracing\n", options.trace);
  return print_result(c, &speed, !options.evaluate);
}
