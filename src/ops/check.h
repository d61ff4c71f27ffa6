/* check.h: what shape inference of the ops has in common, and indexing for the references.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_OPS_CHECK_H
#define SKP_OPS_CHECK_H

#include "ops/op.h"

/* SKP_SHAPE with "OP: " in front of the text. */
skp_status skp__op_fail(const struct skp_sig *sig, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Input i is float32 and has this many dimensions. */
skp_status skp__check_rank(const struct skp_sig *sig, int i, int rank);
/* Input i has just this type; `because` says in the error text what fixes it ("one for each channel of x"). */
skp_status skp__check_shape(const struct skp_sig *sig, int i, struct skp_shape want, const char *because);
/* An optional input was not given; else `because` says why it does not belong ("momentum is 0"). */
skp_status skp__check_absent(const struct skp_sig *sig, int i, const char *because);
/* An attribute is at least `low`. */
skp_status skp__check_least(const struct skp_sig *sig, const char *name, int value, int low);
/* An attribute lies in [low, high]. */
skp_status skp__check_within(const struct skp_sig *sig, const char *name, double value, double low, double high);

/* The `flops` of ops that only move values. */
double skp__no_flops(const struct skp_sig *sig);

/* Infers with all maps widened to float32; the maps that come out are then of the type of those that go in. */
skp_status skp__narrow_infer(struct skp_sig *sig);

/* The same shape with elements of type int32. */
struct skp_shape skp__shape_i32(struct skp_shape s);

/* Position of element (a, b, c, d) of a rank-4 value. */
static inline int64_t skp__at(const struct skp_shape *s, int64_t a, int64_t b, int64_t c, int64_t d) {
  return ((a * s->dim[1] + b) * s->dim[2] + c) * s->dim[3] + d;
}

#endif
