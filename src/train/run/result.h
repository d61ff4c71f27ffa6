/* result.h: how a training run ended, for people. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_RUN_RESULT_H
#define SKP_TRAIN_RUN_RESULT_H

#include "train/evaluate/metrics.h"

struct skp_train_result {
  double accuracy,
      /* of the last epoch's weights; of the best ones on the test, where a valid set judged; -1: there is none */
      tested;
  double best;                    /* accuracy of the best weights; where nothing judged them minus their epoch's loss */
  int64_t best_epoch;             /* 0: there are none yet */
  int64_t epoch, step, steps;     /* that the run ended in, from 1; its steps so far, in all */
  double loss;                    /* their mean; without meaning where step is 0 */
  const struct skp_source *judge; /* whose images the report is about; NULL: there is no report */
  struct skp_report report;       /* of the best weights */
  struct skp_prediction *predictions;
};

/* Room for the predictions for so many images. skp__result_free also after a failure. */
skp_status skp__result_create(struct skp_train_result *r, int64_t images);
void skp__result_free(struct skp_train_result *r);
/* Writes where the best weights err (folder NULL: nowhere) and keeps it, and *predictions
 * with it; *predictions becomes other memory of the size. */
skp_status skp__result_report(struct skp_train_result *r, struct skp_prediction **predictions,
                              const struct skp_source *source, const struct skp_class_names *names, int classes,
                              const char *folder);

#endif
