/* run.h: the folder of one training run: config.json, log.jsonl, results.csv, last.safetensors, best.safetensors.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_RUN_H
#define SKP_TRAIN_RUN_H

#include "io/log.h"
#include "train/session.h"

struct skp__run {
  char *last, *best; /* paths */
  struct skp_log *log, *table;
};

/* Sets an earlier run aside, writes config.json and opens the logs. skp__run_close also after a failure. */
skp_status skp__run_open(struct skp__run *run, struct skp_session *s, const struct skp_source *train,
                         const struct skp_source *test, const struct skp_train_options *o);
void skp__run_close(struct skp__run *run);

/* A step's line; an epoch's in both logs, which are flushed. accuracy < 0: there is no test set. */
skp_status skp__run_step(struct skp__run *run, int64_t step, double loss, double lr);
struct skp__run_epoch {
  int64_t epoch, step;
  double train_loss, img_per_s, data_wait, seconds;
  double accuracy, top5, test_loss;
};
skp_status skp__run_epoch(struct skp__run *run, const struct skp__run_epoch *e);

#endif
