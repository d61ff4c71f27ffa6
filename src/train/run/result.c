/* result.c: what a run leaves to be told: where its best weights err. SPDX-License-Identifier: MIT */
#include "train/run/result.h"
#include "base/array.h"
#include <stdlib.h>

skp_status skp__result_create(struct skp_train_result *r, int64_t images) {
  *r = (struct skp_train_result){.accuracy = -1, .tested = -1};
  return skp__alloc(&r->predictions, (size_t)images, sizeof *r->predictions);
}

skp_status skp__result_report(struct skp_train_result *r, struct skp_prediction **predictions,
                              const struct skp_source *source, const struct skp_class_names *names, int classes,
                              const char *folder) {
  enum { WORST = 100 };
  struct skp_report report;
  skp_status status = skp__report_create(&report, *predictions, source->n, classes, WORST);
  if (status == SKP_OK && folder) status = skp__report_write(&report, *predictions, source, names, folder);
  if (status != SKP_OK) {
    skp__report_free(&report);
    r->judge = NULL; /* what was told before is of other weights */
    return status;
  }
  struct skp_prediction *others = r->predictions;
  skp__report_free(&r->report);
  r->report = report;
  r->predictions = *predictions;
  r->judge = source;
  *predictions = others;
  return SKP_OK;
}

void skp__result_free(struct skp_train_result *r) {
  skp__report_free(&r->report);
  free(r->predictions);
  r->predictions = NULL;
}
