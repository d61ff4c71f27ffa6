/* open.c: opening what the command line names. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <stdlib.h>
#include <string.h>

/* ---- device ----------------------------------------------------------------------------------------------------- */

/* "" on the command line takes back what the environment says. */
static const char *chosen(const struct cli *c, cli_option o) {
  const char *said = c->value[o];
  return said && *said ? said : NULL;
}

skp_status cli_device_options(const struct cli *c, skp_device_options *out) {
  TRY(cli_environment_device(out));
  out->backend = chosen(c, CLI_BACKEND);
  out->platform = chosen(c, CLI_PLATFORM);
  out->device = chosen(c, CLI_DEVICE);
  out->tune = chosen(c, CLI_TUNE);
  return SKP_OK;
}

skp_status cli_open_device(struct cli *c) {
  int64_t threads;
  const char *backend = chosen(c, CLI_BACKEND);
  bool opencl = !backend || strcmp(backend, "opencl") == 0;
  skp_device_options options;
  TRY(cli_int(c, CLI_THREADS, &threads, 1, 1024, 0));
  if (!opencl && (cli_typed(c, CLI_PLATFORM) || cli_typed(c, CLI_DEVICE)))
    return skp_fail(SKP_USAGE, "--platform and --device choose an OpenCL device; --backend %s has none.", backend);
  TRY(cli_device_options(c, &options));
  options.threads = (int)threads;
  options.trace = cli_said(c, CLI_VERBOSE) ? stderr : NULL;
  options.report = stderr;
  options.hung = cli_hung;
  options.user = c;
  skp_ranks_place place;
  skp_ranks_describe(c->ranks, &place);
  options.place = place.place;
  options.neighbours = place.neighbours;
  TRY(cli_measure_devices(c, &options));
  TRY(skp_device_open(&c->device, &options));
  c->progress.device = c->device;
  return SKP_OK;
}

skp_status cli_workers(const struct cli *c, int *out) {
  int64_t workers;
  TRY(cli_int(c, CLI_THREADS, &workers, 1, 1024, 0));
  TRY(cli_int(c, CLI_WORKERS, &workers, 0, 1024, workers));
  const bool none = cli_said(c, CLI_WORKERS) && !workers; /* beside the device; one it takes to load ahead of it */
  *out = none ? 1 : (int)workers;
  return SKP_OK;
}

/* ---- recipe ----------------------------------------------------------------------------------------------------- */

const char *cli_entry_text(const struct cli *c, const char *name, char *text, size_t size) {
  *text = 0;
  (void)skp_model_get(c->model, name, text, size);
  return text;
}

double cli_entry(const struct cli *c, const char *name) {
  char text[512];
  return strtod(cli_entry_text(c, name, text, sizeof text), NULL);
}

/* Whether a number of a list is another one. */
static bool has_other(const char *list, double usual) {
  for (char *end; *list; list = end + (*end == ',')) {
    if (strtod(list, &end) != usual) return true;
    if (end == list) return false;
  }
  return false;
}

bool cli_normalises(const struct cli *c) {
  char mean[512], std[512];
  return has_other(cli_entry_text(c, "mean", mean, sizeof mean), 0) ||
         has_other(cli_entry_text(c, "std", std, sizeof std), 1);
}

static bool find_entry(const char *name, skp_entry *out) {
  for (size_t i = 0; skp_entry_describe(i, out); i++)
    if (strcmp(out->name, name) == 0) return true;
  return false;
}

/* Entries that change nothing while another is at its default. */
static const struct {
  const char *entry, *without;
} idle[] = {{"no_decay", "weight_decay"},
            {"freeze_bn", "freeze"},
            {"crop_reflect", "crop_padding"},
            {"rand_augment_ops", "rand_augment"}};

static skp_status check_idle(const struct cli *c) {
  char name[2][32], text[512];
  for (size_t i = 0; i < sizeof idle / sizeof *idle; i++) {
    skp_entry entry, without;
    const char *said = cli_said_entry(c, idle[i].entry);
    if (!said || !find_entry(idle[i].entry, &entry) || strcmp(said, entry.usual) == 0) continue;
    if (!find_entry(idle[i].without, &without)) continue;
    cli_entry_text(c, idle[i].without, text, sizeof text);
    if (strcmp(text, without.usual) == 0)
      return skp_fail(SKP_USAGE, "--%s changes nothing without --%s.",
                      cli_dashed(name[0], sizeof name[0], idle[i].entry),
                      cli_dashed(name[1], sizeof name[1], idle[i].without));
  }
  return SKP_OK;
}

/* An optimizer and a schedule come first: they take back what the recipe says for others. */
static skp_status set_entries(struct cli *c) {
  static const char *const first[] = {"optimizer", "schedule"};
  skp_entry e;
  for (int i = 0; i < 2; i++)
    if (cli_said_entry(c, first[i])) TRY(skp_model_set(c->model, first[i], cli_said_entry(c, first[i])));
  for (size_t i = 0; skp_entry_describe(i, &e); i++)
    if (c->recipe[i]) TRY(skp_model_set(c->model, e.name, c->recipe[i]));
  return SKP_OK;
}

skp_status cli_override_recipe(struct cli *c) {
  TRY(set_entries(c));
  TRY(check_idle(c));
  if (cli_said(c, CLI_NO_AUGMENT)) skp_model_leave_images(c->model);
  return skp_model_check(c->model);
}

/* ---- model ------------------------------------------------------------------------------------------------------ */

/* A run that is asked to be shorter than the recipe's warms up in the same share of it. */
static skp_status shorten_warmup(struct cli *c, double usual_epochs) {
  const double epochs = cli_entry(c, "epochs");
  char text[64];
  if (cli_said_entry(c, "warmup") || epochs == 0 || epochs >= usual_epochs) return SKP_OK;
  snprintf(text, sizeof text, "%.17g", cli_entry(c, "warmup") * (epochs / usual_epochs));
  return skp_model_set(c->model, "warmup", text);
}

static bool sets(const struct cli *c, const char *name) {
  const size_t n = strlen(name);
  bool any = false;
  for (int i = 0; i < c->n_settings; i++)
    any = any || (strncmp(c->settings[i], name, n) == 0 && c->settings[i][n] == '=');
  return any;
}

skp_status cli_check_file(const struct cli *c) {
  const char *said = c->arguments[0];
  if (skp_find_name(said) != SKP_NAMES_TRAINED) return SKP_OK;
  return skp_fail(SKP_USAGE,
                  "%s holds a trained network; here a model file is expected, or the name of one that comes along. "
                  "train --resume goes on with a run, train MODEL --init %s begins with its weights.",
                  said, said);
}

skp_status cli_open_model(struct cli *c) {
  TRY(cli_check_file(c));
  int64_t size;
  TRY(cli_int(c, CLI_SIZE, &size, 1, 1 << 14, 0));
  TRY(skp_model_load(
      &c->model, c->arguments[0],
      &(skp_model_options){
          .settings = (const char *const *)c->settings, .size = (int)size, .learns = c->data, .print_to = stderr}));
  const double usual_epochs = cli_entry(c, "epochs");
  TRY(cli_override_recipe(c));
  return shorten_warmup(c, usual_epochs);
}

static skp_status open_data(struct cli *c, const char *name, const skp_data_options *options) {
  TRY(cli_spare_data(c, name));
  return skp_data_open(&c->data, name, options);
}

/* Opens the data before the model, if the file asks them how many classes there are. A file that is wrong says so when
 * it is loaded. */
static skp_status open_classes(struct cli *c, const skp_data_options *options) {
  const char *said = cli_said_entry(c, "data");
  skp_model_head head;
  if (sets(c, "classes") || skp_model_peek(c->arguments[0], &head) != SKP_OK) return SKP_OK;
  if (!said) said = head.data;
  return head.takes_classes && *said ? open_data(c, said, options) : SKP_OK;
}

skp_status cli_open_learner(struct cli *c) {
  skp_data_options options = {.report = stderr};
  TRY(cli_check_file(c));
  if (cli_said(c, CLI_INIT)) TRY(skp_weights_check(c->value[CLI_INIT])); /* before the images are looked at */
  TRY(cli_data_options(c, &options));
  TRY(open_classes(c, &options));
  return cli_open_model(c);
}

/* Of a run that has no best weights yet. */
static void say_latest(const char *said) {
  if (skp_weights_latest(said))
    skp_print(stderr, "weights  %s/last.safetensors: there are no best ones in this run yet\n", said);
}

skp_status cli_open_session(struct cli *c, uint64_t seed) {
  const char *said = c->value[CLI_INIT], *model = c->n_arguments ? c->arguments[0] : NULL;
  if (model && skp_find_name(model) == SKP_NAMES_ONNX) skp_print(stderr, "weights  %s\n", model);
  TRY(skp_session_open(&c->session, c->model, c->device, seed));
  if (!said) return SKP_OK;
  skp_print(stderr, "weights  %s\n", said);
  say_latest(said);
  return skp_session_load(c->session, said, 1, stderr);
}

/* Networks of other programs may not say how images are normalised. */
static void say_unknown_pixels(const struct cli *c) {
  const char *said = c->arguments[0];
  if (cli_said_entry(c, "mean") || cli_said_entry(c, "std") || cli_normalises(c)) return;
  if (skp_find_name(said) == SKP_NAMES_ONNX && skp_model_channels(c->model) == 3)
    skp_print(stderr, "%s does not say how pixels were normalised; networks of torchvision expect --mean imagenet\n",
              said);
}

skp_status cli_open_checkpoint_model(struct cli *c) {
  const char *said = c->arguments[0];
  if (c->n_settings || cli_typed(c, CLI_SIZE))
    return skp_fail(SKP_USAGE,
                    "%s is a trained network, whose settings and size are fixed: --set and --size go with model files.",
                    said);
  if (skp_find_name(said) == SKP_NAMES_NETWORK)
    return skp_fail(SKP_USAGE,
                    "%s is a model file, which has no weights yet: skipper train %s makes them. What is wanted here is "
                    "the folder of a run, or a checkpoint in it.",
                    said, said);
  TRY(skp_model_load(&c->model, said, &(skp_model_options){.trained = 1}));
  say_latest(said);
  TRY(cli_override_recipe(c));
  say_unknown_pixels(c);
  return SKP_OK;
}

skp_status cli_open_checkpoint(struct cli *c) {
  TRY(cli_open_checkpoint_model(c));
  TRY(cli_open_device(c));
  return skp_session_open(&c->session, c->model, c->device, 0);
}

/* ---- data ------------------------------------------------------------------------------------------------------- */

skp_status cli_data_options(const struct cli *c, skp_data_options *out) {
  int64_t most;
  const bool strict = cli_said(c, CLI_STRICT);
  TRY(cli_int(c, CLI_MAX_DAMAGED, &most, 0, INT64_MAX, -1));
  if (strict && most > 0) return skp_fail(SKP_USAGE, "--strict bears no damaged image; leave --max-damaged out.");
  if (!strict && most < 0) return SKP_OK;
  out->strict = strict || most == 0;
  out->max_damaged = out->strict ? 0 : most;
  return SKP_OK;
}

skp_status cli_open_data(struct cli *c, const skp_data_options *options) {
  char name[512];
  if (c->data || !*cli_entry_text(c, "data", name, sizeof name)) return SKP_OK;
  return open_data(c, name, options);
}

skp_status cli_open_test(struct cli *c, bool labelled) {
  skp_data_options options = {.to_test = 1, .labelled = labelled, .report = stderr};
  TRY(cli_data_options(c, &options));
  TRY(cli_open_data(c, &options));
  if (c->data) return SKP_OK;
  return skp_fail(SKP_USAGE, "The model's recipe names no data; choose some with --data DIR.");
}

void cli_say_damage(struct cli *c) {
  char text[4096];
  if (!c->data) return;
  skp_data_damage(c->data, text, sizeof text);
  fputs(text, stderr);
}
