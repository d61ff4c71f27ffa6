/* conv_sum.c: the last stage of convolutions: partial results added in a fixed order, statistics of the results.
 * SPDX-License-Identifier: MIT */
#include "backend/opencl/conv.h"

enum { DB_CHUNKS = 64, SIDE = 16 }; /* SIDE: of the groups that make statistics */

int64_t skp__conv_partial_bytes(const struct skp__conv *g, int chunks) {
  return 4 * (int64_t)chunks * (skp__conv_weights(g) + g->K);
}

/* COLUMNS of conv2d_sum.cl. */
static int columns_on(const struct skp__cl *cl) { return cl->cpu ? 16 : 1; }
static const char *options_on(const struct skp__cl *cl) { return cl->cpu ? "-DCOLUMNS=16" : ""; }

static skp_status sum(struct skp_prepared *p, int weights, int biases, int size, int chunks) {
  const struct skp__cl *cl = skp__cl_of(p);
  size_t global = (size_t)skp__ceil_div(weights + biases, columns_on(cl));
  return skp__cl_launch(p, "conv2d_sum", "conv2d_sum", options_on(cl), 1, &global, NULL,
                        SKP_ARGS(SKP_OUT(dw, 0), biases ? SKP_OUT(db, 1) : SKP_ABSENT(db), SKP_WORK(partial),
                                 SKP_INT(weights, weights), SKP_INT(biases, biases), SKP_INT(size, size),
                                 SKP_INT(chunks, chunks)));
}

static int channels_of(const struct skp_shape *s) { return (int)s->dim[s->rank - 1]; }

skp_status skp__conv_sum(struct skp_prepared *p, const struct skp__conv *g, int chunks, bool db) {
  return sum(p, skp__conv_weights(g), db ? g->K : 0, skp__conv_weights(g) + g->K, chunks);
}

/* `parts` 0: the results stand there. Small devices have groups of one work-item. */
static skp_status statistics(struct skp_prepared *p, const struct skp_sig *sig, int parts) {
  const struct skp__cl *cl = skp__cl_of(p);
  const struct skp__epilogue e = skp__epilogue_of(sig);
  const struct skp__statistics s = skp__statistics_of(sig);
  const bool small = cl->max_group < SIDE * SIDE || cl->local_memory < SIDE * SIDE * (int64_t)sizeof(float);
  const int side = small ? 1 : SIDE, K = channels_of(&sig->out[0]), pixels = (int)(skp__shape_count(&sig->out[0]) / K);
  const size_t local[] = {(size_t)side, (size_t)side};
  const size_t global[] = {skp__cl_round_up(K, side), (size_t)(skp__ceil_div(pixels, SKP_STATISTICS_PIXELS) * side)};
  char options[60];
  snprintf(options, sizeof options, "-DPIXELS=%d -DLANES=%d -DROWS=%d", SKP_STATISTICS_PIXELS, side, side);
  return skp__cl_launch(p, "conv2d_statistics", "conv2d_statistics", options, 2, global, local,
                        SKP_ARGS(SKP_OUT(y, 0), s.means, s.squares, SKP_WORK(partial), SKP__EPILOGUE(e),
                                 SKP_INT(pixels, pixels), SKP_INT(K, K), SKP_INT(chunks, parts),
                                 SKP_INT(want, s.want)));
}

skp_status skp__conv_statistics(struct skp_prepared *p, const struct skp_sig *sig) {
  return skp__statistics_of(sig).want ? statistics(p, sig, 0) : SKP_OK;
}

skp_status skp__conv_sum_results(struct skp_prepared *p, const struct skp_sig *sig, int parts) {
  if (skp__statistics_of(sig).want) return statistics(p, sig, parts);
  const struct skp__epilogue e = skp__epilogue_of(sig);
  const int n = (int)skp__shape_count(&sig->out[0]);
  const size_t global = (size_t)n;
  return skp__cl_launch(p, "conv2d_sum", "conv2d_results", "", 1, &global, NULL,
                        SKP_ARGS(SKP_OUT(y, 0), SKP_WORK(partial), SKP__EPILOGUE(e), SKP_INT(n, n),
                                 SKP_INT(K, channels_of(&sig->out[0])), SKP_INT(chunks, parts)));
}

skp_status skp__conv_finish(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct skp__epilogue e = skp__epilogue_of(sig);
  const int n = (int)skp__shape_count(&sig->out[0]);
  const size_t global = (size_t)n;
  if (!e.bits) return SKP_OK;
  return skp__cl_launch(
      p, "conv2d_sum", "conv2d_finish", "", 1, &global, NULL,
      SKP_ARGS(SKP_OUT(y, 0), SKP__EPILOGUE(e), SKP_INT(n, n), SKP_INT(K, channels_of(&sig->out[0]))));
}

skp_status skp__conv_columns(struct skp_prepared *p, const struct skp__conv *g, int offset, int size, int chunks,
                             int length) {
  const struct skp__cl *cl = skp__cl_of(p);
  size_t global[2] = {(size_t)skp__ceil_div(g->K, columns_on(cl)), (size_t)chunks};
  return skp__cl_launch(p, "conv2d_sum", "conv2d_columns", options_on(cl), 2, global, NULL,
                        SKP_ARGS(SKP_WORK(partial), SKP_IN(dy, 1), SKP_INT(offset, offset), SKP_INT(size, size),
                                 SKP_INT(rows, g->N * g->P * g->Q), SKP_INT(K, g->K), SKP_INT(length, length)));
}

skp_status skp__conv_db(struct skp_prepared *p, const struct skp__conv *g) {
  int rows = g->N * g->P * g->Q, length = (rows + DB_CHUNKS - 1) / DB_CHUNKS, chunks = (rows + length - 1) / length;
  skp__cl_need_workspace(p, 4 * (int64_t)chunks * g->K);
  SKP_TRY(skp__conv_columns(p, g, 0, g->K, chunks, length));
  return sum(p, 0, g->K, g->K, chunks);
}
