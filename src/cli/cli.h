/* cli.h: what the commands share: the table of commands, options, opening things. SPDX-License-Identifier: MIT */
#ifndef SKP_CLI_CLI_H
#define SKP_CLI_CLI_H

#include "skipper/run.h"
#include "skipper/tools.h"
#include <cjson/cJSON.h>
#include <stdbool.h>

/* Returns from the calling function with the status of `expr` unless it is SKP_OK. */
#define TRY(expr)                                                                                                      \
  do {                                                                                                                 \
    skp_status try_status_ = (expr);                                                                                   \
    if (try_status_ != SKP_OK) return try_status_;                                                                     \
  } while (0)

/* X(ID, name, short, argument, help): options that are no entries of a recipe. argument "": a switch. Those of a recipe
 * come from SKP_RECIPE_LIST. Which command takes which stands in the table of commands. */
#define CLI_OPTION_LIST(X)                                                                                             \
  X(OUT, "out", 'o', "DIR", "the run's folder (default: runs/MODEL-N); of report the page (report.html)")              \
  X(MAX_STEPS, "max-steps", 0, "N", "stop after N updates; 0: only write the initial weights")                         \
  X(MAX_TIME, "max-time", 0, "TIME", "stop after 90 (minutes), 45m, 10s or 1h30m; --resume goes on from there")        \
  X(RESUME, "resume", 0, "[DIR]", "go on with the run in DIR, or in --out DIR, or with the latest in runs")            \
  X(SAVE_EVERY, "save-every", 0, "WHEN", "save each 1epoch (default), 200steps or 5min")                               \
  X(KEEP, "keep", 0, "N", "keep the N latest of these as step-NUMBER.safetensors; default: 0")                         \
  X(SEED, "seed", 0, "N", "of the initial weights, the order of the images and their augmentation; default: 1")        \
  X(SEEDS, "seeds", 0, "N", "train N times, with seeds from --seed on, each in DIR/seed-NUMBER; report their spread")  \
  X(NO_SHUFFLE, "no-shuffle", 0, "", "take the images in stored order")                                                \
  X(NO_AUGMENT, "no-augment", 0, "", "no random crop, flip or anything else by chance")                                \
  X(STRICT, "strict", 0, "", "stop at the first damaged image; as --max-damaged 0")                                    \
  X(MAX_DAMAGED, "max-damaged", 0, "N", "damaged images that are passed over; default: 1 in 100, and 5 at least")      \
  X(INIT, "init", 0, "FILE", "begin with the weights of this file (safetensors, or PyTorch's .pth) or run, by name")   \
  X(SET, "set", 's', "NAME=VALUE", "give the model file an argument; may be repeated")                                 \
  X(WORKERS, "workers", 0, "N",                                                                                        \
    "threads that load and augment images; 0: a single one; default: as --threads, or the cores, 4 at most")           \
  X(SIZE, "size", 0, "PX", "side of the square input")                                                                 \
  X(REPORT, "report", 0, "DIR", "write confusion.csv, classes.csv, worst.csv and confused.csv into this folder")       \
  X(WORST, "worst", 0, "N", "images with the highest loss that are listed; default: 20")                               \
  X(CURVE, "curve", 0, "FILE", "where the curve goes, as CSV; default: lr.csv")                                        \
  X(TOP, "top", 'k', "K", "classes shown for each image; default: 3")                                                  \
  X(EXPLAIN, "explain", 0, "DIR", "write NUMBER-NAME.png of each image: red on what the prediction rests")             \
  X(INVERT, "invert", 0, "", "turn dark on light into light on dark first")                                            \
  X(LABELS, "labels", 0, "HOW",                                                                                        \
    "how the data's classes are told: name (default), or number: their order is that of the network's")                \
  X(LOGITS, "logits", 0, "FILE", "write the data set's logits and labels to this safetensors file")                    \
  X(MODE, "mode", 0, "MODE", "train (default) or eval")                                                                \
  X(STEPS, "steps", 0, "N", "samples timed; default: 20")                                                              \
  X(LAYERS, "layers", 0, "", "show the time of each layer too, slowest first; of report it is measured now")           \
  X(PEAK, "peak", 0, "", "measure what the device does at best, and keep it for --layers")                             \
  X(CASES, "cases", 0, "DIR", "run the cases in ops/*.safetensors below DIR, not generated ones")                      \
  X(OP, "op", 0, "NAME", "only this operation")                                                                        \
  X(TRAIN, "train", 0, "", "the same 50 steps of MODEL on all devices and in plain C")                                 \
  X(ONNX, "onnx", 0, "FILE", "the ONNX file to be written")                                                            \
  X(OPSET, "opset", 0, "N", "version of ONNX's set of operators, 13 to 21; default: 17")                               \
  X(DYNAMIC_BATCH, "dynamic-batch", 0, "", "the file takes any number of images at once, not one")                     \
  X(FOLD, "fold", 0, "", "batchnorms become part of the convolutions that they follow")                                \
  X(WITH_PREPROCESSING, "with-preprocessing", 0, "",                                                                   \
    "the file takes pixels from 0 to 255 (uint8) and normalises them")                                                 \
  X(TENSORBOARD, "tensorboard", 0, "[DIR]",                                                                            \
    "write event files for TensorBoard; default: tensorboard in the run's folder")                                     \
  X(LIVE, "live", 0, "", "write the page again after each epoch until the run is over; it reloads itself")             \
  X(FIGURES, "figures", 0, "DIR", "write each figure of the page as an SVG into this folder, too")                     \
  X(WHY, "why", 0, "", "the page shows on what the predictions of the worst images rest: 145 passes for each")         \
  X(TRACE, "trace", 0, "FILE", "write a trace of some steps, for Perfetto or Chrome")                                  \
  X(TRACE_STEPS, "trace-steps", 0, "N",                                                                                \
    "steps after the first to be traced, into RUN/trace.json or --trace FILE; default: 10")                            \
  X(SHARES, "shares", 0, "HOW",                                                                                        \
    "images of each process that mpirun started: equal, measured or 3:1; default: equal on devices of one kind")       \
  X(JSON, "json", 0, "", "print JSON for programs")                                                                    \
  X(PLATFORM, "platform", 0, "P", "OpenCL platform: index or part of its name")                                        \
  X(DEVICE, "device", 'd', "D", "device: gpu, cpu, P:D or a part of its name")                                         \
  X(BACKEND, "backend", 0, "NAME", "opencl (default) or reference")                                                    \
  X(THREADS, "threads", 0, "N", "threads of the CPU to use; default: as the device decides")                           \
  X(TUNE, "tune", 0, "HOW", "time which methods are fastest here: off (default), quick or full")                       \
  X(VERBOSE, "verbose", 'v', "", "say which method each operation got, and why not another")

typedef enum cli_option {
#define X(id, name, letter, argument, help) CLI_##id,
  CLI_OPTION_LIST(X)
#undef X
      CLI_OPTIONS
} cli_option;

struct cli_command;

/* What is on the terminal. */
struct cli_progress {
  bool terminal;
  double shown;                    /* when the last line was drawn */
  int drawn;                       /* letters of a line that is to be wiped */
  bool working;                    /* a piece of work goes on: */
  char doing[64];                  /* what was last told of */
  bool compiled;                   /* kernels, in this call */
  double compiling, heard;         /* seconds spent on them so far; when that was last told of */
  skp_device *device;              /* on which it is done; NULL: none yet */
  void (*after_epoch)(void *user); /* NULL: nothing more is said then */
  void *user;
};

enum { CLI_ENTRIES_MOST = 96 }; /* of a recipe */

/* A call of the program: what was said, and what was opened for it. */
struct cli {
  const char *program; /* as it was called */
  const struct cli_command *command;
  char *value[CLI_OPTIONS];       /* NULL: not said; "" for a switch */
  char *recipe[CLI_ENTRIES_MOST]; /* the same, by number of the recipe's entry */
  char **arguments, **settings;   /* settings: "NAME=VALUE"; NULL ends both */
  int n_arguments, n_settings;
  bool preset[CLI_OPTIONS + CLI_ENTRIES_MOST]; /* options, then entries, that the environment says, not the call */
  char *presets;                               /* "SKIPPER_LR=0.1, SKIPPER_JSON=1": these; NULL: none */
  skp_device *device;
  skp_model *model; /* of `run`, where that was at rest */
  skp_session *session;
  skp_data *data;
  skp_run *run;
  skp_ranks *ranks; /* of which this process is one; NULL: it is alone */
  struct cli_progress progress;
  const char *folder; /* of the run that goes on, if it writes files; NULL: none does */
  int signal;         /* that ended the command, after it saved; 0: none */
};

struct cli_command {
  const char *name, *arguments; /* "MODEL.lua" */
  int least, most;              /* how many arguments */
  const char
      *options; /* names with blanks between; "device" stands for those that choose one, "recipe" for all entries */
  const char *summary, *details; /* a line each, but for calls, which begin with two blanks */
  skp_status (*run)(struct cli *c);
};

/* The table; name NULL ends it. */
extern const struct cli_command cli_commands[];
/* The exit statuses, within a sentence. */
extern const char cli_statuses[];
#define CLI_COMMAND_LIST(X)                                                                                            \
  X(train) X(eval) X(predict) X(lr) X(devices) X(summary) X(export) X(report) X(compare) X(selftest) X(bench)
#define X(name) skp_status cli_##name(struct cli *c);
CLI_COMMAND_LIST(X)
#undef X

/* ---- main.c ----------------------------------------------------------------------------------------------------- */

/* A call into a driver does not return (see skp_device_options): says so, and leaves. */
void cli_hung(void *user, const char *text);

/* seeds.c: calls `train` once for each seed, closing what it opened in between, and tells of their spread. */
typedef skp_status cli_trainer(struct cli *c, skp_run_facts *facts);
skp_status cli_train_seeds(struct cli *c, int64_t n, cli_trainer *train);

/* selftest_train.c */
skp_status cli_selftest_train(struct cli *c, uint64_t seed);

/* ---- ranks.c ---------------------------------------------------------------------------------------------------- */

/* Where mpirun started this process and others, it becomes one of them, of which the first speaks for all. */
skp_status cli_open_ranks(struct cli *c);
/* `status`: how it ended here. */
void cli_close_ranks(struct cli *c, skp_status status);

/* ---- options.c -------------------------------------------------------------------------------------------------- */

/* Reads the words after the command. SKP_USAGE with a hint if they are wrong; *help is set if help was asked for. */
skp_status cli_parse(struct cli *c, int argc, const char **argv, bool *help);
void cli_help(const struct cli_command *command, FILE *to);
/* An option as help lists it; argument NULL: it is a switch. */
struct cli_option_row {
  const struct cli_command *command;
  const char *group, *name, *argument, *help;
  int place;   /* among the options, then the entries; CLI_OPTIONS + CLI_ENTRIES_MOST: neither */
  char letter; /* 0: none */
};
/* Tells of each option that a command takes, in the order of help. */
void cli_each_option(const struct cli_command *command, void (*tell)(void *user, const struct cli_option_row *o),
                     void *user);
void cli_free(struct cli *c);
/* The nearest of `n` words if it is near enough to be meant, else NULL. */
const char *cli_nearest(const char *word, const char *const *words, size_t n);

/* weight_decay to weight-decay, in `text`. */
const char *cli_dashed(char *text, size_t size, const char *name);
static inline bool cli_said(const struct cli *c, cli_option o) { return c->value[o]; }
/* The same by the call itself, not by the environment. */
static inline bool cli_typed(const struct cli *c, cli_option o) { return c->value[o] && !c->preset[o]; }
/* What was said of a recipe's entry; NULL: nothing. */
const char *cli_said_entry(const struct cli *c, const char *name);
bool cli_typed_entry(const struct cli *c, const char *name);
/* A whole number from least to most; `fallback` if it was not said. */
skp_status cli_int(const struct cli *c, cli_option o, int64_t *out, int64_t least, int64_t most, int64_t fallback);
/* The same of --seed, which may be larger. */
skp_status cli_seed(const struct cli *c, uint64_t *out, uint64_t most, uint64_t fallback);

/* ---- preset.c --------------------------------------------------------------------------------------------------- */

/* What the environment says of options that the call does not: SKIPPER_WEIGHT_DECAY of --weight-decay. SKP_USAGE: of a
 * switch something else than 1 or 0. */
skp_status cli_take_presets(struct cli *c);
/* The variable of a command's option; NULL: it has none. */
const char *cli_preset_name(char *text, size_t size, const struct cli_option_row *o);
/* How variables say a command's options, and which have none; then the variables' names. false: it has no variable. */
bool cli_preset_help(const struct cli_command *command, char *rule, char *names, size_t size);
enum { CLI_PRESET_HELP = 4096 }; /* a size that does */

/* ---- spare.c ---------------------------------------------------------------------------------------------------- */

/* SKP_USAGE where a file that is to be written is one that the command reads: a checkpoint, a run's. */
skp_status cli_spare(const struct cli *c);
/* The same of the data: a picture, a list. */
skp_status cli_spare_data(const struct cli *c, const char *data);

/* ---- call.c ----------------------------------------------------------------------------------------------------- */

/* What the library's texts call what can be set, see skp_host_options: "--weight-decay". */
const char *cli_call(const char *name);
/* "--out". */
const char *cli_option_text(cli_option option);

/* ---- environment.c ---------------------------------------------------------------------------------------------- */

/* What a variable says; NULL: nothing. The terminal's, and those of options, are asked for by name; the others: */
const char *cli_variable(const char *name);
/* Of each of Skipper's own variables that stand for no option: its name, and what it is for. */
void cli_each_variable(void (*tell)(void *user, const char *name, const char *help), void *user);
/* What they say of the process, and of the device to open, for options to say more. */
skp_status cli_environment_host(void);
/* Whether MPI started several processes of which this is one. */
bool cli_environment_ranks(void);
/* Seconds that something may take; 0: as the library has it. */
double cli_environment_timeout(void);
skp_status cli_environment_device(skp_device_options *out);

/* ---- measure.c -------------------------------------------------------------------------------------------------- */

/* Measures the devices that may be meant by these options, if there are several and one was not yet. */
skp_status cli_measure_devices(const struct cli *c, const skp_device_options *o);

/* ---- open.c ----------------------------------------------------------------------------------------------------- */

/* Which device is meant. */
skp_status cli_device_options(const struct cli *c, skp_device_options *out);
skp_status cli_open_device(struct cli *c);
/* Threads that load data, as the library takes them. */
skp_status cli_workers(const struct cli *c, int *out);
/* How images are opened that may be damaged; `out` holds what is so otherwise. */
skp_status cli_data_options(const struct cli *c, skp_data_options *out);

/* SKP_USAGE if the first argument is a trained network instead of a model file. */
skp_status cli_check_file(const struct cli *c);
/* The model file named by the first argument, with --set, --size and what was said of its recipe. */
skp_status cli_open_model(struct cli *c);
/* The same for a network that is to learn the recipe's data, and the data, if it names some. It gets as many classes as
 * they have, if its file takes their number and --set does not give it. */
skp_status cli_open_learner(struct cli *c);
/* The model of the checkpoint, or of the run, named by the first argument. */
skp_status cli_open_checkpoint_model(struct cli *c);
/* Device, model and weights of the checkpoint named by the first argument. */
skp_status cli_open_checkpoint(struct cli *c);
/* A session with first values from a seed, then what --init names. */
skp_status cli_open_session(struct cli *c, uint64_t seed);
/* What was said of the recipe, on top of the model's. */
skp_status cli_override_recipe(struct cli *c);
/* An entry of the recipe as a number, as a text. */
double cli_entry(const struct cli *c, const char *name);
const char *cli_entry_text(const struct cli *c, const char *name, char *text, size_t size);
/* Whether mean and std change pixels: 0 and 1 do not. */
bool cli_normalises(const struct cli *c);
/* The recipe's data, unless they are open or it names none. */
skp_status cli_open_data(struct cli *c, const skp_data_options *options);
/* What a trained network is to be tested with; `labelled`: images whose classes are known. */
skp_status cli_open_test(struct cli *c, bool labelled);
/* Says which images were damaged since this was asked last. */
void cli_say_damage(struct cli *c);

/* ---- limits.c --------------------------------------------------------------------------------------------------- */

/* Seconds that --max-time says; 0: it was not said. */
skp_status cli_max_time(const struct cli *c, double *seconds);
/* --save-every and --keep; *out holds what they are otherwise. */
skp_status cli_save_options(const struct cli *c, skp_training *out);

/* ---- print.c ---------------------------------------------------------------------------------------------------- */

/* Prints lines of which no row has more than `columns` letters (0: however many it has): they are broken at blanks, and
 * go on `indent` letters in. */
void cli_wrap(FILE *to, int columns, int indent, const char *format, ...) __attribute__((format(printf, 4, 5)));
enum { CLI_HELP_COLUMNS = 80 };
/* A text in fresh memory. */
skp_status cli_format(char **out, const char *format, ...) __attribute__((format(printf, 2, 3)));
skp_status cli_copy(char **out, const char *text);
/* Fresh zeroed memory. */
skp_status cli_alloc(void *out, size_t n, size_t size);

/* "device   cpu-haswell (PoCL 3.1)" */
void cli_say_device(struct cli *c);
/* Before any JSON is made: a lack of memory is noted. */
void cli_begin_json(void);
/* What cJSON_CreateObject or cJSON_CreateArray makes, where the call asks for JSON; else NULL: it asks for text. */
skp_status cli_create_json(const struct cli *c, cJSON **out, cJSON *(*create)(void));
/* Prints an object and frees it, or fails: all of its entries are there. */
skp_status cli_print_json(cJSON *object);
/* "7 992" */
const char *cli_grouped(char *text, size_t size, int64_t n);
/* A measured one: "71 057", "41.02" */
const char *cli_number(char *text, size_t size, double x);
/* "0.4840", "9.3e+15" */
const char *cli_loss(char *text, size_t size, double loss);
/* Letters of a text in UTF-8; the first `most` of them, marked where it goes on. */
int cli_letters(const char *text);
const char *cli_shortened(char *text, size_t size, const char *from, int most);
/* "12.3 MiB" */
const char *cli_bytes(char *text, size_t size, double bytes);

/* ---- peak.c ------------------------------------------------------------------------------------------------------ */

/* Measures the device and prints what it does at best. */
skp_status cli_bench_peak(struct cli *c);
/* The same peaks as entries of an object. */
void cli_add_peaks(cJSON *object, const skp_peaks *p);

/* ---- layers.c --------------------------------------------------------------------------------------------------- */

/* Prints where a step's time goes, or adds it to `object` if that is not NULL. */
skp_status cli_show_layers(const skp_speed *s, cJSON *object);

/* ---- progress.c ------------------------------------------------------------------------------------------------- */

/* Shows what the library tells until the end. A line is left on the terminal only while work goes on; who speaks in
 * between wipes it by the end of that work, or by cli_progress_end. */
void cli_progress_start(struct cli_progress *p);
void cli_progress_end(struct cli_progress *p);
/* Goes on behind an end: the next of several runs begins. */
void cli_progress_again(struct cli_progress *p);
/* Columns of the terminal that standard error is; 0: it is none. */
int cli_columns(const struct cli_progress *p);

#endif
