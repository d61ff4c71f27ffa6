/* guard.c: what keeps numbers that are none out of what a network has learned. SPDX-License-Identifier: MIT
 *
 *   all_finite   new_broken = 0 where all of g and the loss are finite, else 1; sticky: and where broken is not 0
 *   commit       broken 0: new_y = x, else new_x = y
 *
 * An update with such a `broken` that is not 0 leaves all as it is. Statistics that a step changes on its way are a
 * trial x, which becomes the statistics y with the update, or goes back to them. */
#include "ops/check.h"
#include <math.h>

static const struct skp_attr attrs[] = {
    {"sticky", SKP_ATTR_BOOL, offsetof(struct skp_guard_attrs, sticky), 0, NULL},
    {0},
};

static skp_status infer_finite(struct skp_sig *sig) {
  SKP_TRY(skp__check_rank(sig, 0, sig->in[0].rank));
  SKP_TRY(skp__check_shape(sig, 1, skp__shape1(1), "one loss"));
  SKP_TRY(skp__check_shape(sig, 2, skp__shape1(1), "one for all of g"));
  sig->out[0] = sig->in[2];
  return SKP_OK;
}

static void reference_finite(const struct skp_call *call) {
  const float *g = call->in[0], *loss = call->in[1], *broken = call->in[2];
  bool bad = !isfinite(loss[0]) || (call->sig->attrs.guard.sticky && broken[0] != 0);
  for (int64_t i = 0; i < skp__shape_count(&call->sig->in[0]); i++) bad = bad || !isfinite(g[i]);
  *(float *)call->out[0] = bad;
}

static skp_status infer_commit(struct skp_sig *sig) {
  SKP_TRY(skp__check_rank(sig, 0, sig->in[0].rank));
  SKP_TRY(skp__check_shape(sig, 1, sig->in[0], "the shape of y"));
  SKP_TRY(skp__check_shape(sig, 2, skp__shape1(1), "one for all of y"));
  sig->out[0] = sig->out[1] = sig->in[0];
  return SKP_OK;
}

static void reference_commit(const struct skp_call *call) {
  const float *y = call->in[0], *x = call->in[1], *broken = call->in[2];
  float *new_y = call->out[0], *new_x = call->out[1];
  for (int64_t i = 0; i < skp__shape_count(&call->sig->in[0]); i++)
    if (broken[0] != 0)
      new_x[i] = y[i];
    else
      new_y[i] = x[i];
}

const struct skp_op skp__op_all_finite = {
    .name = "all_finite",
    .kind = SKP_KIND_UPDATE,
    .n_in = 3,
    .n_out = 1,
    .in = {{"g"}, {"loss"}, {"broken"}},
    .out = {{"new_broken"}},
    .alias = {3},
    .attrs = attrs,
    .infer = infer_finite,
    .reference = reference_finite,
};

const struct skp_op skp__op_commit = {
    .name = "commit",
    .kind = SKP_KIND_UPDATE,
    .n_in = 3,
    .n_out = 2,
    .in = {{"y"}, {"x"}, {"broken"}},
    .out = {{"new_y"}, {"new_x"}},
    .alias = {1, 2},
    .infer = infer_commit,
    .reference = reference_commit,
};
