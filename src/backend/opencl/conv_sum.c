/* conv_sum.c: the last stage of weight and bias gradients: partial results added in a fixed order. SPDX-License-Identifier: MIT */
#include "backend/opencl/conv.h"

enum { LOCAL = 64 };

int64_t skp__conv_partial_bytes(const struct skp__conv *g, int chunks) {
  return 4 * (int64_t)chunks * (skp__conv_weights(g) + g->K);
}

skp_status skp__conv_sum(struct skp_prepared *p, const struct skp__conv *g, int chunks, bool db) {
  int weights = skp__conv_weights(g);
  size_t local = LOCAL, global = skp__cl_round_up(weights + (db ? g->K : 0), LOCAL);
  return skp__cl_launch(p, "conv2d_sum", "conv2d_sum", "", 1, &global, &local, "o0 o1 w d d d d d", 0, weights,
                        db ? g->K : 0, weights + g->K, chunks);
}

skp_status skp__conv_db(struct skp_prepared *p, const struct skp__conv *g, int offset) {
  int rows = g->N * g->P * g->Q, chunks = rows < SKP__CONV_DB_CHUNKS ? rows : SKP__CONV_DB_CHUNKS;
  size_t local[2] = {LOCAL, 1}, global[2] = {skp__cl_round_up(g->K, LOCAL), (size_t)chunks};
  skp__cl_need_workspace(p, 4 * ((int64_t)offset + (int64_t)chunks * g->K));
  SKP_TRY(skp__cl_launch(p, "conv2d_sum", "conv2d_columns", "", 2, global, local, "w i1 d d d d", offset, rows, g->K,
                         (rows + chunks - 1) / chunks));
  return skp__cl_launch(p, "conv2d_sum", "conv2d_sum", "", 1, global, local, "o0 o1 w d d d d d", offset, 0, g->K, g->K,
                        chunks);
}
