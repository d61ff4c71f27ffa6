/* exchange.h: what ranks that train together make of their parts of a step. SPDX-License-Identifier: MIT
 *
 *   begin ─> the last micro-batch: after each node … ─> exchange, while the device is still at it ─> the update */
#ifndef SKP_TRAIN_STEP_EXCHANGE_H
#define SKP_TRAIN_STEP_EXCHANGE_H

#include "train/session/session.h"

/* Begins all zero. */
struct skp__exchange {
  struct skp__exchanged {
    struct skp_buffer *buffer; /* the store's */
    int64_t from, n;           /* elements of it */
    float *at;                 /* on the host */
  } part[SKP_SPANS + 2];       /* the spans of the gradients, the trial of the running statistics, the loss */
  uint64_t ticket[SKP_SPANS];  /* when the device has finished a span, and it is on the host */
  struct skp_session *s;       /* whose spans are read as they are finished; NULL: nobody's */
  float *values;               /* of all parts, with room for sums; NULL: nothing was exchanged yet */
};
/* The last micro-batch that this rank has of a step comes next. */
skp_status skp__exchange_begin(struct skp__exchange *x, struct skp_session *s);
/* Node n of a plan is queued: if it finishes a span, the span's way to the host is, too. */
skp_status skp__exchange_after(struct skp__exchange *x, struct skp_plan *p, size_t n);
/* After the micro-batches of a step are queued, before its update: gradients and loss become the sums of those in all
 * ranks, running statistics their means. `status` is how this rank's micro-batches went, `share` the fraction of the
 * step's images that it had. SKP_DEVICE_MEMORY in all ranks where it is so in one. Alone it is the status. */
skp_status skp__exchange(struct skp__exchange *x, struct skp_session *s, skp_status status, double share);
/* The same of a status alone. */
skp_status skp__exchange_agree(const struct skp_session *s, skp_status status);
void skp__exchange_close(struct skp__exchange *x);

#endif
