/* run.h: the folder of one training run: config.json, log.jsonl, results.csv, last.safetensors, best.safetensors,
 * state.safetensors, step-N.safetensors, trace.json; layers.csv, where layers were measured.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_RUN_RUN_H
#define SKP_TRAIN_RUN_RUN_H

#include "io/events.h"
#include "io/log.h"
#include "train/checkpoint/state.h"
#include "train/evaluate/evaluate.h"
#include "train/run/siblings.h"

struct skp__run {
  const char *out;
  char *last, *best, *state; /* paths */
  struct skp_log *log, *table;
  struct skp_events *board; /* TensorBoard's; NULL: not wanted */
  FILE *lines;              /* receives the lines of the log, too; NULL: nowhere */
  const char *judge;        /* what an epoch's accuracy is of: "valid" or "test" */
  struct skp__aside own;    /* the folder, and the earlier run in it */
  struct skp__siblings siblings;
  bool begun;     /* the files in the folder are this run's */
  bool lost;      /* a log lacked what it held when the run went on: a state from before does not know */
  int64_t tested; /* where the log's line of the test begins; 0: there is none */
};

/* Creates the run folder and tries whether a run's files can be written there; `goes_on`: in place of earlier ones. */
skp_status skp__run_check(const char *out, const struct skp_model *m, bool goes_on);
/* Begins a run: sets an earlier one aside, and those beside it that are of another make, writes config.json and opens
 * the logs. Or goes on with the one that is there, from `at`: what its files hold of later steps goes. skp__run_close
 * also after a failure. */
skp_status skp__run_open(struct skp__run *run, struct skp_session *s, const struct skp_data *data,
                         const struct skp_train_options *o, const struct skp__position *at);
void skp__run_close(struct skp__run *run);
/* Whether a process works on the run in that folder. */
bool skp__run_going(const char *out);
/* When its last epoch was written, in ns since 1970; 0: none was. */
int64_t skp__run_written(const char *out);
/* Of a run that came to nothing: removes what it wrote, and moves earlier ones back. skp__run_close after it. */
void skp__run_forget(struct skp__run *run, FILE *say);

/* SKP_INTERRUPTED: why it ended after a step, and how it goes on. */
skp_status skp__run_interrupted(const struct skp__run *run, const char *why, int64_t step);

/* A step's line; an epoch's in both logs, which are flushed. accuracy < 0: nothing judged it. */
skp_status skp__run_step(struct skp__run *run, int64_t step, double loss, double lr, bool skipped);
/* Both logs reach the disk: a state that is written speaks of no lines that are not there. */
skp_status skp__run_flush(struct skp__run *run);
/* The position remembers how long both logs are, and which: what skp__run_back and a run that goes on need. */
skp_status skp__run_mark(const struct skp__run *run, struct skp__position *at);
/* The run went back from a step to where it is: both logs end where they did then, and a line says so. */
skp_status skp__run_back(struct skp__run *run, const struct skp__position *at, int64_t from);
struct skp__run_epoch {
  int64_t epoch, step;
  double train_loss, img_per_s, data_wait, seconds;
  double accuracy, top5, loss;
};
skp_status skp__run_epoch(struct skp__run *run, const struct skp__run_epoch *e);
/* The line of the test at the end. Where a run has one, what its position remembers of the log ends before it: one that
 * goes on for longer is tested at its new end, and its log has that line alone. */
skp_status skp__run_test(struct skp__run *run, const struct skp_eval_result *test);

/* The path of step-N.safetensors; free() it. */
skp_status skp__run_numbered(char **out, const struct skp__run *run, int64_t step);
/* Removes all of them but the latest `keep`, and those that are of a later step than `step`. */
void skp__run_prune(const struct skp__run *run, int64_t step, int64_t keep);

#endif
