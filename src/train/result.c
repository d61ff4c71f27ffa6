/* result.c: what a run leaves to be told: where its best weights err. SPDX-License-Identifier: MIT */
#include "train/result.h"
#include "base/array.h"
#include <stdlib.h>

skp_status skp__result_create(struct skp_train_result *r, int64_t images) {
  *r = (struct skp_train_result){.accuracy = -1, .tested = -1};
  return skp__alloc(&r->answers, (size_t)images, sizeof *r->answers);
}

skp_status skp__result_report(struct skp_train_result *r, struct skp_answer **answers, const struct skp_source *source,
                              const struct skp_class_names *names, int classes, const char *folder) {
  enum { WORST = 100 };
  struct skp_report report;
  skp_status status = skp__report_create(&report, *answers, source->n, classes, WORST);
  if (status == SKP_OK && folder) status = skp__report_write(&report, *answers, source, names, folder);
  if (status != SKP_OK) {
    skp__report_free(&report);
    return status;
  }
  struct skp_answer *others = r->answers;
  skp__report_free(&r->report);
  r->report = report;
  r->answers = *answers;
  r->judge = source;
  *answers = others;
  return SKP_OK;
}

void skp__result_free(struct skp_train_result *r) {
  skp__report_free(&r->report);
  free(r->answers);
  r->answers = NULL;
}
