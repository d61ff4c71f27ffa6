/* board.h: what TensorBoard is shown of a run. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_RUN_BOARD_H
#define SKP_TRAIN_RUN_BOARD_H

#include "io/events.h"
#include "train/session/session.h"

/* At the begin: the recipe as hyperparameters, and some images to train on, as they are stored. */
skp_status skp__board_begin(struct skp_events *to, const char *run, const struct skp_session *s,
                            const struct skp_source *train);
/* After an epoch: how weights are spread, and gradients of the latest step. */
skp_status skp__board_weights(struct skp_events *to, struct skp_session *s, int64_t step);

#endif
