/* clip_norm.cl: by what the gradients g[n] are multiplied so that their norm is at most max_norm.
 * SPDX-License-Identifier: MIT
 *
 *   partial[c] = sum of g[i]² over the c-th CHUNK values
 *   scale = min(1, max_norm / (sqrt(sum of partial) + 1e-6)), and not a number where that is none
 *
 * A group of LANES work-items does a chunk, each of them WIDTH neighbouring values at a
 * time; one group adds up the chunks. */

#include "chunks.clh"

kernel void clip_norm_sums(global float *restrict partial, global const float *restrict g, int n) {
  SHARED float shared[LANES];
  const int begin = (int)get_group_id(0) * CHUNK, end = min(begin + CHUNK, n);
  int i = begin + (int)get_local_id(0) * WIDTH;
  FLOATS squares = (FLOATS)(0.0f);
  for (; i + WIDTH <= end; i += LANES * WIDTH) {
    const FLOATS v = LOAD(g + i);
    squares += v * v;
  }
  float part[WIDTH], sum = 0.0f;
  STORE(squares, part);
  for (int j = 0; j < WIDTH; j++) sum += part[j];
  for (; i < end; i++) sum += g[i] * g[i]; /* what WIDTH leaves of the last chunk: of one work-item */
  sum = sum_of_group(shared, sum);
  if (get_local_id(0) == 0) partial[get_group_id(0)] = sum;
}

kernel void clip_norm(global float *restrict scale, global const float *restrict partial, int chunks, float max_norm) {
  SHARED float shared[LANES];
  float sum = 0.0f;
  for (int c = (int)get_local_id(0); c < chunks; c += LANES) sum += partial[c];
  sum = sum_of_group(shared, sum);
  if (get_local_id(0) == 0) {
    const float fits = max_norm / (sqrt(sum) + 1e-6f);
    scale[0] = fits >= 1.0f ? 1.0f : fits;
  }
}
