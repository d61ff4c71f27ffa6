/* evaluate.h: what a network makes of images. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_EVALUATE_EVALUATE_H
#define SKP_TRAIN_EVALUATE_EVALUATE_H

#include "train/session/session.h"

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
 * classes}; predictions (may be NULL): {n}. The session's ranks share the images out, and all get all predictions;
 * logits are not to be had then. */
skp_status skp__evaluate(struct skp_session *s, const struct skp_source *source, int64_t batch, int threads,
                         struct skp_eval_result *out, float *logits, struct skp_prediction *predictions);
/* How many of n images are this rank's. */
int64_t skp__evaluate_own(const struct skp_session *s, int64_t n);
/* SKP_NUMERIC where no prediction that was to be judged is finite, with a text that goes on after it ("… at step
 * 7"). */
skp_status skp__evaluated(const struct skp_eval_result *result, const struct skp_source *source);

#endif
