/* train.h: a network on a device, and what one does with it: train, evaluate, predict, measure, save.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_TRAIN_H
#define SKP_TRAIN_TRAIN_H

#include "base/progress.h"
#include "data/damage.h"
#include "data/loader.h"
#include "io/safetensors.h"
#include "model/model.h"
#include "plan/plan.h"
#include <cjson/cJSON.h>
#include <stdatomic.h>

/* ---- session: the model's values on a backend, and plans for the batch sizes in use ------------------------------ */

struct skp_session;

/* `m` and `b` stay the caller's and must outlive the session. */
skp_status skp__session_create(struct skp_session **out, const struct skp_model *m, struct skp_backend *b);
void skp__session_destroy(struct skp_session *s);
/* The graphs that a network has, for N images. */
typedef enum skp_step {
  SKP_STEP_EVAL,  /* forward: logits that the host can read */
  SKP_STEP_TRAIN, /* forward, loss, gradients, update */
  SKP_STEP_MICRO, /* of a step in micro-batches: forward, loss, gradients, which are added up */
  SKP_STEP_UPDATE /* and its update; N does not count */
} skp_step;
skp_status skp__step_graph(struct skp_graph **out, const struct skp_model *m, int64_t N, skp_step step);
/* The same, of images that may come as bytes (data/loader.h). */
skp_status skp__step_graph_of(struct skp_graph **out, const struct skp_model *m, int64_t N, skp_step step, bool bytes);
/* The plan of such a graph, made at the first call, then kept. */
skp_status skp__session_plan(struct skp_session *s, struct skp_plan **out, int64_t N, skp_step step);
/* Gives the memory of all plans back; values stay. */
void skp__session_forget_plans(struct skp_session *s);
/* Initial values from a seed. */
skp_status skp__session_init(struct skp_session *s, uint64_t seed);
/* The host's copies of params and state, from the device (their averages where a run keeps them) and to it, where they
 * take the place of averages, too. */
skp_status skp__session_pull(struct skp_session *s, float **params, float **state);
skp_status skp__session_push(struct skp_session *s, const float *params, const float *state);
/* The values of one weight (skp__is_weight) of the model, in the layout of files. */
skp_status skp__session_read(struct skp_session *s, const struct skp_tensor *t, float *file);
skp_status skp__session_write(struct skp_session *s, const struct skp_tensor *t, const float *file);
/* What the update reads in step t (from 1). */
struct skp_hyper skp__session_hyper(const struct skp_recipe *recipe, double lr, int64_t t);

/* ---- checkpoints ------------------------------------------------------------------------------------------------- */

/* Weights as PyTorch names and lays them out (and num_batches_tracked for every batchnorm); in the metadata: "skipper"
 * (version), "model_name", "model_source", "settings" (JSON), "recipe" (JSON: all of it), "classes"
 * (JSON list), "data_kind" (as in skp_source, where there is one). */
struct skp_checkpoint_extra {
  const struct skp_setting *set;
  size_t sets;
  char **class_names;
  int classes;
  const char *kind; /* of the data: see skp_source */
  int64_t steps;    /* num_batches_tracked */
};
skp_status skp__checkpoint_save(const char *path, struct skp_session *s, const struct skp_checkpoint_extra *extra);
/* The same from values on the host, as skp__session_pull gives them, which are finite; SKP_NUMERIC: they are not. */
skp_status skp__checkpoint_write(const char *path, const struct skp_model *m, const struct skp_checkpoint_extra *extra,
                                 const float *params, const float *state);
skp_status skp__checkpoint_check(const struct skp_model *m, const float *params, const float *state);
/* Loads weights by name. `strict`: anything missing or of another shape is an error that lists it; else what did not
 * match is said in lines to `report` (NULL: nowhere). */
skp_status skp__checkpoint_load_weights(const char *path, struct skp_session *s, bool strict, FILE *report);
/* The same of a file that was read: skp__checkpoint_read. `path` is its name in errors. */
skp_status skp__checkpoint_take(const struct skp_st_file *file, const char *path, struct skp_session *s, bool strict,
                                FILE *report);
/* What a recipe takes on from a checkpoint of Skipper: the mean and the std of pixels with which it was trained. */
struct skp_inherit {
  struct skp_recipe *recipe;
  bool mean, std;
};
/* The same, not strict, for a run that begins with them; what was done is said in `report` (NULL: nowhere). */
skp_status skp__checkpoint_init(const struct skp_st_file *file, const char *path, struct skp_session *s,
                                const struct skp_inherit *pixels, FILE *report);
/* The file that a path means: itself, or in a run's folder its best weights, else its last ones. free() it. */
skp_status skp__checkpoint_path(char **out, const char *said);
/* Whether a path is the folder of a run with weights, or a file of weights, rather than a model file. */
bool skp__checkpoint_found(const char *path);
/* Reads that file, of whatever kind: see io/weights.h. */
skp_status skp__checkpoint_read(struct skp_st_file *out, const char *said);
/* Rebuilds the model from a checkpoint's metadata, and what it knows of its classes
 * (labels may be NULL; skp__labels_free). */
skp_status skp__checkpoint_model(struct skp_model **out, struct skp_labels *labels, const char *path);
/* At least the size of a checkpoint's file; of a run's state. */
int64_t skp__checkpoint_bytes(const struct skp_model *m);
int64_t skp__state_bytes(const struct skp_model *m);

/* ---- the loop ---------------------------------------------------------------------------------------------------- */

struct skp_data {
  const struct skp_source *train, *valid,
      *test; /* valid, if not NULL, judges each epoch; else test does, if not NULL */
};

struct
    skp_save_options { /* when last.safetensors and state.safetensors are written: one of the first three is above 0 */
  int64_t epochs, steps;
  double seconds;
  int64_t keep; /* the latest of them that stay as step-N.safetensors */
};

struct skp_train_options {
  const char *out; /* run folder, created; an earlier run in it is moved into OUT/earlier-N. NULL: no file is written */
  FILE *say;       /* lines for people; NULL: nowhere */
  FILE *lines;     /* receives the lines of log.jsonl, and first one that says what the run is; NULL: nowhere */
  const char *trace; /* a file that receives a trace of so many steps after the first; NULL: none does */
  int64_t trace_steps;
  const char *board; /* folder for TensorBoard's event files; NULL: none are written */
  uint64_t seed;
  int64_t max_steps;  /* -1: no limit */
  double max_seconds; /* of this process; 0: no limit */
  bool shuffle;
  int threads;         /* loader */
  int64_t max_damaged; /* images that may be damaged, as the data were opened; for the run to remember */
  struct skp_save_options save;
  struct skp_checkpoint_extra extra;
  const struct skp_resume *resume; /* the state of `out`, from which the run goes on; NULL: it begins */
  const atomic_int *stop;          /* becomes nonzero on Ctrl-C: finish the step, save, return SKP_INTERRUPTED */
};
/* Creates the run folder and tries whether a run's files can be written there; `goes_on`: in place of earlier ones. */
skp_status skp__run_check(const char *out, const struct skp_model *m, bool goes_on);
struct skp_train_result;
/* Trains as the model's recipe says and tells of each step and each epoch (base/progress.h). *out is how it ended, also
 * where it failed or was stopped: see result.h; skp__result_free. A run that fails before its first step is done leaves
 * no file. Writes log.jsonl, results.csv, config.json, last.safetensors, best.safetensors, state.safetensors. A step
 * that is not finite ends the run with SKP_NUMERIC, or SKP_DEVICE where the device is to blame, and leaves the last
 * good checkpoint, unless the recipe's on_nan has it left out or lets the run go back. */
skp_status skp__train(struct skp_session *s, const struct skp_data *data, const struct skp_train_options *o,
                      struct skp_train_result *out);

/* ---- going on with a run ----------------------------------------------------------------------------------------- */

struct skp_resume { /* DIR/state.safetensors */
  char *path;
  struct skp_model *model; /* with the run's recipe */
  struct skp_setting *set;
  size_t sets;
  uint64_t seed; /* these as in skp_train_options */
  int64_t max_steps;
  int64_t epochs; /* that it was to have */
  bool shuffle;
  int64_t max_damaged;
  char *data; /* where they lay, from the root of the file system; NULL: nowhere, or an earlier build did not say */
  struct skp_save_options save;
  struct skp_st_file file;
  cJSON *run, *position, *settings;
};
skp_status skp__resume_open(struct skp_resume **out, const char *dir);
void skp__resume_close(struct skp_resume *r); /* NULL is fine */
/* SKP_USAGE that lists the differences, if the run was another. Epochs, limits, saving
 * and where the data lie may differ. */
skp_status skp__resume_check(const struct skp_resume *r, const struct skp_model *m, const struct skp_data *data,
                             const struct skp_train_options *o);
/* *steps: how many the run has done if it has nothing left to do, else -1. */
skp_status skp__resume_finished(const struct skp_resume *r, const struct skp_recipe *recipe, int64_t max_steps,
                                int64_t *steps);
/* The name of the device that the run was on. */
const char *skp__resume_device(const struct skp_resume *r);

/* What the network makes of one image. */
struct skp_prediction {
  int32_t label;          /* -1: unknown, then rank and loss are 0 */
  int32_t predicted;      /* the class; -1: the logits are not all finite */
  int32_t rank;           /* of the label among the classes by their logits; 0: it was predicted */
  float loss, confidence; /* confidence: the probability of the predicted class */
};
struct skp_eval_result {
  double accuracy, top5, loss; /* of the images that have a label; 0 if none has */
  double img_per_s;
  int64_t n, unknown; /* images; those without a label */
  int64_t lost;       /* predictions that were no finite numbers: their labels count as missed, and no loss is known */
  int64_t judged;     /* images with a label and finite logits: if none, there are no figures */
};
/* As the recipe says, by one view of each image or the mean logits of several. logits (may be NULL): receives {n,
 * classes}; predictions (may be NULL): {n}. */
skp_status skp__evaluate(struct skp_session *s, const struct skp_source *source, int64_t batch, int threads,
                         struct skp_eval_result *out, float *logits, struct skp_prediction *predictions);
/* SKP_NUMERIC where no prediction that was to be judged is finite, with a text that goes on after it ("… at step
 * 7"). */
skp_status skp__evaluated(const struct skp_eval_result *result, const struct skp_source *source);

#endif
