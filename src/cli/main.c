/* main.c: the table of commands. Results go to standard output, all else to standard error; exit status 0 done, 1
 * failed, 2 wrong usage, 128 + N: stopped by signal N, after saving. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/shell.h"
#include "cli/system.h"
#include <string.h>
#include <unistd.h>

const struct cli_command cli_commands[] = {
    {"train", "MODEL", 0, 1,
     "recipe out max-steps max-time resume save-every keep seed seeds no-shuffle no-augment strict max-damaged init "
     "set size workers tensorboard trace-steps trace shares json device",
     "Trains the network of a model file",
     "The run's folder receives config.json, log.jsonl (a line a step), results.csv (a line an epoch), "
     "last.safetensors, best.safetensors, state.safetensors, and of the best weights confusion.csv, classes.csv, "
     "worst.csv and confused.csv. An earlier run in it is moved into DIR/earlier-N. Ctrl-C saves and ends "
     "(status 130; kill: 143, hang-up: 129); twice ends at once. A limit of its own (--max-time) that is reached is no "
     "stop: status 0. However a run ended, --resume goes on with it to the same weights, on the same device to the "
     "bit; the model and all settings are taken from the run, only its limits, its saving and the device may be "
     "others.\n"
     "  skipper train models/resize.lua --data digits --epochs 3\n"
     "  skipper train --resume runs/resize-1",
     cli_train},
    {"eval", "CKPT", 1, 1,
     "data labels strict max-damaged batch precision mean std resize test-views report worst workers json device",
     "Tests a trained network on a data set",
     "Prints accuracy, precision and recall of each class, and the images with the highest loss. Classes are "
     "known by their names; images of classes that the network did not learn are counted apart.\n"
     "  skipper eval runs/resize-1 --data digits --report runs/resize-1",
     cli_eval},
    {"predict", "CKPT [IMAGE|FOLDER...]", 1, 1 << 20,
     "data labels strict max-damaged batch precision mean std resize test-views top invert explain logits workers json "
     "device",
     "Says what a trained network sees in images, or writes its logits for a whole data set",
     "A folder stands for the images in it and in its folders.\n"
     "  skipper predict runs/resize-1 seven.png holidays/ --top 5\n"
     "  skipper predict runs/resize-1 seven.png --explain why\n"
     "  skipper predict runs/resize-1 --data digits --logits logits.safetensors",
     cli_predict},
    {"lr", "MODEL", 1, 1, "recipe curve seed no-augment strict max-damaged init set size workers json device",
     "Finds a learning rate for a network and its data",
     "Trains for 100 steps while the learning rate climbs from 1e-7 to 10 (Smith 2017), or until the loss "
     "diverges; shows the curve and suggests the rate at which the loss falls fastest, or a tenth of where it "
     "is lowest if that is less.\n"
     "  skipper lr models/resize.lua --data digits",
     cli_lr},
    {"devices", "", 0, 0, "json device", "Lists the OpenCL devices, what each can do, and which one is taken unasked",
     "", cli_devices},
    {"summary", "MODEL", 1, 1, "batch accumulate optimizer precision set size json device",
     "Shows a network's layers, parameters, costs and memory, and whether it fits the device",
     "  skipper summary models/resnet20.lua --batch 128", cli_summary},
    {"export", "CKPT", 1, 1, "onnx opset dynamic-batch fold with-preprocessing",
     "Writes a trained network as an ONNX file",
     "\"input\" takes images as N x C x H x W, normalised as the metadata \"mean\" and \"std\" say, or, with "
     "--with-preprocessing, as they are; \"logits\" are what it gives. The names of the classes are in the metadata, "
     "too.\n"
     "  skipper export runs/resize-1 --onnx resize.onnx --dynamic-batch",
     cli_export},
    {"report", "RUN [RUN...]", 1, 64, "out live figures layers why device", "Writes a page to look at about runs",
     "One file in HTML: curves of all runs beside each other, and of each its recipe and command, layers, which "
     "classes are mixed up, and the worst images with their pictures.\n"
     "  skipper report runs/resnet20-1 runs/resnet20-2 --out report.html\n"
     "  skipper report runs/resnet20-1 --why\n"
     "  skipper report runs/resnet20-3 --live",
     cli_report},
    {"compare", "RUN RUN [RUN...]", 2, 64, "", "Says what differs between runs, and how they ended",
     "  skipper compare runs/resnet20-1 runs/resnet20-2", cli_compare},
    {"selftest", "[MODEL]", 0, 1, "cases op seed train data batch set size json device",
     "Checks every kernel on the device against plain C",
     "With --train MODEL a network makes the same 50 steps on all devices (or the one that is said) and in plain C,\n"
     "8 images each, and the largest differences of losses and weights are shown.\n"
     "  skipper selftest\n"
     "  skipper selftest --train identity",
     cli_selftest},
    {"bench", "[MODEL]", 0, 1, "batch accumulate optimizer precision set size mode steps layers peak trace json device",
     "Measures whole steps on random images that stay on the device",
     "A sample is as many steps as last 5 ms or longer; median and best of the samples are printed. --layers "
     "shows where the time goes: each layer's forward and backward work with the method chosen, its launches, "
     "GFLOP/s, the shares of what the device does at best, and sums by kind of work; of a step in micro-batches "
     "(--accumulate) one is shown. --peak, without a MODEL, measures that best anew; do so while the machine does "
     "nothing else.",
     cli_bench},
    {.name = NULL}};

const char cli_statuses[] =
    "0 done, 2 wrong usage, 3 data or model, 4 device, 5 numbers that are not finite, 6 files or disk, 1 other "
    "failures; 130, 143, 129 stopped by Ctrl-C, kill or a lost terminal, after saving";

static void print_usage(FILE *to) {
  fprintf(to, "Usage: skipper COMMAND [ARGUMENT...] [OPTION...]\n\n"
              "Trains residual networks on any OpenCL device.\n\n");
  for (const struct cli_command *k = cli_commands; k->name; k++)
    cli_wrap(to, CLI_HELP_COLUMNS, 12, "  %-9s %s\n", k->name, k->summary);
  fprintf(to, "\nOften used:\n"
              "  --data DIR          pictures or data files, or a built-in set: digits, shapes\n"
              "  --out DIR           the run's folder\n"
              "  --epochs N          how often each image is seen\n"
              "  --lr X              learning rate; skipper lr MODEL suggests one\n"
              "  --device gpu|cpu|…  as skipper devices lists them\n"
              "  --resume [DIR]      go on with a run\n"
              "\nskipper COMMAND --help shows all of a command's options, and the variables that\n"
              "stand for them: SKIPPER_EPOCHS=20 for --epochs 20.\n"
              "Begin with: skipper train identity\n");
  cli_wrap(to, CLI_HELP_COLUMNS, 0, "Exit status: %s.\n", cli_statuses);
}

static const struct cli_command *find(const char *name) {
  const struct cli_command *k = cli_commands;
  while (k->name && strcmp(k->name, name) != 0) k++;
  return k->name ? k : NULL;
}

/* What other trainers call the commands. */
static const struct {
  const char *theirs, *ours;
} synonyms[] = {{"test", "eval"},        {"val", "eval"},       {"valid", "eval"},     {"validate", "eval"},
                {"classify", "predict"}, {"detect", "predict"}, {"infer", "predict"},  {"inference", "predict"},
                {"finetune", "train"},   {"fit", "train"},      {"resume", "train"},   {"lr-find", "lr"},
                {"lr_find", "lr"},       {"info", "summary"},   {"benchmark", "bench"}};

static const char *nearest_command(const char *word) {
  const char *names[16];
  size_t n = 0;
  for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++)
    if (strcmp(word, synonyms[i].theirs) == 0) return synonyms[i].ours;
  for (const struct cli_command *k = cli_commands; k->name; k++) names[n++] = k->name;
  return cli_nearest(word, names, n);
}

static int unknown_command(const char *word) {
  const char *near = nearest_command(word);
  fprintf(stderr, "skipper: there is no command \"%s\".", word);
  if (near) fprintf(stderr, " Did you mean %s?", near);
  fprintf(stderr, "\nskipper --help lists the commands.\n");
  return 2;
}

/* Writes what is left of the results. What failed before that shows in ferror alone. */
static skp_status settle_output(skp_status status) {
  bool whole = !fflush(stdout) && !ferror(stdout);
  return whole || status != SKP_OK ? status : skp_fail(SKP_IO, "Cannot write to standard output.");
}

/* Lines after the first are set in: no name of a file with line ends in it passes for a line of ours. */
static void say_error(void) {
  for (const char *at = skp_error_message(); *at; at++) {
    fputc(*at, stderr);
    if (*at == '\n' && at[1] != ' ') fputs("  ", stderr);
  }
  fputc('\n', stderr);
}

/* By what a script may go on after a failure: a row a status; 1 where it can do nothing about it. */
static int code_of(skp_status status) {
  enum { FAILED = 1, WRONG_USAGE, BAD_DATA, DEVICE_FAILED, NOT_FINITE, FILES_FAILED };
  static const int codes[] = {
      [SKP_USAGE] = WRONG_USAGE,      [SKP_FORMAT] = BAD_DATA,      [SKP_SHAPE] = BAD_DATA,
      [SKP_MODEL] = BAD_DATA,         [SKP_UNSUPPORTED] = BAD_DATA, [SKP_NO_DEVICE] = DEVICE_FAILED,
      [SKP_DEVICE] = DEVICE_FAILED,   [SKP_BUILD] = DEVICE_FAILED,  [SKP_DEVICE_MEMORY] = DEVICE_FAILED,
      [SKP_DISK_FULL] = FILES_FAILED, [SKP_NUMERIC] = NOT_FINITE,   [SKP_IO] = FILES_FAILED,
  };
  const int code = (size_t)status < sizeof codes / sizeof *codes ? codes[status] : 0;
  return code ? code : FAILED;
}

/* Whether the run that goes on saved anything yet. Its files are whole at any time. */
static bool saved(const char *folder) {
  char path[4200];
  snprintf(path, sizeof path, "%s/state.safetensors", folder);
  return access(path, F_OK) == 0;
}

/* What hangs cannot be ended, so nothing is closed. */
void cli_hung(void *user, const char *text) {
  const struct cli *c = user;
  cli_speak_up();
  fprintf(stderr, "%sskipper %s: %s\n", c->progress.drawn ? "\n" : "", c->command->name, text);
  if (c->folder && saved(c->folder))
    skp_print(stderr, "What the run saved is whole: skipper train --resume %s goes on from there.\n", c->folder);
  skp_leave();
  _exit(code_of(SKP_DEVICE));
}

static int exit_status(const struct cli *c, skp_status status) {
  status = settle_output(status);
  if (c->signal) return 128 + c->signal;
  if (status == SKP_OK) return 0;
  fprintf(stderr, "skipper %s: ", c->command->name);
  say_error();
  const bool said = status == SKP_USAGE || status == SKP_NO_DEVICE || status == SKP_IO; /* it may be wrong */
  if (said && c->presets) skp_print(stderr, "The environment says %s.\n", c->presets);
  if (status == SKP_USAGE) fprintf(stderr, "skipper %s --help shows what it takes.\n", c->command->name);
  return code_of(status);
}

static int run(const struct cli_command *command, int argc, const char **argv) {
  struct cli c = {.program = argv[0], .command = command};
  bool help = false;
  skp_status status = cli_open_ranks(&c);
  cli_progress_start(&c.progress);
  if (status == SKP_OK) status = cli_parse(&c, argc - 1, argv + 1, &help);
  if (status == SKP_OK && help)
    cli_help(command, stdout);
  else if (status == SKP_OK && (status = cli_spare(&c)) == SKP_OK)
    status = command->run(&c);
  cli_progress_end(&c.progress);
  int code = exit_status(&c, status);
  cli_close_ranks(&c, status);
  cli_free(&c);
  fflush(NULL);
  if (status == SKP_DEVICE) { /* some drivers' own ending waits for the kernel that hangs */
    skp_leave();
    _exit(code);
  }
  return code;
}

/* What the program says about itself; `more` words follow. SKP_UNSUPPORTED: the word is none of these. */
static skp_status tell_about(const char *word, int more, const char *const *next) {
  const struct cli_command *about = more ? find(next[0]) : NULL;
  const bool help = !strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help");
  if (help && about)
    cli_help(about, stdout);
  else if (help)
    print_usage(stdout);
  else if (!strcmp(word, "--version"))
    printf("skipper %s\n", SKP_VERSION);
  else if (!strcmp(word, "--man"))
    cli_man(about, stdout);
  else if (!strcmp(word, "--completion"))
    return cli_completion(more ? next[0] : "", stdout);
  else if (!strcmp(word, "--complete"))
    cli_complete(next, more, stdout);
  else
    return SKP_UNSUPPORTED;
  return SKP_OK;
}

int main(int argc, char **argv) {
  cli_outlive_limits();
  cli_begin_json();
  if (cli_environment_host() != SKP_OK) {
    fprintf(stderr, "skipper: %s\n", skp_error_message());
    return 1;
  }
  const char *word = argc > 1 ? argv[1] : NULL;
  const struct cli_command *command = word ? find(word) : NULL;
  if (command) return run(command, argc, (const char **)argv);
  if (!word) {
    print_usage(stderr);
    return 2;
  }
  skp_status status = tell_about(word, argc - 2, (const char *const *)argv + 2);
  if (status == SKP_UNSUPPORTED) return unknown_command(word);
  status = settle_output(status);
  if (status == SKP_OK) return 0;
  fprintf(stderr, "skipper: %s\n", skp_error_message());
  return status == SKP_USAGE ? 2 : 1;
}
