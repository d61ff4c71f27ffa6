/* run.h: a training run step by step, for programs that say what is going to happen before they open a device, and that
 * go on with runs at rest. skp_train does all of it at once. SPDX-License-Identifier: MIT
 *
 *   skp_run_begin  ─┐
 *   skp_run_resume ─┴─> skp_run_prepare ─> skp_run_describe ─> skp_run_train ─> skp_run_close
 *
 * What skipper.h says of errors, ownership and threads holds here, too. */
#ifndef SKIPPER_RUN_H
#define SKIPPER_RUN_H

#include "skipper/skipper.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct skp_api_run skp_run;

/* A run that begins. The model must stay until the run is closed. */
SKP_API skp_status skp_run_begin(skp_run **out, skp_model *model);

/* What is said of a run at rest; what is not said is as it was. */
typedef struct {
  const char *folder;          /* NULL: the one in `runs` that was saved last */
  const char *runs;            /* NULL: none can be looked for */
  const char *model;           /* model file or name: must be what the run began with */
  const char *const *settings; /* "NAME=VALUE" …, NULL at the end: must be those of the run */
  int size;                    /* must be that of the run; 0: it is */
  const char *data;            /* where its images are now; NULL: where they were, or the same path from here */
} skp_resumption;

/* Opens a run at rest. SKP_USAGE if it was another than is said; SKP_IO if its images are gone. */
SKP_API skp_status skp_run_resume(skp_run **out, const skp_resumption *said);
/* Its model, which a session is to be opened with; of a resumed run it belongs to the run. */
SKP_API skp_model *skp_run_model(skp_run *run);
/* How it was trained, to be changed and handed to skp_run_prepare, and how its data were opened: all zero in one that
 * begins. The texts in it belong to the run. */
SKP_API void skp_run_options(const skp_run *run, skp_training *training, skp_data_options *data);

/* Checks all that can be checked without a device, holds out images to judge by, and makes the folder. It goes again
 * when the run is closed before its first step. `data` must stay until then; NULL with no_steps. SKP_USAGE lists what
 * may not change in a resumed run; SKP_SHAPE: the data do not fit the network. */
SKP_API skp_status skp_run_prepare(skp_run *run, const skp_data *data, const skp_training *training);

/* Images in none of the classes that are learned, which test nothing. */
typedef struct {
  const char *name; /* of the data; of pictures their folder. NULL: there are none */
  int64_t images;
  int pictures; /* 1: they are some, which the network can be asked about */
} skp_unsorted;

/* What is going to happen. Texts belong to the run. */
typedef struct {
  const char *folder;          /* NULL: no file is written */
  const char *seeds;           /* by_seed: the folder that it is in; else NULL */
  int resumed;                 /* 1: it is */
  int64_t finished;            /* resumed: steps done, if nothing is left to do; else -1 */
  const char *device;          /* resumed: the one that it began on; else NULL */
  int64_t spanned;             /* resumed: epochs that its schedule spanned until now, if others; else 0 */
  int64_t frozen;              /* parameters that are left as they are */
  int64_t train, valid, test;  /* images; 0: there are none */
  int64_t whole;               /* that training and validation images were dealt from; 0: they are parts of their own */
  int unasked;                 /* 1: some are held out although the recipe leaves it open */
  int too_few;                 /* 1: none are, as no class has enough */
  int height, width, channels; /* of the images as they lie; height 0: they differ */
  int classes, without;        /* learned; of these, without images to train on */
  skp_unsorted unsorted[2];    /* in place of validation and test images */
  int64_t micro_batches;       /* of a process in a full step; 0: there are no steps */
  const char *remarks;         /* lines about network and data that people should know; "": none */
  char augmentation[512];      /* what chance does to the training images; "": nothing */
} skp_run_facts;

/* Afterwards. */
SKP_API void skp_run_describe(const skp_run *run, skp_run_facts *out);

/* Trains: see skp_train. The session is of the run's model. */
SKP_API skp_status skp_run_train(skp_run *run, skp_session *session, skp_outcome *outcome);
SKP_API void skp_run_close(skp_run *run);
/* For a process that ends before it trains: removes the folder that skp_run_prepare made, unless something lies in it.
 * A signal handler may call it; nothing else is to be done with the run then. */
SKP_API void skp_run_forget(skp_run *run);

#ifdef __cplusplus
}
#endif
#endif
