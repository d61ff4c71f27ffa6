/* skipper.h: the library. Open a device, load a network, make a session of both, then train, test and ask it.
 * SPDX-License-Identifier: MIT
 *
 *   device ─┐
 *   model ──┴─> session ──┬─ skp_train ── data
 *                         ├─ skp_evaluate, skp_predict, skp_predict_files
 *                         ├─ skp_session_export_onnx
 *                         └─ skp_session_save, skp_parameter_read, …
 *
 * skipper/run.h goes through a training step by step: what is going to happen, what a run at rest remembers.
 * skipper/tools.h looks closer: devices, pictures, costs, learning rates, self-tests.
 *
 * Errors. A function that can fail returns a skp_status; SKP_OK is 0. Then skp_error_message() says in whole sentences
 * what failed, where and what to do. What is given back through `out` is NULL after a failure. The library neither
 * prints nor ends the program.
 *
 * Ownership. What …_open, …_load, …_build and …_wrap make is the caller's, and goes with the matching …_close or
 * …_free, which take NULL too. A session needs its device and its model until it is closed, so close it first. Texts
 * that are given back as const char * belong to the object that was asked; texts that are handed in are copied unless
 * something else is said.
 *
 * Threads. Each object is used by one thread at a time, together with what it was made from: sessions that share a
 * device share its turn. Different devices (also the same hardware opened twice) may work in different threads.
 * skp_session_stop may be called from anywhere, a signal handler included. Errors are kept per thread.
 *
 * Numbers in texts, of recipes, model files and all that is written, have a point, whatever the user's language: the
 * program leaves LC_NUMERIC as "C", as it is unless setlocale is called. Where it has another sign, opening a device, a
 * model or a session is SKP_USAGE.
 *
 * Structs of options begin all zero: zero is the default of every field. NULL stands for a struct of zeros. */
#ifndef SKIPPER_SKIPPER_H
#define SKIPPER_SKIPPER_H

#include "skipper/status.h"
#include "skipper/version.h"
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- version ----------------------------------------------------------------------------------------------------- */

/* The version of the library that runs, "0.1.0"; SKP_VERSION is that of the header. While the first number is 0,
 * another second one may mean other functions and structs. Never NULL. */
SKP_API const char *skp_version(void);

/* ---- hearing of progress ----------------------------------------------------------------------------------------- */

/* What is being done: a piece of work that takes a while, a step of training, or the end of an epoch. Where the setting
 * on_nan is "rollback" and a run goes back, `step` falls: the steps after it are told of again. */
typedef struct {
  const char *doing;           /* "compiling kernels"; NULL: a step or an epoch */
  int64_t done, all;           /* pieces of that work; equal: it is over */
  int64_t step, epoch, epochs; /* steps done in the run; epochs closed before this one; those to come in all */
  int64_t step_in_epoch, steps_in_epoch;
  int64_t images_in_epoch;                /* so far */
  int first;                              /* 1: the first step of this training */
  double loss;                            /* of a step, before its update: mean over its images, natural logarithm */
  double seconds, img_per_s;              /* since the training began; of the epoch so far, 0: unknown */
  double data_wait;                       /* share of the epoch so far spent waiting for images */
  int epoch_done;                         /* 1: these are known, too */
  int by_validation;                      /* 1: the accuracy is of images held out for it, else of test images */
  double train_loss, accuracy, test_loss; /* accuracy 0 to 1; < 0: nothing judged it */
} skp_event;

/* Hears of the progress in the thread that works, once a step or more often. Another answer than 0 ends a training
 * after its present step. The event lives until it returns. It must not call functions of the session. */
typedef int (*skp_listener)(void *user, const skp_event *event);

/* From now on `listener` (NULL: nobody) hears of whatever takes a while in this thread; `user` is handed to it. */
SKP_API void skp_listen(skp_listener listener, void *user);

/* ---- devices ----------------------------------------------------------------------------------------------------- */

/* What holds for the whole process. The library reads no environment variables of its own: who wants some to count says
 * here, and in skp_device_options, what they stand for. */
typedef struct {
  const char *scratch; /* folder for temporary files; NULL: /tmp, /var/tmp or /dev/shm */
  /* Folder that keeps, of sets of 10 000 pictures and more, what their headers said, so that the next time only those
   * files are opened whose time or size has changed; 256 MiB at most; NULL: none does. */
  const char *index;
  const char *root;     /* stands for / where graphics chips are looked for, for tests; NULL: / */
  double probe_seconds; /* that a driver may take to list its devices; 0: 10 */
  /* How texts call what can be set or done: given "valid_split", an entry of the recipe, "max_seconds", a field of
   * options, or "skp_session_load", a function, the program says "--valid-split", "--max-time", "--init". What it gives
   * back lives as long as the process; any thread may ask. NULL: as it is called here. */
  const char *(*call)(const char *name);
} skp_host_options;

/* Call it first if at all: it counts for what is done afterwards, and the devices are listed once. */
SKP_API skp_status skp_host_set(const skp_host_options *options);

typedef struct skp_backend skp_device; /* an open device */

/* A device that an OpenCL driver lists. All texts live as long as the process. */
typedef struct {
  int platform, device;      /* indices: "P:D" names it */
  const char *name, *vendor; /* "cpu-haswell", "GenuineIntel" */
  const char *platform_name; /* "Portable Computing Language" */
  const char *driver, *type; /* its version; "GPU", "CPU" or "ACCELERATOR" */
  const char *version;       /* of OpenCL: "OpenCL 3.0 PoCL …" */
  const char *language;      /* of kernels: "OpenCL C 1.2 PoCL" */
  int units, clock_mhz;      /* compute units; their highest clock */
  int64_t memory, most;      /* bytes; those of one buffer at most */
  int64_t local_memory;      /* bytes that a work-group shares */
  int64_t max_group;         /* work-items in one */
  int fp16, fp64, subgroups; /* 1: it has them */
  int unified;               /* 1: its memory is the host's */
  int usable;                /* 0: it is not, see `why` */
  const char *why;           /* what stands against it; "": nothing */
} skp_device_info;

/* How many devices there are, usable or not. The first call loads the drivers, in a child process first, so that one
 * that crashes does no harm; the list then stays the same. 0 devices are no error. */
SKP_API skp_status skp_device_count(size_t *out);
/* Describes device i of these, from 0. SKP_USAGE if there is none of this number. */
SKP_API skp_status skp_device_describe(size_t i, skp_device_info *out);

typedef struct {
  const char *device;   /* "gpu", "cpu", "P:D" or a part of its name; NULL: the best */
  const char *platform; /* index or a part of its name; NULL: any */
  const char *backend;  /* "opencl", or "reference": plain C, slow, no driver; NULL: "opencl" */
  int threads;          /* of the CPU to use; 0: as the device decides */
  int64_t memory;       /* bytes to use at most; 0: all */
  const char *cache;    /* folder that keeps compiled kernels, 256 MiB at most; NULL: .cache/skipper in the user's home;
                           "": each process compiles anew. One that cannot be written is as if it were "" */
  const char *method;   /* "op=method,…" forces methods, for example "conv2d=direct"; NULL: the best that suit */
  const char
      *tune;      /* which methods are fastest here: NULL or "off": none is timed; "quick": some, in less than a second;
                           "full": all; see docs/performance.md */
  double timeout; /* seconds, awake, after which a wait on the device or a call into its driver counts as a hang; 0:
                           600. After skp_session_stop a tenth of it, 10 at least */
  int sync;       /* 1: wait after each launch, to learn which kernel fails or hangs */
  FILE *trace;    /* says which method each operation got; NULL: nowhere */
  FILE *report;   /* receives lines for people about what is wrong with device and driver; NULL: nowhere */
  /* Of so many processes on this machine, which open devices by the same options, number `place`, from 0: they take
   * different ones of a kind, or parts of a CPU. neighbours 0: it is alone. Another place is SKP_USAGE. */
  int place, neighbours;
  int trust; /* 1: methods are not compared with plain C, neither before they first run nor now and then */
  /* A wait that takes too long ends with SKP_DEVICE. A call into a driver that does not return cannot be ended: `hung`
   * (NULL: nobody) hears of it once, in a thread of the library, with a text that says what hangs. It may end the
   * process (skp_leave, _exit); what a run has saved is whole at any time. It must not open or close devices. */
  void (*hung)(void *user, const char *text);
  void *user;
} skp_device_options;

/* The number of the device that would be opened; of `options` only device and platform count. SKP_NO_DEVICE says what
 * there is, or what to install. */
SKP_API skp_status skp_device_choose(size_t *out, const skp_device_options *options);

/* Opens a device, see skp_device_choose. Kernels are compiled by child processes, which are forked here: open the
 * device before you start threads of your own. */
SKP_API skp_status skp_device_open(skp_device **out, const skp_device_options *options);
SKP_API void skp_device_close(skp_device *device);

typedef struct {
  char name[160];    /* the device */
  char driver[256];  /* platform and version */
  int64_t memory;    /* bytes that may be used */
  int64_t used;      /* bytes in use now, by this handle */
  int64_t most;      /* bytes of one buffer at most */
  int keeps_kernels; /* 1: compiled ones are stored for later processes */
} skp_device_state;

SKP_API void skp_device_ask(skp_device *device, skp_device_state *out);

/* ---- several processes ------------------------------------------------------------------------------------------- */

/* Processes, started by mpirun, each with a device of its own, that train one network together: see skp_training. */
typedef struct skp_api_ranks skp_ranks;

/* Begins MPI, unless the program has. `timeout`: seconds after which a process that does not answer counts as lost; 0:
 * 600. SKP_UNSUPPORTED: this library was built without MPI. */
SKP_API skp_status skp_ranks_open(skp_ranks **out, double timeout);
/* `status` is how it ended for this process: the others, which may wait for it, hear of a failure with its text. All
 * close together. */
SKP_API void skp_ranks_close(skp_ranks *ranks, skp_status status);

typedef struct {
  int rank, size;        /* which process, from 0; of how many */
  int place, neighbours; /* of those on this machine: see skp_device_options */
} skp_ranks_place;

SKP_API void skp_ranks_describe(const skp_ranks *ranks, skp_ranks_place *out);

/* ---- data -------------------------------------------------------------------------------------------------------- */

typedef struct skp_api_data skp_data; /* labelled images to train on, and some to test with */

/* To learn from; to judge each epoch by and choose the best one; to test with; the best of these to test with. */
typedef enum { SKP_TRAINING_IMAGES, SKP_VALIDATION_IMAGES, SKP_TEST_IMAGES, SKP_BEST_IMAGES } skp_part;

typedef struct {
  int to_test;         /* 1: the one part is opened that a trained network is tested with: test images; where there are
                          none, those for validation; where there are none either, the training images */
  int labelled;        /* 1: of these, one whose images have classes */
  int strict;          /* 1: the first damaged image of a folder ends what is done with them */
  int64_t max_damaged; /* how many are passed over; 0: 1 in 100, 5 at least */
  FILE *report;        /* lines for people about what was passed over; NULL: nowhere */
} skp_data_options;

/* Opens "digits" or "shapes", which are built in, or a folder: MNIST's IDX files, CIFAR's binary ones, or pictures, a
 * folder a class (README.md); "A + B" are two such sets as one. Images are read when they are needed; the files must
 * stay. SKP_FORMAT says what was looked for. */
SKP_API skp_status skp_data_open(skp_data **out, const char *name, const skp_data_options *options);

typedef enum {
  SKP_BYTES, /* uint8_t, 0 black to 255 white: scaled to the network's size and channels as pictures are */
  SKP_FLOATS /* float, 0 to 1 instead: taken as they are, so their size and channels must be the network's */
} skp_pixel_kind;

/* Images in memory: n × height × width × channels values without gaps, the channel's index running fastest (N×H×W×C).
 * Both kinds are normalised with the network's mean and std. Bytes have 1 channel (grey) or 3 (RGB); if the network
 * takes the other, they are converted. */
typedef struct {
  const void *values;
  skp_pixel_kind kind;
  int64_t n;
  int height, width, channels;
} skp_pixels;

/* Data in memory. `pixels` and `labels` ({n}, from 0 to classes - 1; -1: unknown) stay the caller's and must outlive
 * the data. `names` ({classes}) is copied; NULL: the classes are called "0", "1", … SKP_FORMAT for a label that is out
 * of range. */
SKP_API skp_status skp_data_wrap(skp_data **out, const skp_pixels *pixels, const int32_t *labels, int classes,
                                 const char *const *names);
/* Gives such data images to test with, in place of what was there. SKP_USAGE: they were opened by a name. */
SKP_API skp_status skp_data_wrap_test(skp_data *data, const skp_pixels *pixels, const int32_t *labels);
SKP_API void skp_data_close(skp_data *data);

/* By what name they were opened; "memory". */
SKP_API const char *skp_data_name(const skp_data *data);
/* How many images there are in a part. */
SKP_API int64_t skp_data_images(const skp_data *data, skp_part part);
/* How many classes are learned from it, and the name of one (NULL: there is none of this number). */
SKP_API int skp_data_classes(const skp_data *data);
SKP_API const char *skp_data_class_name(const skp_data *data, int i);
/* Writes lines about the images that were found damaged or missing since this was asked last: a text of at most `size`
 * bytes with the final zero (4000 will do), "" if none were. */
SKP_API void skp_data_damage(skp_data *data, char *text, size_t size);

/* ---- models ------------------------------------------------------------------------------------------------------ */

/* A network's shape, how it is trained, and what its classes are called; no weights. */
typedef struct skp_api_model skp_model;

typedef struct {
  const char *const *settings; /* "NAME=VALUE" …, NULL at the end: the model file's arguments */
  int size;                    /* side of the square input in pixels; 0: as the file says */
  int trained;                 /* 1: it must be a trained network, and no model file */
  const skp_data *learns;      /* not NULL: gives an argument `classes` that `settings` leave out its value */
  FILE *print_to;              /* receives what the file prints, and which weights of an ONNX file were taken; NULL:
                                  nowhere. It must stay open until the model's first skp_session_open or its end */
} skp_model_options;

/* Loads a model file (docs/models.md), a network that comes along, by name ("resnet18", "resnet20"), or a trained one:
 * a checkpoint of Skipper or the folder of a run, which fix settings and size, or an ONNX file, of which those weights
 * are taken that fit what `options` ask for. The file of a trained one stays in memory, as it was read, until the
 * model's first skp_session_open; later sessions read it again. SKP_MODEL and SKP_SHAPE name file and line. */
SKP_API skp_status skp_model_load(skp_model **out, const char *name, const skp_model_options *options);
/* Number i of the networks that come along, by name; NULL: there is none of this number. */
SKP_API const char *skp_model_known(size_t i);
/* The same from the text of a model file; `name` stands for its path. */
SKP_API skp_status skp_model_build(skp_model **out, const char *name, const char *text,
                                   const skp_model_options *options);
SKP_API void skp_model_free(skp_model *model);

/* An entry of the recipe, by the names and in the texts of the model file: "lr" "0.01", "optimizer" "adam", "epochs"
 * "3", "flip" "true", … It counts from the next training or test on. Another optimizer or schedule takes
 * back what the recipe says for the old one, so set it first. SKP_USAGE lists the entries. */
SKP_API skp_status skp_model_set(skp_model *model, const char *entry, const char *value);
/* Writes such an entry as a text of at most `size` bytes with the final zero (512 will do).
 * SKP_USAGE: there is none of this name. */
SKP_API skp_status skp_model_get(const skp_model *model, const char *entry, char *text, size_t size);

/* "resnet" */
SKP_API const char *skp_model_name(const skp_model *model);
/* What the network takes: size × size × channels; how many classes it tells apart. */
SKP_API int skp_model_size(const skp_model *model);
SKP_API int skp_model_channels(const skp_model *model);
SKP_API int skp_model_classes(const skp_model *model);
/* 1: it was loaded with weights, 0: they are to be drawn. */
SKP_API int skp_model_trained(const skp_model *model);
/* How many numbers are trained. */
SKP_API int64_t skp_model_parameters(const skp_model *model);
/* The name of class i: from the checkpoint, or from the data of the last training; else, or beyond them, NULL. Lives
 * until the next training. */
SKP_API const char *skp_model_class_name(const skp_model *model, int i);

/* A network put together by calls. Mistakes are told at the end: "NAME:3: …" is the third layer's. */
typedef struct skp_api_builder skp_builder;
typedef int skp_tensor; /* a value within it; images, or the output of a layer */
#define SKP_IMAGES 0    /* what comes in */

/* Begins a network that takes size × size × channels. */
SKP_API skp_status skp_build_begin(skp_builder **out, const char *name, int size, int channels);
/* Adds a layer that takes x: a name of docs/models.md, its numbers and its options, with blanks between: "relu",
 * "linear 10", "conv2d 16 kernel=3 padding=1 bias=false name=layer1.0.conv1". Without a name it has its number among
 * the layers with weights and without, as in PyTorch's nn.Sequential. */
SKP_API skp_tensor skp_build_layer(skp_builder *builder, skp_tensor x, const char *layer);
/* Adds one that takes several: "add", "mul", "concat". */
SKP_API skp_tensor skp_build_join(skp_builder *builder, const skp_tensor *x, int n, const char *layer);
/* Ends it: `logits` is its output, images × classes. The recipe is the usual one, see skp_model_set. The builder
 * goes, also after a failure; out NULL: nothing else is wanted. */
SKP_API skp_status skp_build_end(skp_model **out, skp_builder *builder, skp_tensor logits);

/* ---- sessions ---------------------------------------------------------------------------------------------------- */

typedef struct skp_api_session skp_session; /* a network's weights on a device */

/* Weights of a trained model are those of its checkpoint; else they are drawn from `seed` as PyTorch would. Several
 * sessions may share a model and a device. SKP_DEVICE_MEMORY says what does not fit. */
SKP_API skp_status skp_session_open(skp_session **out, skp_model *model, skp_device *device, uint64_t seed);
SKP_API void skp_session_close(skp_session *session);

/* Writes the weights, with all that rebuilds the network, into a safetensors file: PyTorch's names and layouts. The
 * file is replaced whole or not at all. SKP_NUMERIC if a weight is not finite; SKP_USAGE, SKP_MODEL: entries of the
 * recipe that contradict each other, as skp_model_check says, too. */
SKP_API skp_status skp_session_save(skp_session *session, const char *path);
/* Loads weights by name from a safetensors file, a run's folder, or what torch.save wrote. partly 0: if any is missing
 * or of another shape, nothing is loaded: SKP_SHAPE lists them. 1: those stay as they are, so that a network for other
 * classes can begin with these weights; SKP_SHAPE only if none fits. The model takes over the mean and the std of
 * pixels with which a network of Skipper was trained, unless skp_model_set said others. `report` receives a line about
 * each weight that does not fit (NULL: nowhere). */
SKP_API skp_status skp_session_load(skp_session *session, const char *path, int partly, FILE *report);

typedef struct {
  int opset;         /* version of ONNX's set of operators, 13 to 21; 0: 17 */
  int dynamic_batch; /* 1: the network takes any number of images; 0: one */
  int fold;          /* 1: batchnorms become part of the convolutions that they follow */
  int preprocessing; /* 1: it takes pixels from 0 to 255 (uint8) and normalises them itself; 0: normalised floats */
} skp_onnx_options;

/* Writes the network in evaluation as an ONNX file: "input", N×C×H×W, becomes "logits". The names of the classes, mean
 * and std are in its metadata. The file is replaced whole or not at all. `options` may be NULL. SKP_USAGE: the opset is
 * none of these. SKP_UNSUPPORTED: ONNX has no form for an operation, which is named, or the file would have more than
 * 2 GiB. SKP_NUMERIC if a weight is not finite; SKP_IO if the file cannot be written. */
SKP_API skp_status skp_session_export_onnx(skp_session *session, const char *path, const skp_onnx_options *options);

/* ---- single parameters ------------------------------------------------------------------------------------------- */

/* A weight, or a running statistic of a batchnorm, by PyTorch's name ("layer1.0.conv1.weight") and in its layout: {K,
 * C, R, S} of a convolution from C to K channels with an R × S window, {outputs, inputs} of a linear layer, the inputs
 * of one after flatten in the order C, H, W. */
typedef struct {
  const char *name; /* belongs to the session's model */
  int rank;
  int64_t dim[4]; /* [rank], the last index running fastest */
  int64_t count;  /* of its values */
  int trained;    /* 0: a running statistic */
} skp_parameter;

/* How many there are, and number i of them, in the order of the network; SKP_USAGE if there is none of this number. */
SKP_API size_t skp_parameter_count(const skp_session *session);
SKP_API skp_status skp_parameter_describe(const skp_session *session, size_t i, skp_parameter *out);
/* The one of that name; SKP_USAGE if there is none. */
SKP_API skp_status skp_parameter_find(const skp_session *session, const char *name, skp_parameter *out);
/* Copies its values; `count` must be theirs, else it is SKP_SHAPE. After a training with running averages (ema) those
 * are meant. */
SKP_API skp_status skp_parameter_read(skp_session *session, const char *name, float *values, int64_t count);
SKP_API skp_status skp_parameter_write(skp_session *session, const char *name, const float *values, int64_t count);

/* ---- training ---------------------------------------------------------------------------------------------------- */

/* Whether a network can learn from the data, without a device: SKP_SHAPE or SKP_FORMAT says why not. Training checks
 * it, too. */
SKP_API skp_status skp_data_check(const skp_data *data, const skp_model *model);

typedef struct {
  const char *out;  /* the run's folder, see README.md; an earlier run in it is moved aside. NULL: no file is written */
  const char *runs; /* where `out` is NULL: a folder, in which the run gets one of its own, MODEL-1, MODEL-2, … */
  int by_seed;      /* 1: the run's folder is seed-NUMBER in that one, which stands for all that are in it; those there
                       that differ from this one in more than their seeds are moved aside */
  int resume;       /* 1: go on with the run in `out`, which must have been as this one but for its limits */
  uint64_t seed;    /* of the images' order and of what chance does to them */
  int64_t max_steps;   /* updates; 0: no limit but the recipe's epochs */
  int no_steps;        /* 1: only the weights are written, as they are */
  double max_seconds;  /* 0: no limit */
  int in_stored_order; /* 1: images are not shuffled */
  int workers;         /* threads that load images; 0: as many as cores, 4 at most */
  int64_t save_epochs; /* save after so many epochs; and after so many steps, seconds (all 0: after each epoch) */
  int64_t save_steps;
  double save_seconds;
  int64_t keep;            /* how many of these stay, as step-NUMBER.safetensors */
  FILE *report;            /* lines for people about what is out of the ordinary; NULL: nowhere */
  FILE *lines;             /* log.jsonl's objects, a line each, after one that says what the run is; NULL: nowhere */
  const char *tensorboard; /* folder for TensorBoard's event files; "": in the run's; NULL: none */
  int64_t trace_steps;     /* so many steps after the first are traced, for Perfetto or Chrome; 0: none are … */
  const char *trace;       /* … into this file; NULL: trace.json in the run's folder */
  skp_ranks *ranks;   /* all of them train, in the same way, with the same data; each step's images are shared out among
                       them. The first one writes files and lines. NULL: this process trains alone */
  const char *shares; /* how many each has: "equal"; "measured", by the speed of the first steps; numbers, one a rank:
                         "3:1". NULL: "equal" where all have devices of one name, else "measured" */
} skp_training;

typedef struct {
  int64_t steps;   /* done by the run, earlier processes included */
  double accuracy; /* after the last epoch, 0 to 1; < 0: nothing was tested */
  /* Of the best weights, where the recipe holds out images to choose them by (valid_split) and `out` keeps them; else
   * below 0. */
  double test_accuracy;
  int by_validation;                            /* 1: held-out images judged each epoch, else test images */
  int64_t best_epoch;                           /* from 1; 0: there is none yet */
  double best;                                  /* its accuracy; where nothing judged it, minus its mean loss */
  int64_t epoch, step_in_epoch, steps_in_epoch; /* in which the training ended, from 1; steps of it that were done */
  double loss;                                  /* their mean */
} skp_outcome;

/* Trains as the model's recipe says, from the session's weights on. The optimizer begins afresh unless the run is
 * resumed. Afterwards the session holds the last weights (the best are in the run's folder), the model knows the names
 * of the classes, and its recipe's `data` is the name by which they were opened. `outcome` may be NULL.
 * SKP_INTERRUPTED: the listener, skp_session_stop or max_seconds ended it, after saving. SKP_NUMERIC: the loss is no
 * number any more; what was saved before is whole. SKP_DEVICE: the same, and the step, made again, shows that the
 * device did it; or the device failed. SKP_SHAPE: the data do not fit the network. */
SKP_API skp_status skp_train(skp_session *session, const skp_data *data, const skp_training *training,
                             skp_outcome *outcome);
/* Asks the training of this session that goes on, or else the next one, to end after its present step. A device that
 * hangs is waited for a shorter time from then on: see `timeout`. */
SKP_API void skp_session_stop(skp_session *session);

/* ---- testing and asking ------------------------------------------------------------------------------------------ */

typedef struct {
  double accuracy, top5; /* of the images with a label, 0 to 1 */
  double loss;           /* their mean cross-entropy, natural logarithm */
  double img_per_s;
  int64_t images;     /* looked at; damaged ones are not */
  int64_t unlabelled; /* of these without a label */
  int64_t unknown;    /* of these of a class that the network does not know */
  int64_t not_finite; /* predictions that were no finite numbers: wrong, and without a loss */
} skp_score;

typedef struct {
  int by_number;      /* 1: labels are numbers of the network's classes, whatever the classes are called */
  int workers;        /* threads that load images; 0: as many as cores, 4 at most */
  int64_t worst;      /* how many of the images with the highest loss the report lists */
  const char *folder; /* receives confusion.csv, classes.csv, worst.csv and confused.csv; NULL: nothing does */
  const char *logits; /* a safetensors file, which receives the logits {images, classes} and the labels {images}; then
                         it is no error if nothing can be judged. NULL: nothing does */
  FILE *report;       /* lines for people about what is out of the ordinary; NULL: nowhere */
} skp_testing;

/* Tests the network. Classes are matched by their names where the model knows names. The recipe's `batch` says how many
 * images go at once. Whether the files that are wanted can be written is tried first; where that fails in the end
 * (SKP_IO, SKP_DISK_FULL), the score and skp_session_report are there all the same. SKP_NUMERIC if no prediction is
 * finite; SKP_FORMAT if there are no images, or none with a label that it knows; SKP_SHAPE if no class goes by a name
 * that it knows. */
SKP_API skp_status skp_evaluate(skp_session *session, const skp_data *data, skp_part part, const skp_testing *testing,
                                skp_score *out);

/* Where the network errs. */
typedef struct skp_api_report skp_report;

/* Of the session's latest test, or of the images that judged its latest training, by its best weights; NULL: there is
 * none. It lives until the next of either. */
SKP_API const skp_report *skp_session_report(const skp_session *session);

typedef struct {
  const char *name;                 /* or its number */
  int listed;                       /* 0: the network has more outputs than there are classes; this is none */
  int64_t images, predicted, right; /* of it; taken for it; both */
  double precision, recall, f1;     /* right of predicted, right of images, their harmonic mean; NaN: there are none */
} skp_class_score;

/* How many outputs there are, and what is to be said of one; SKP_USAGE if there is none of this number. */
SKP_API int skp_report_classes(const skp_report *report);
SKP_API skp_status skp_report_class(const skp_report *report, int i, skp_class_score *out);
/* How many images of class `label` were taken for class `prediction`; both below skp_report_classes. */
SKP_API int64_t skp_report_confusion(const skp_report *report, int label, int prediction);

typedef struct {
  int64_t image;           /* its number */
  const char *name;        /* its file; "#7" where it has none */
  const char *label;       /* its class */
  const char *prediction;  /* the class it was taken for; NULL: the prediction was not finite */
  int right;               /* 1: it was told right */
  double loss, confidence; /* confidence: the probability of the prediction */
} skp_image_score;

/* How many images are listed, and number i of them, the highest loss first; SKP_USAGE if there is none. */
SKP_API int64_t skp_report_images(const skp_report *report);
SKP_API skp_status skp_report_image(const skp_report *report, int64_t i, skp_image_score *out);
/* The name of a class that the network does not know, though there are images of it; NULL: no more of them. */
SKP_API const char *skp_report_unknown(const skp_report *report, int i);

typedef enum {
  SKP_PROBABILITIES, /* of the classes: their sum is 1 */
  SKP_LOGITS         /* what the network says, before softmax */
} skp_prediction_kind;

/* Asks the network about images in memory. `predictions` receives n × classes floats, an image after the other. Where a
 * prediction is not finite the row is as the network gave it; SKP_NUMERIC if none is. */
SKP_API skp_status skp_predict(skp_session *session, const skp_pixels *pixels, skp_prediction_kind kind,
                               float *predictions);
/* The same for n picture files (JPEG, PNG, WebP, GIF, TIFF, BMP) of any sizes. SKP_IO names the first that cannot be
 * read; its row is NaN, the others are predicted all the same. */
SKP_API skp_status skp_predict_files(skp_session *session, const char *const *paths, size_t n, skp_prediction_kind kind,
                                     float *predictions);

/* ---- runs beside each other -------------------------------------------------------------------------------------- */

/* A folder with folders seed-1, seed-2, … stands for the runs in them, in all that follows. */

/* Writes one page in HTML about n runs' folders, which needs nothing but itself: curves, recipes, layers, classes that
 * are mixed up, pictures. SKP_IO if one is no run. */
SKP_API skp_status skp_runs_report(const char *const *folders, size_t n, const char *path);
/* What is written of them. */
typedef struct {
  const char *page;    /* that page; NULL: none */
  int reload;          /* 1: it loads itself again every few seconds, as is good while a run goes on */
  const char *figures; /* a folder that receives each of its figures as NAME.svg; NULL: none does */
  skp_device *why;     /* of each of the worst images the page shows on what its prediction rests, for which the run's
                          best weights are asked 145 times an image on this device; NULL: of none */
} skp_showing;

SKP_API skp_status skp_runs_show(const char *const *folders, size_t n, const skp_showing *what);
/* Whether any of them goes on just now: a process works on it. */
SKP_API int skp_runs_going(const char *const *folders, size_t n);
/* When an epoch of any of them was written last, in nanoseconds since 1970; 0: none was. */
SKP_API int64_t skp_runs_latest(const char *const *folders, size_t n);
/* Whether a path ends in the name of a file that a run writes into its folder: last.safetensors, log.jsonl, … */
SKP_API int skp_runs_file(const char *path);
/* Measures each layer in a step of each of them, of the size that it has in the run; skp_runs_show shows that from then
 * on. `report`: lines for people about what is out of the ordinary; NULL: nowhere. */
SKP_API skp_status skp_runs_time(const char *const *folders, size_t n, skp_device *device, FILE *report);
/* Prints what differs between their recipes, and their figures. SKP_USAGE: n is 0. SKP_IO: one is no run, or cannot be
 * read; SKP_FORMAT: its files are damaged. */
SKP_API skp_status skp_runs_compare(const char *const *folders, size_t n, FILE *to);

/* The best accuracies (0 to 1) of runs that differ in their seeds. */
typedef struct {
  int64_t runs; /* 0: nothing judged any */
  double median, mean;
  double half; /* of the interval around the mean in which 95 of 100 such means lie (Student); NaN: of one run */
  double least, most;
} skp_spread;

/* Of all of them that were judged. */
SKP_API skp_status skp_runs_spread(const char *const *folders, size_t n, skp_spread *out);

#ifdef __cplusplus
}
#endif
#endif
