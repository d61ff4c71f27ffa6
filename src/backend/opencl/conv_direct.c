/* conv_direct.c: convolution and its gradients one result at a time, for any sizes. SPDX-License-Identifier: MIT */
#include "backend/opencl/conv.h"

enum { MAX_CHUNKS = 64, CHUNK_PIXELS = 512, MAX_PARTIAL = 1 << 26 /* floats */ };

skp_status skp__conv_direct(struct skp_prepared *p, const struct skp_sig *sig) {
  struct skp__conv g = skp__conv_of(sig);
  struct skp__epilogue e = skp__epilogue_of(sig);
  size_t global = (size_t)skp__shape_count(&sig->out[0]);
  SKP_TRY(skp__cl_launch(p, "conv2d_direct", "conv2d_direct", "", 1, &global, NULL,
                         SKP_ARGS(SKP_OUT(y, 0), SKP_IN(x, 0), SKP_IN(w, 1), SKP__EPILOGUE(e), SKP__CONV_INTS(&g))));
  return skp__conv_statistics(p, sig);
}

skp_status skp__conv_direct_dx(struct skp_prepared *p, const struct skp_sig *sig) {
  struct skp__conv g = skp__conv_of(sig);
  struct skp__epilogue e = skp__epilogue_of(sig);
  size_t global = (size_t)skp__shape_count(&sig->out[0]);
  return skp__cl_launch(p, "conv2d_direct", "conv2d_direct_dx", "", 1, &global, NULL,
                        SKP_ARGS(SKP_OUT(dx, 0), SKP_IN(dy, 0), SKP_IN(w, 1), SKP__EPILOGUE(e), SKP__CONV_INTS(&g)));
}

skp_status skp__conv_direct_dw(struct skp_prepared *p, const struct skp_sig *sig) {
  struct skp__conv g = skp__conv_of(sig);
  int rows = g.N * g.P, per_chunk = CHUNK_PIXELS / g.Q > 0 ? CHUNK_PIXELS / g.Q : 1;
  int most = MAX_PARTIAL / (skp__conv_weights(&g) + g.K) + 1;
  if (most > MAX_CHUNKS) most = MAX_CHUNKS;
  if (per_chunk < (rows + most - 1) / most) per_chunk = (rows + most - 1) / most;
  int chunks = (rows + per_chunk - 1) / per_chunk;
  size_t global[2] = {(size_t)(skp__conv_weights(&g) + g.K), (size_t)chunks};
  skp__cl_need_workspace(p, skp__conv_partial_bytes(&g, chunks));
  SKP_TRY(skp__cl_launch(
      p, "conv2d_direct", "conv2d_direct_dw", "", 2, global, NULL,
      SKP_ARGS(SKP_WORK(partial), SKP_IN(x, 0), SKP_IN(dy, 1), SKP_INT(rows, per_chunk), SKP__CONV_INTS(&g))));
  return skp__conv_sum(p, &g, chunks, sig->out[1].rank > 0);
}

skp_status skp__conv_direct_dw_parts(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct skp__conv g = skp__conv_of(sig);
  const int parts = sig->attrs.conv2d.parts, length = skp__ceil_div((int64_t)g.N * g.P * g.Q, parts);
  const size_t global[2] = {(size_t)skp__conv_weights(&g), (size_t)parts};
  return skp__cl_launch(
      p, "conv2d_direct", "conv2d_direct_dw_parts", "", 2, global, NULL,
      SKP_ARGS(SKP_OUT(parts, 0), SKP_IN(x, 0), SKP_IN(dy, 1), SKP_INT(length, length), SKP__CONV_INTS(&g)));
}
