/* conv_tiled.c: convolution and its gradients through local memory, for GPUs. SPDX-License-Identifier: MIT */
#include "backend/opencl/conv.h"

enum {
  SIDE = 16,             /* work-items of a group along each side */
  ROWS = 4,              /* results of a work-item along pixels */
  CHUNK = 1024,          /* pixels that one partial weight gradient sums at most, if memory allows */
  LEAST_CHUNK = 128,     /* and at least */
  GROUPS_PER_UNIT = 8,   /* work-groups that a compute unit should have */
  MAX_PARTIAL = 1 << 25, /* floats in all partial results */
};

static const size_t square[3] = {SIDE, SIDE, 1};

/* Results of a work-item along output channels: few channels leave no work-item idle. */
static int columns_of(int channels) { return channels <= SIDE ? 1 : channels <= 2 * SIDE ? 2 : 4; }

static skp_status gather(struct skp_prepared *p, const struct skp__gather *g, const struct skp__epilogue *e) {
  int M = skp__gather_pixels(g), columns = columns_of(g->Co);
  size_t global[2] = {(size_t)(g->groups * skp__ceil_div(g->Co, SIDE * columns)) * SIDE,
                      (size_t)skp__ceil_div(M, SIDE * ROWS) * SIDE};
  char options[64];
  if (!M) return SKP_OK; /* a phase without positions */
  snprintf(options, sizeof options, "-DROWS=%d -DCOLUMNS=%d -DACROSS=%d", ROWS, columns, g->co_step == 1);
  return skp__cl_launch(p, "conv2d_tiled", "conv2d_tiled", options, 2, global, square,
                        SKP_ARGS(SKP_OUT(y, 0), SKP_IN(x, 0), SKP_IN(w, 1), SKP__EPILOGUE(*e), SKP_INT(M, M),
                                 SKP_INT(IH, g->IH), SKP_INT(IW, g->IW), SKP_INT(IC, g->IC), SKP_INT(OH, g->OH),
                                 SKP_INT(OW, g->OW), SKP_INT(OC, g->OC), SKP_INT(Ci, g->Ci), SKP_INT(Co, g->Co),
                                 SKP_INT(S, g->S), SKP_INT(tap_step, g->tap_step), SKP_INT(group_step, g->group_step),
                                 SKP_INT(ci_step, g->ci_step), SKP_INT(co_step, g->co_step), SKP__AXIS_INTS(h, g->h),
                                 SKP__AXIS_INTS(w, g->w)));
}

skp_status skp__conv_tiled(struct skp_prepared *p, const struct skp_sig *sig) {
  struct skp__conv conv = skp__conv_of(sig);
  struct skp__epilogue e = skp__epilogue_of(sig);
  struct skp__gather g = skp__gather_forward(&conv);
  SKP_TRY(gather(p, &g, &e));
  return skp__conv_statistics(p, sig);
}

skp_status skp__conv_tiled_dx(struct skp_prepared *p, const struct skp_sig *sig) {
  struct skp__conv conv = skp__conv_of(sig);
  struct skp__epilogue e = skp__epilogue_of(sig);
  for (int h = 0; h < conv.stride; h++)
    for (int w = 0; w < conv.stride; w++) {
      struct skp__gather g = skp__gather_dx(&conv, h, w);
      SKP_TRY(gather(p, &g, &e));
    }
  return SKP_OK;
}

skp_status skp__conv_tiled_dw(struct skp_prepared *p, const struct skp_sig *sig) {
  struct skp__conv g = skp__conv_of(sig);
  int M = g.N * g.P * g.Q, Kg = g.K / g.groups, columns = columns_of(Kg), weights = skp__conv_weights(&g);
  int across = g.groups * skp__ceil_div(Kg, SIDE * columns), down = skp__ceil_div(weights / g.K, SIDE * ROWS);
  int chunks = skp__ceil_div(skp__cl_of(p)->units * GROUPS_PER_UNIT, across * down),
      most = MAX_PARTIAL / (weights + g.K) + 1;
  if (chunks > skp__ceil_div(M, LEAST_CHUNK)) chunks = skp__ceil_div(M, LEAST_CHUNK);
  if (chunks < skp__ceil_div(M, CHUNK)) chunks = skp__ceil_div(M, CHUNK);
  if (chunks > most) chunks = most;
  int length = skp__ceil_div(M, chunks);
  chunks = skp__ceil_div(M, length);
  size_t global[3] = {(size_t)across * SIDE, (size_t)down * SIDE, (size_t)chunks};
  bool db = sig->out[1].rank > 0;
  char options[64];
  snprintf(options, sizeof options, "-DROWS=%d -DCOLUMNS=%d -DACROSS=1", ROWS, columns);
  skp__cl_need_workspace(p, skp__conv_partial_bytes(&g, chunks));
  SKP_TRY(skp__cl_launch(p, "conv2d_tiled", "conv2d_tiled_dw", options, 3, global, square,
                         SKP_ARGS(SKP_WORK(partial), SKP_IN(x, 0), SKP_IN(dy, 1), SKP_INT(length, length),
                                  SKP_INT(size, weights + g.K), SKP__CONV_INTS(&g))));
  if (db) SKP_TRY(skp__conv_columns(p, &g, weights, weights + g.K, chunks, length));
  return skp__conv_sum(p, &g, chunks, db);
}
