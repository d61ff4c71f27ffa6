/* cli.h: what the commands share: the table of commands, options, opening things. SPDX-License-Identifier: MIT */
#ifndef SKP_CLI_CLI_H
#define SKP_CLI_CLI_H

#include "backend/backend.h"
#include "skipper/skipper.h"
#include "train/metrics.h"
#include <cjson/cJSON.h>

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
  X(NO_SHUFFLE, "no-shuffle", 0, "", "take the images in stored order")                                                \
  X(NO_AUGMENT, "no-augment", 0, "", "no random crop, flip or anything else by chance")                                \
  X(STRICT, "strict", 0, "", "stop at the first damaged image; as --max-damaged 0")                                    \
  X(MAX_DAMAGED, "max-damaged", 0, "N", "damaged images that are passed over; default: 1 in 100, and 5 at least")      \
  X(INIT, "init", 0, "FILE", "begin with the weights of this file (safetensors, or PyTorch's .pth) or run, by name")   \
  X(SET, "set", 's', "NAME=VALUE", "give the model file an argument; may be repeated")                                 \
  X(WORKERS, "workers", 0, "N",                                                                                        \
    "threads that load and augment images; 0: a single one; default: as --threads, or the cores, 4 at most")           \
  X(SIZE, "size", 0, "PX", "side of the square input")                                                                 \
  X(REPORT, "report", 0, "DIR", "write confusion.csv, classes.csv and worst.csv into this folder")                     \
  X(WORST, "worst", 0, "N", "images with the highest loss that are listed; default: 20")                               \
  X(CURVE, "curve", 0, "FILE", "where the curve goes, as CSV; default: lr.csv")                                        \
  X(TOP, "top", 'k', "K", "classes shown for each image; default: 3")                                                  \
  X(INVERT, "invert", 0, "", "turn dark on light into light on dark first")                                            \
  X(LABELS, "labels", 0, "HOW",                                                                                        \
    "how the data's classes are told: name (default), or number: their order is that of the network's")                \
  X(LOGITS, "logits", 0, "FILE", "write the data set's logits and labels to this safetensors file")                    \
  X(MODE, "mode", 0, "MODE", "train (default) or eval")                                                                \
  X(STEPS, "steps", 0, "N", "samples timed; default: 20")                                                              \
  X(LAYERS, "layers", 0, "", "show the time of each layer and launch too, slowest first")                              \
  X(CASES, "cases", 0, "DIR", "run the cases in ops/*.safetensors below DIR, not generated ones")                      \
  X(OP, "op", 0, "NAME", "only this operation")                                                                        \
  X(ONNX, "onnx", 0, "FILE", "the ONNX file to be written")                                                            \
  X(OPSET, "opset", 0, "N", "version of ONNX's set of operators, 13 to 21; default: 17")                               \
  X(DYNAMIC_BATCH, "dynamic-batch", 0, "", "the file takes any number of images at once, not one")                     \
  X(FOLD, "fold", 0, "", "batchnorms become part of the convolutions that they follow")                                \
  X(WITH_PREPROCESSING, "with-preprocessing", 0, "",                                                                   \
    "the file takes pixels from 0 to 255 (uint8) and normalises them")                                                 \
  X(TENSORBOARD, "tensorboard", 0, "[DIR]",                                                                            \
    "write event files for TensorBoard; default: tensorboard in the run's folder")                                     \
  X(JSON, "json", 0, "", "print JSON for programs")                                                                    \
  X(PLATFORM, "platform", 0, "P", "OpenCL platform: index or part of its name (SKIPPER_PLATFORM)")                     \
  X(DEVICE, "device", 'd', "D", "device: gpu, cpu, P:D or a part of its name (SKIPPER_DEVICE)")                        \
  X(BACKEND, "backend", 0, "NAME", "opencl (default) or reference (SKIPPER_BACKEND)")                                  \
  X(THREADS, "threads", 0, "N", "threads of the CPU to use; default: as the device decides")                           \
  X(VERBOSE, "verbose", 'v', "", "say which method each operation got, and why not another")

typedef enum cli_option {
#define X(id, name, letter, argument, help) CLI_##id,
  CLI_OPTION_LIST(X)
#undef X
      CLI_OPTIONS
} cli_option;

enum {
#define X(kind, field, fallback, least, most, help) +1
  CLI_RECIPE_FIELDS = 0 SKP_RECIPE_LIST(X)
#undef X
};

struct cli_command;

/* What is on the terminal. */
struct cli_progress {
  bool terminal;
  double shown;       /* when the last line was drawn */
  int drawn;          /* letters of a line that is to be wiped */
  const char *doing;  /* the work that was last told of; NULL: it is over */
  skp_device *device; /* on which it is done; NULL: none yet */
  bool compiled;      /* kernels, in this call */
};

/* A call of the program: what was said, and what was opened for it. */
struct cli {
  const struct cli_command *command;
  char *value[CLI_OPTIONS];              /* NULL: not said; "" for a switch */
  char *recipe[CLI_RECIPE_FIELDS];       /* the same, by field of the recipe */
  SKP_ARRAY(char *) arguments, settings; /* settings: "NAME\0VALUE" */
  SKP_ARRAY(struct skp_setting) set;     /* pieces of `settings` */
  struct skp_backend *backend;
  struct skp_model *model;
  struct skp_session *session;
  struct skp_labels labels;              /* of a checkpoint */
  struct skp_source *source[SKP_SPLITS]; /* by split: opened before the model, for cli_open_data to hand out */
  struct cli_progress progress;
  int signal; /* that ended the command, after it saved; 0: none */
};

struct cli_command {
  const char *name, *arguments; /* "MODEL.lua" */
  int least, most;              /* how many arguments */
  const char
      *options; /* names with blanks between; "device" stands for the five that choose one, "recipe" for all entries */
  const char *summary, *details;
  skp_status (*run)(struct cli *c);
};

/* The table; name NULL ends it. */
extern const struct cli_command cli_commands[];
#define CLI_COMMAND_LIST(X)                                                                                            \
  X(train) X(eval) X(predict) X(lr) X(devices) X(summary) X(export) X(report) X(compare) X(selftest) X(bench)
#define X(name) skp_status cli_##name(struct cli *c);
CLI_COMMAND_LIST(X)
#undef X

/* ---- options.c -------------------------------------------------------------------------------------------------- */

/* Reads the words after the command. SKP_USAGE with a hint if they are wrong; *help is set if help was asked for. */
skp_status cli_parse(struct cli *c, int argc, const char **argv, bool *help);
void cli_help(const struct cli_command *command, FILE *to);
/* An option as help lists it; argument NULL: it is a switch. */
struct cli_option_row {
  const char *group, *name, *argument, *help;
  char letter; /* 0: none */
};
/* Tells of each option that a command takes, in the order of help. */
void cli_each_option(const struct cli_command *command, void (*tell)(void *user, const struct cli_option_row *o),
                     void *user);
void cli_free(struct cli *c);
/* Adds NAME=VALUE to what --set says. Takes `text` over. */
skp_status cli_add_setting(struct cli *c, char *text);
/* The nearest of `n` words if it is near enough to be meant, else NULL. */
const char *cli_nearest(const char *word, const char *const *words, size_t n);

/* weight_decay to weight-decay, in `text`. */
const char *cli_dashed(char *text, size_t size, const char *name);
static inline bool cli_said(const struct cli *c, cli_option o) { return c->value[o]; }
/* What was said of a recipe's entry; NULL: nothing. */
const char *cli_said_entry(const struct cli *c, const char *name);
/* A whole number from least to most; `fallback` if it was not said. */
skp_status cli_int(const struct cli *c, cli_option o, int64_t *out, int64_t least, int64_t most, int64_t fallback);

/* ---- environment.c ---------------------------------------------------------------------------------------------- */

/* What a variable says; NULL: nothing. The terminal's are asked for by name; the others: */
const char *cli_variable(const char *name);
/* What they say of the process, and of the device to open, for options to say more. */
skp_status cli_environment_host(void);
skp_status cli_environment_device(skp_device_options *out);

/* ---- open.c ----------------------------------------------------------------------------------------------------- */

/* Which device is meant, by options or else the environment. */
skp_status cli_device_options(const struct cli *c, skp_device_options *out);
skp_status cli_open_backend(struct cli *c);
/* Where the first argument is a network's own name (resnet18), it becomes its file's and adds its settings; what --set
 * says stays. SKP_USAGE if it is a trained network. */
skp_status cli_find_model(struct cli *c);
/* The model file named by the first argument, with --set, --size and what was said of its recipe. */
skp_status cli_open_model(struct cli *c);
/* The same for a network that is to learn the recipe's data. It gets as many classes as they have, if its file takes
 * their number and --set does not give it. */
skp_status cli_open_learner(struct cli *c);
/* The model of the checkpoint, or of the run, named by the first argument. */
skp_status cli_open_checkpoint_model(struct cli *c);
/* First values from a seed, then what --init names. */
skp_status cli_init_weights(struct cli *c, uint64_t seed);
/* Backend, model and weights of the checkpoint named by the first argument. */
skp_status cli_open_checkpoint(struct cli *c);
/* What was said of the recipe, on top of the model's. */
skp_status cli_override_recipe(struct cli *c);
/* A data set that the model can learn from or, for that, be tested with; *out NULL if there are no test files. */
skp_status cli_open_data(struct cli *c, struct skp_source **out, skp_split split);
/* What a trained network is to be tested with: test images, or where there are none those for validation or the
 * training ones, said so; `labelled`: images whose classes are known. Labels are those of its own
 * classes; images of other classes are said (cli_say_unknown). SKP_FORMAT if there are no others. */
skp_status cli_open_test(struct cli *c, struct skp_source **out, bool labelled);
/* Says which classes a network does not know. */
void cli_say_unknown(const struct skp_source *s);
/* How many damaged images are borne, as skp__damage_bear takes it. */
skp_status cli_max_damaged(const struct cli *c, int64_t *most);
/* Says which images were damaged, those from number *said on; NULL is fine. */
void cli_say_damage(const struct skp_source *s, int64_t *said);
/* Threads that load data. */
skp_status cli_workers(const struct cli *c, int *out);

/* ---- resume.c --------------------------------------------------------------------------------------------------- */

/* The run that --resume means, and its model with what was said of the recipe. *dir is fresh memory. SKP_USAGE if the
 * model file or the settings that were given are not the run's. */
skp_status cli_open_resume(struct cli *c, struct skp_resume **out, char **dir);

/* ---- limits.c --------------------------------------------------------------------------------------------------- */

/* Seconds that --max-time says; 0: it was not said. */
skp_status cli_max_time(const struct cli *c, double *seconds);
/* --save-every and --keep; *out holds what they are otherwise. */
skp_status cli_save_options(const struct cli *c, struct skp_save_options *out);

/* ---- print.c ---------------------------------------------------------------------------------------------------- */

/* "cpu-haswell (PoCL 3.1)" */
void cli_say_device(struct cli *c);
/* Prints an object and frees it. */
skp_status cli_print_json(cJSON *object);
int64_t cli_count_parameters(const struct skp_graph *g);
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

/* ---- layers.c --------------------------------------------------------------------------------------------------- */

/* Times each launch of a plan that has run before, and prints it by layer, or adds it to
 * `object` if that is not NULL. */
skp_status cli_time_layers(struct skp_plan *plan, cJSON *object);

/* ---- progress.c ------------------------------------------------------------------------------------------------- */

/* Shows what the library tells until the end. A line is left on the terminal only while work goes on; who speaks in
 * between wipes it by the end of that work, or by cli_progress_end. */
void cli_progress_start(struct cli_progress *p);
void cli_progress_hear(void *user, const struct skp_progress *p);
void cli_progress_end(struct cli_progress *p);

#endif
