/* replay.h: one call of a real step, with its real values, against the op's plain C: of large calls a part.
 * SPDX-License-Identifier: MIT
 *
 *   open ─> read ranges of inputs ─> (the device runs the call) ─> read those of outputs ─> judge ─> close */
#ifndef SKP_VERIFY_REPLAY_H
#define SKP_VERIFY_REPLAY_H

#include "verify/case.h"
#include "verify/slice.h"

struct skp__replay {
  struct skp_sig sig; /* a copy */
  struct skp__slice slice;
  char **value; /* [inputs, outputs]: as large as the whole ones, of which the ranges are to be filled; NULL: absent */
};

skp_status skp__replay_open(struct skp__replay *r, const struct skp_sig *sig);
void skp__replay_close(struct skp__replay *r);
/* The part is to hold element `at` of output o. */
void skp__replay_hold(struct skp__replay *r, int o, int64_t at);
/* The bytes of value i (inputs first) that are wanted: without gaps, so perhaps more than the part needs. */
void skp__replay_range(const struct skp__replay *r, int i, int64_t *from, int64_t *bytes);
int64_t skp__replay_bytes(const struct skp__replay *r); /* all of them */
/* Results may be off by what rounding costs with these very values: what changes where each input is changed by as much
 * as float sums and the method (`tolerance`: its own, see backend.h) lose. Values that are not finite in plain C, too,
 * are another's business. */
skp_status skp__replay_judge(struct skp__verdict *out, const struct skp__replay *r, double tolerance);

#endif
