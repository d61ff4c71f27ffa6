/* tools.h: a closer look: what there is, what it costs, whether it is right. SPDX-License-Identifier: MIT
 *
 * What skipper.h says of errors, ownership and threads holds here, too. */
#ifndef SKIPPER_TOOLS_H
#define SKIPPER_TOOLS_H

#include "skipper/skipper.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- errors, and the process's end ------------------------------------------------------------------------------- */

/* Sets this thread's error text (as printf; whole sentences) and gives `status` back, for programs that hand their own
 * errors on like the library's. */
SKP_API skp_status skp_fail(skp_status status, const char *format, ...) SKP_PRINTF(2, 3);
/* Prints a line of JSON whatever bytes its strings hold, names of files for example: those that are no UTF-8 become
 * U+FFFD, what steers a terminal \u and four digits. */
SKP_API skp_status skp_print_json(FILE *to, const char *json);
/* Removes temporary files, for a process that ends by _exit: after SKP_DEVICE some drivers' own ending hangs. */
SKP_API void skp_leave(void);

/* ---- texts ------------------------------------------------------------------------------------------------------- */

/* 1: a text ends with these bytes. */
SKP_API int skp_text_ends(const char *text, const char *end);
/* 1: all of a text is a whole number in decimal digits, *out, and at most `most`; else *out stays. */
SKP_API int skp_text_digits(uint64_t *out, const char *text, uint64_t most);

/* ---- devices ----------------------------------------------------------------------------------------------------- */

/* A line about drivers that were left out and why; NULL: no more of them. Lives as long as the process. */
SKP_API const char *skp_device_note(size_t i);

/* A graphics chip in this machine that no driver lists. Texts live as long as the process. */
typedef struct {
  const char *name;    /* "AMD GPU 1002:73bf at 0000:03:00.0" */
  const char *why;     /* what it lacks: a part of a sentence */
  const char *remedy;  /* a command, or a variable to set */
  const char *package; /* what that command installs; "": nothing */
} skp_idle_gpu;

/* Number i of them; 0: there is none of this number. */
SKP_API int skp_device_idle_gpu(size_t i, skp_idle_gpu *out);

/* ---- names, models ----------------------------------------------------------------------------------------------- */

typedef enum {
  SKP_NAMES_NOTHING, /* as far as can be told */
  SKP_NAMES_NETWORK, /* a model file, or a network that comes along */
  SKP_NAMES_TRAINED, /* a checkpoint, or a run's folder */
  SKP_NAMES_ONNX,    /* an ONNX file: a trained network, or the layers of one that is to learn something else */
  SKP_NAMES_DATA     /* another folder, or a built-in set */
} skp_named;

/* What a name leads to. */
SKP_API skp_named skp_find_name(const char *name);

/* SKP_IO, SKP_FORMAT and the like unless this is what skp_session_load takes: a file of weights, by its first bytes, or
 * a run's folder with some. */
SKP_API skp_status skp_weights_check(const char *path);
/* 1: this is a run's folder that stands for last.safetensors in it, as there are no best weights yet: one with
 * best.safetensors stands for that. */
SKP_API int skp_weights_latest(const char *path);

/* What a model file says before it is known how many classes there are. */
typedef struct {
  char data[256];    /* the recipe's; "": none */
  int takes_classes; /* 1: the file has an argument `classes` */
} skp_model_head;

SKP_API skp_status skp_model_peek(const char *name, skp_model_head *out);

/* An entry of recipes. Texts live as long as the process. */
typedef struct {
  const char *name;  /* "weight_decay" */
  const char *kind;  /* "text", "int", "real", "bool" or "numbers" */
  const char *usual; /* its default */
  const char *help;  /* what it is for, not which words it takes */
} skp_entry;

/* Number i of them; 0: there is none of this number. */
SKP_API int skp_entry_describe(size_t i, skp_entry *out);
/* Number i of the words that an entry takes: "adam" of "optimizer"; NULL: it takes none of this number. It may take
 * other texts, too: paths, numbers. Lives as long as the process. */
SKP_API const char *skp_entry_choice(const char *entry, size_t i);
/* Whether the model's entries go together and fit the network; SKP_USAGE says which do not. Training and testing check
 * it, too. */
SKP_API skp_status skp_model_check(const skp_model *model);
/* Leaves all that chance does to training images at its default: nothing. */
SKP_API void skp_model_leave_images(skp_model *model);

/* ---- pictures ---------------------------------------------------------------------------------------------------- */

typedef struct skp_api_pictures skp_pictures;

typedef struct {
  int invert;   /* 1: dark becomes light */
  int workers;  /* as in skp_testing */
  FILE *report; /* lines for people about what is passed over in folders; NULL: nowhere */
} skp_picture_options;

/* Picture files, and those in the folders among the n paths, ordered by name; for a model's number of channels. */
SKP_API skp_status skp_pictures_open(skp_pictures **out, const skp_model *model, const char *const *paths, size_t n,
                                     const skp_picture_options *options);
SKP_API void skp_pictures_close(skp_pictures *pictures);
SKP_API size_t skp_pictures_count(const skp_pictures *pictures);

/* Known after skp_pictures_predict. Texts belong to the pictures. */
typedef struct {
  const char *path;  /* as the system has it: any bytes, see skp_print */
  const char *shown; /* the same in UTF-8, other bytes as \xHH */
  const char *error; /* why it cannot be read; NULL: it can */
  int dark_on_light; /* 1: most of it is light, as on paper */
  skp_status why;    /* the kind of the error: SKP_IO for a file that is not there, SKP_FORMAT for a damaged one, … */
} skp_picture;

SKP_API skp_status skp_pictures_describe(const skp_pictures *pictures, size_t i, skp_picture *out);
/* As skp_predict, for all of them, but that none is finite is no error, nor are files that cannot be read: their rows
 * are NaN. */
SKP_API skp_status skp_pictures_predict(skp_pictures *pictures, skp_session *session, skp_prediction_kind kind,
                                        float *predictions);

/* Writes a PNG that shows on which parts of picture i the prediction rests: the picture, grey, red where covering it
 * takes probability from the predicted class, blue where that adds some. 145 forward passes. */
SKP_API skp_status skp_pictures_explain(skp_pictures *pictures, skp_session *session, size_t i, const char *path);

/* ---- costs ------------------------------------------------------------------------------------------------------- */

typedef struct skp_api_costs skp_costs; /* of a model with its recipe's batch */

/* The model must stay, and its recipe as it is. */
SKP_API skp_status skp_costs_open(skp_costs **out, const skp_model *model);
SKP_API void skp_costs_close(skp_costs *costs);

typedef struct {
  const char *name, *operation; /* "layer1.0.0", "conv2d"; belong to the costs */
  int rank;
  int64_t output[4]; /* [rank]: images × height × width × channels, or images × features */
  int64_t parameters;
  double flops;  /* of the forward pass */
  int64_t bytes; /* of the output, which is kept until the backward pass; 0: it takes no room of its own */
  int idle;      /* 1: it leads nowhere: no prediction depends on it */
} skp_layer;

/* How many layers there are, and number i of them; SKP_USAGE if there is none of this number. */
SKP_API size_t skp_costs_layers(const skp_costs *costs);
SKP_API skp_status skp_costs_layer(const skp_costs *costs, size_t i, skp_layer *out);

/* Device memory in bytes that steps of one kind need. */
typedef struct {
  int possible; /* 0: some value is larger than any device takes at once, and nothing else is known */
  int64_t activations, parameters, gradients, moments, statistics, inputs, results;
  int64_t total, largest; /* all of these; the largest piece */
  double flops;           /* of a step */
  int64_t all;            /* total; of training, with what the evaluation beside it needs */
  int fits;               /* 1: the device has that */
  int64_t largest_batch;  /* that would fit where it does not; 0: not even one image */
} skp_need;

/* What a device would need for evaluation and for training as the recipe says. Methods are chosen for it, which takes a
 * while where kernels are to be compiled. device NULL: without their workspaces, and as if all fitted. */
SKP_API skp_status skp_costs_measure(skp_costs *costs, skp_device *device, skp_need *evaluation, skp_need *training);

/* ---- learning rates ---------------------------------------------------------------------------------------------- */

typedef struct skp_lr_point {
  double lr, loss, smooth; /* loss: the mean of some ramps; smooth: with the steps around */
} skp_lr_point;

typedef struct {
  const skp_lr_point *at; /* [n], with rising learning rates; belongs to the session until its next search */
  int64_t n;
  int diverged;      /* 1: it ended early, by a loss far above the lowest */
  int64_t lowest;    /* the step with the lowest smoothed loss before it climbs again */
  double suggestion; /* a learning rate; 0: the loss falls by no more than it strays */
} skp_lr_search;

typedef struct {
  uint64_t seed;      /* of the images' order */
  double first, last; /* learning rates; 0: 1e-7 and 10 */
  int64_t steps;      /* 0: 100 */
  int workers;        /* as in skp_testing */
  FILE *report;       /* lines for people about what is out of the ordinary; NULL: nowhere */
  const char *curve;  /* a CSV file that receives the steps; NULL: nothing does. Whether it can be written is tried
                         first; where that fails in the end (SKP_IO, SKP_DISK_FULL) the result is there all the same */
} skp_lr_options;

/* Trains a few times over with a learning rate that climbs, as the recipe says but for its schedule, until the loss
 * diverges (Smith 2017). The session's weights are as before afterwards. SKP_SHAPE: the data do not fit the network. */
SKP_API skp_status skp_find_lr(skp_session *session, const skp_data *data, const skp_lr_options *options,
                               skp_lr_search *out);

/* ---- speed ------------------------------------------------------------------------------------------------------- */

typedef struct {
  int evaluate;      /* 1: evaluation, 0: training */
  int64_t samples;   /* groups of steps that are timed, each of 5 ms or longer; 0: 20 */
  int layers;        /* 1: each launch is timed, too */
  const char *trace; /* a file that receives a trace of some more steps, for Perfetto or Chrome; NULL: none does */
  FILE *report;      /* lines for people about what is out of the ordinary; NULL: nowhere */
  const char
      *table; /* with layers: a CSV file that receives their times; a run's report shows layers.csv; NULL: none */
} skp_bench_options;

/* What a device does at best, in a second, by small kernels of Skipper's own; 0: it has no such thing, or that is not
 * known. */
typedef struct {
  double fma;                /* operations in float, a multiply-add being two */
  double narrow;             /* the same of products of bfloat16 with sums in float */
  double read, write, triad; /* bytes of memory: of sums over it, of what fills it, of a = b + s * c */
  double launch;             /* seconds that one takes, of many */
} skp_peaks;

/* Measures the device, which takes some seconds and is best done while the machine does nothing else, and keeps what
 * came of it in a text file beside its compiled kernels: there skp_bench finds it, which measures it where there is
 * none. `file` (may be NULL) receives its path, "" if nothing lasts. SKP_UNSUPPORTED, SKP_DEVICE_MEMORY: it cannot be
 * done. */
SKP_API skp_status skp_device_measure(skp_device *device, skp_peaks *out, char *file, size_t size);

/* What was measured so of device i of the list, without opening it: in the folder that the options' `cache` says; 0:
 * nothing; -1: that measuring it failed. Where it is known of all devices that may be meant, skp_device_open takes one
 * that is clearly faster than the best kind of them. */
SKP_API int skp_device_known(size_t i, const char *cache, skp_peaks *out);
/* *i: from *i on the first device of the list that is one of several which may be meant by these options, and was not
 * measured: it is, or is not, chosen for its kind alone. 0: there is none, or the options' `cache` keeps nothing, so
 * that it would be measured each time. */
SKP_API int skp_device_unmeasured(size_t *i, const skp_device_options *options);
/* Keeps of device i of the list that measuring it failed, which whoever tried that says: a driver may crash or hang
 * there. It counts as measured, and as neither faster nor slower than others, until its driver is another one or
 * skp_device_measure comes through. */
SKP_API skp_status skp_device_unmeasurable(size_t i, const char *cache);

enum { SKP_TIMING_ROUNDS = 7 }; /* a launch's time is the least of so many runs */

typedef struct {
  const char *name;
  double seconds;
} skp_launch_time;

/* A layer's forward or backward work, or the update of its weights. */
typedef struct {
  const char *layer, *operation, *method; /* "layer1.0.0", "conv2d_grad_weight", "winograd" */
  char shapes[256];                       /* "64×8×8×16, 3×3×16×32 -> 64×8×8×32" */
  double seconds, flops;                  /* of all its launches */
  const skp_launch_time *launches;
  size_t n_launches;
  char kind[64]; /* of work: "3×3 convolutions, data gradients" */
  double bytes;  /* of memory that must move at least */
  /* Shares of the peaks that the operations and the bytes took; 0: the peaks are not known. The larger is what limits
   * it. They are of what the operation nominally is: Winograd's methods multiply less often, and what lies in caches
   * moves no memory, so either may be more than 1. */
  double compute_share, memory_share;
} skp_layer_time;

typedef struct {
  double img_per_s, best_img_per_s; /* the median of the samples; the best one */
  double gflops;                    /* 10⁹ operations a second */
  double cold_start;                /* seconds from the start of the process to the end of the first step */
  double loss;                      /* of training, of the random images */
  int64_t batch, ops, launches;     /* images, operations and their launches a step */
  const skp_layer_time *layers;     /* the slowest first; of a step in micro-batches, those of one. They belong to the
                                       session until something else is done with it */
  size_t n_layers;
  skp_peaks peaks; /* of the device, if launches were timed and it can be measured */
} skp_speed;

/* Measures whole steps as the recipe says, on random images that stay on the device. The learning rate is 0. */
SKP_API skp_status skp_bench(skp_session *session, const skp_bench_options *options, skp_speed *out);

/* ---- self-test --------------------------------------------------------------------------------------------------- */

typedef struct {
  const char *cases; /* a folder with ops/OP.safetensors; NULL: cases are generated */
  const char *op;    /* only this operation; NULL: all */
  uint64_t seed;     /* of generated cases */
  int quick;         /* 1: a few of them */
  int json;          /* 1: `to` receives one JSON object, else lines */
  FILE *to;          /* must be given */
} skp_selftest_options;

/* Checks every kernel on the device against plain C; `passed` and `failed` count an operation of a case by one method
 * each. That some fail is no error: they are told to `to`. */
SKP_API skp_status skp_selftest(skp_device *device, const skp_selftest_options *options, int *passed, int *failed);

#ifdef __cplusplus
}
#endif
#endif
