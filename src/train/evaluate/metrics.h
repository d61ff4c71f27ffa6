/* metrics.h: what a network's predictions are worth, and where it errs. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_EVALUATE_METRICS_H
#define SKP_TRAIN_EVALUATE_METRICS_H

#include "train/evaluate/evaluate.h"

/* Judges the logits of one image. A label of -1 is unknown: only the class is predicted then. Sums are in double. As in
 * the ops, the first of equal logits counts as the largest. Where a logit is not finite, no class is predicted (-1),
 * the label ranks behind all others, and loss and confidence are NaN. */
struct skp_prediction skp__prediction(const float *logits, int classes, int32_t label);

/* Makes logits probabilities, in place; false: not all of them are finite, and nothing was done. */
bool skp__softmax(float *logits, int n);

struct skp_class_report {
  int64_t images, predicted, right; /* that are of the class; that were taken for it; both */
  double precision, recall, f1;     /* right of predicted, right of images, their harmonic mean; NaN: there are none */
};

/* Where a network errs. Images without a label are left out, images without a predicted class count for their label
 * alone. */
struct skp_report {
  int classes;
  int64_t *confusion;                /* [label · classes + predicted]: images */
  struct skp_class_report *of_class; /* [classes] */
  int64_t *worst;                    /* numbers of images, the highest loss first */
  int64_t worsts;
  int64_t *confused; /* numbers of images: of each pair of classes that are mixed up most (pairs.h), the most frequent
                        pair first, those that were taken for the other class with the highest confidence */
  int64_t confuseds;
};
/* `most`: how many of the worst images are wanted. skp__report_free also after a failure. */
skp_status skp__report_create(struct skp_report *out, const struct skp_prediction *predictions, int64_t n, int classes,
                              int64_t most);
void skp__report_free(struct skp_report *r);

/* Names of classes; those beyond the list are called by their number. */
struct skp_class_names {
  char *const *at;
  int n;
};
/* Whether a report lists a class: a network may have more outputs than it has classes,
 * and nothing is to be said of those. */
bool skp__class_listed(const struct skp_report *r, const struct skp_class_names *names, int i);
const char *skp__class_name(const struct skp_class_names *names, int i, char *text, size_t size);

/* Writes confusion.csv, classes.csv, worst.csv and confused.csv into a folder, which is created.
 * `predictions` are those of the images of `source`. */
skp_status skp__report_write(const struct skp_report *r, const struct skp_prediction *predictions,
                             const struct skp_source *source, const struct skp_class_names *names, const char *folder);

#endif
