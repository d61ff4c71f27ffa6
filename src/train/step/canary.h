/* canary.h: devices that go bad later. Now and then a node of a real step is replayed in plain C with its real inputs.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_STEP_CANARY_H
#define SKP_TRAIN_STEP_CANARY_H

#include "base/text.h"
#include "plan/plan.h"
#include "verify/replay.h"

enum { SKP_CANARY_STEPS = 1000 }; /* from one replay to the next */

/* Whether a step of a training (from 1) has a replay: never where methods are trusted. */
bool skp__canary_due(const struct skp_backend *b, int64_t step);
/* As skp__plan_run, with the replay of a node, another in each such step, of those that cost little. SKP_DEVICE, with
 * the node, its op and its method, if it computed something else. */
skp_status skp__canary_run(struct skp_backend *b, struct skp_plan *p, int64_t step);

/* Runs node n of a plan that was run up to there, and keeps what it read and made. */
skp_status skp__canary_take(struct skp_backend *b, struct skp_plan *p, size_t n, struct skp__replay *r);
/* Adds "Wrong results: DEVICE, DRIVER, skipper 1.0: step 7, node 3 of fc, linear 64×… by METHOD: TEXT". */
void skp__canary_line(struct skp__text *out, struct skp_backend *b, const struct skp_plan *p, size_t n, int64_t step,
                      const char *text);

#endif
