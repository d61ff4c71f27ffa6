/* slice.h: inside verify: parts of a call, so that plain C need not calculate all of a large one.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_VERIFY_SLICE_H
#define SKP_VERIFY_SLICE_H

#include "verify/case.h"
#include "verify/letters.h"

/* The part of each extent from `from` on; whole ones begin at 0. */
struct skp__slice {
  struct skp__extents whole, from, count;
};

/* A part of a call that takes about so many operations, as far as the op's results fall apart: at the ends of extents,
 * where tiles end; of channels `least` at least. */
struct skp__slice skp__slice_of(const struct skp_sig *sig, double flops, int64_t least);
/* Moves it so that it holds element `at` of output o. */
void skp__slice_hold(struct skp__slice *slice, const struct skp_sig *sig, int o, int64_t at);
/* Which rows of value i, parts of its first extent, hold its part. */
void skp__slice_rows(const struct skp_sig *sig, int i, const struct skp__slice *slice, int64_t *from, int64_t *count);
/* The smaller call. skp__sig_free it. */
skp_status skp__slice_sig(struct skp_sig *out, const struct skp_sig *sig, const struct skp__slice *slice);
/* Copies the part of value i (inputs first) that is in the slice out of the whole. */
void skp__slice_cut(void *part, const void *whole, const struct skp_sig *sig, int i, const struct skp__slice *slice);

/* As skp__case_complete of node n, of the slice alone: what else there is of its results nobody knows, see
 * skp__case_unknown. */
skp_status skp__slice_complete(struct skp__case *c, size_t n, const struct skp__slice *slice);

#endif
