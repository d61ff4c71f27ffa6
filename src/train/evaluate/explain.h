/* explain.h: which parts of an image a network's prediction rests on. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_EVALUATE_EXPLAIN_H
#define SKP_TRAIN_EVALUATE_EXPLAIN_H

#include "train/session/session.h"

/* Covers patch after patch of image number i of a source with its mean colour and asks again (Zeiler and Fergus 2014):
 * forward passes alone, on any device. *png is the image, grey: red where covering takes probability from the predicted
 * class, blue where it adds some. free() it. SKP_NUMERIC: the prediction is not finite. */
skp_status skp__explain(struct skp_session *s, const struct skp_source *source, int64_t i, int threads, void **png,
                        size_t *size);

#endif
