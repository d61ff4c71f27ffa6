/* softmax_cross_entropy.c: the methods of the loss and its gradient on OpenCL. SPDX-License-Identifier: MIT
 *
 *   item    a work-item does a whole row: few classes, and CPUs
 *   lanes   the work-items of a group share a row: many classes
 *   plain   as item, in groups of one, which every device can run */
#include "backend/opencl/cl.h"
#include <stdio.h>

enum {
  GROUP = 64,         /* work-items */
  ITEM_CLASSES = 64,  /* of a row that one work-item should do at most */
  ONE_GROUP = 1 << 14 /* values of x that one group should do at most */
};

struct shape {
  int lanes, rows; /* of a group; powers of two */
};

static void options_of(char *text, size_t size, struct shape s, bool dloss, bool mixed) {
  snprintf(text, size, "-DLANES=%d -DROWS=%d -DDLOSS=%d -DMIXED=%d", s.lanes, s.rows, dloss, mixed);
}

/* Small losses take one launch by one group; larger ones a group for each few rows, and a launch that adds up. */
static skp_status loss(struct skp_prepared *p, const struct skp_sig *sig, struct shape s) {
  const int N = (int)sig->in[0].dim[0], K = (int)sig->in[0].dim[1];
  const int groups = (int64_t)N * K <= ONE_GROUP ? 1 : (N + s.rows - 1) / s.rows;
  char options[80];
  options_of(options, sizeof options, s, false, sig->in[2].rank > 0);
  size_t local[] = {(size_t)s.lanes, (size_t)s.rows}, global[] = {local[0], local[1] * (size_t)groups}, one = 1;
  SKP_TRY(skp__cl_launch(p, "softmax_cross_entropy", "softmax_cross_entropy", options, 2, global, local,
                         SKP_ARGS(groups == 1 ? SKP_OUT(partial, 0) : SKP_WORK(partial), SKP_IN(x, 0), SKP_IN(label, 1),
                                  SKP_IN(label2, 2), SKP_IN(lambda, 3), SKP_INT(N, N), SKP_INT(K, K),
                                  SKP_FLOAT(smoothing, sig->attrs.loss.label_smoothing))));
  if (groups == 1) return SKP_OK;
  skp__cl_need_workspace(p, (int64_t)groups * (int64_t)sizeof(float));
  return skp__cl_launch(p, "softmax_cross_entropy", "softmax_cross_entropy_sum", options, 1, &one, &one,
                        SKP_ARGS(SKP_OUT(loss, 0), SKP_WORK(partial), SKP_INT(groups, groups), SKP_INT(N, N)));
}

static skp_status gradient(struct skp_prepared *p, const struct skp_sig *sig, struct shape s) {
  const int N = (int)sig->in[0].dim[0], K = (int)sig->in[0].dim[1];
  char options[80];
  options_of(options, sizeof options, s, sig->in[2].rank > 0, sig->in[3].rank > 0);
  size_t local[] = {(size_t)s.lanes, (size_t)s.rows}, global[] = {local[0], skp__cl_round_up(N, s.rows)};
  return skp__cl_launch(p, "softmax_cross_entropy", "softmax_cross_entropy_dx", options, 2, global, local,
                        SKP_ARGS(SKP_OUT(dx, 0), SKP_IN(x, 0), SKP_IN(label, 1), SKP_IN(dloss, 2), SKP_IN(label2, 3),
                                 SKP_IN(lambda, 4), SKP_INT(N, N), SKP_INT(K, K),
                                 SKP_FLOAT(smoothing, sig->attrs.loss.label_smoothing)));
}

static const char *refuse_item(const struct skp__cl *cl, const struct skp_sig *sig) {
  if (!cl->cpu && sig->in[0].dim[1] > ITEM_CLASSES) return "many classes: the work-items of a group should share a row";
  return skp__cl_refuse_huge(cl, sig);
}

static const struct shape by_item = {1, GROUP}, by_lanes = {GROUP, 1}, by_one = {1, 1};

static skp_status item(struct skp_prepared *p, const struct skp_sig *sig) { return loss(p, sig, by_item); }
static skp_status lanes(struct skp_prepared *p, const struct skp_sig *sig) { return loss(p, sig, by_lanes); }
static skp_status plain(struct skp_prepared *p, const struct skp_sig *sig) { return loss(p, sig, by_one); }
static skp_status item_dx(struct skp_prepared *p, const struct skp_sig *sig) { return gradient(p, sig, by_item); }
static skp_status lanes_dx(struct skp_prepared *p, const struct skp_sig *sig) { return gradient(p, sig, by_lanes); }
static skp_status plain_dx(struct skp_prepared *p, const struct skp_sig *sig) { return gradient(p, sig, by_one); }

const struct skp__cl_method skp__cl_softmax_cross_entropy[] = {
    {"item", SKP_CL_ANY, refuse_item, item, 0},
    {"lanes", SKP_CL_GPU, skp__cl_refuse_huge, lanes, 0},
    {"plain", SKP_CL_ANY, skp__cl_refuse_huge, plain, 0},
    {0},
};
const struct skp__cl_method skp__cl_softmax_cross_entropy_dx[] = {
    {"item", SKP_CL_ANY, refuse_item, item_dx, 0},
    {"lanes", SKP_CL_GPU, skp__cl_refuse_huge, lanes_dx, 0},
    {"plain", SKP_CL_ANY, skp__cl_refuse_huge, plain_dx, 0},
    {0},
};
