/* clip_norm.cl: by what the gradients g[n] are multiplied so that their norm is at most max_norm.
 * SPDX-License-Identifier: MIT
 *
 *   partial[c] = sum of g[i]² over the c-th CHUNK values
 *   scale = min(1, max_norm / (sqrt(sum of partial) + 1e-6)), and not a number where that is none
 *
 * A group of LANES work-items does a chunk, each of them WIDTH neighbouring values at a
 * time; one group adds up the chunks. */

#define TERM(v) ((v) * (v))
#include "chunks.clh"

kernel void clip_norm_sums(global float *restrict partial, global const float *restrict g, int n) {
  SHARED float shared[LANES];
  const float sum = sum_of_chunk(shared, g, n);
  if (get_local_id(0) == 0) partial[get_group_id(0)] = sum;
}

kernel void clip_norm(global float *restrict scale, global const float *restrict partial, int chunks, float max_norm) {
  SHARED float shared[LANES];
  const float sum = sum_of_chunks(shared, partial, chunks);
  if (get_local_id(0) == 0) {
    const float fits = max_norm / (sqrt(sum) + 1e-6f);
    scale[0] = fits >= 1.0f ? 1.0f : fits;
  }
}
