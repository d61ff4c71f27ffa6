/* exchange.h: what ranks that train together make of their parts of a step. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_STEP_EXCHANGE_H
#define SKP_TRAIN_STEP_EXCHANGE_H

#include "train/session/session.h"

/* Begins all zero. */
struct skp__exchange {
  struct {
    struct skp_buffer *buffer; /* the store's */
    int64_t n;
  } part[3];     /* gradients, the trial of the running statistics, the loss */
  float *values; /* all of them, one after the other, with room for sums; NULL: nothing was exchanged yet */
};
/* After the micro-batches of a step, before its update: gradients and loss become the sums of those in all ranks,
 * running statistics their means. `status` is how this rank's micro-batches went, `share` the fraction of the step's
 * images that it had. SKP_DEVICE_MEMORY in all ranks where it is so in one. Alone it is the status. */
skp_status skp__exchange(struct skp__exchange *x, struct skp_session *s, skp_status status, double share);
/* The same of a status alone. */
skp_status skp__exchange_agree(const struct skp_session *s, skp_status status);
void skp__exchange_close(struct skp__exchange *x);

#endif
