/* canary.h: devices that go bad later. Now and then a node of a real step is replayed in plain C with its real inputs.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_CANARY_H
#define SKP_TRAIN_CANARY_H

#include "backend/backend.h"
#include "plan/plan.h"

enum { SKP_CANARY_STEPS = 1000 }; /* from one replay to the next */

/* Whether a step of a training (from 1) has a replay: never where methods are trusted. */
bool skp__canary_due(const struct skp_backend *b, int64_t step);
/* As skp__plan_run, with the replay of a node, another in each such step, of those that cost little. SKP_DEVICE, with
 * the node, its op and its method, if it computed something else. */
skp_status skp__canary_run(struct skp_backend *b, struct skp_plan *p, int64_t step);

#endif
