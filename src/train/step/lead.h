/* lead.h: what keeps weights the same where ranks' devices round differently: the first rank's become those of all.
 * SPDX-License-Identifier: MIT
 *
 * All ranks make the same update from the same gradients. On like devices that gives the same bits. On others a root or
 * a quotient differs in the last one, and as nothing brings such weights together again, they would drift apart. What
 * else is remembered of the other ranks, the moments, then decides nothing: no gradient depends on it. */
#ifndef SKP_TRAIN_STEP_LEAD_H
#define SKP_TRAIN_STEP_LEAD_H

#include "train/session/session.h"

/* Begins all zero. */
struct skp__lead {
  float *values; /* the parameters, on the host; NULL: none were handed out yet */
};
/* After an update is queued, which went as `status` says. Where nobody leads it is the status. */
skp_status skp__lead_step(struct skp__lead *l, struct skp_session *s, skp_status status);
/* The same of running averages, before they are judged. */
skp_status skp__lead_averages(struct skp_session *s);
void skp__lead_close(struct skp__lead *l);

#endif
