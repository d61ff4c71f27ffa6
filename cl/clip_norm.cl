/* clip_norm.cl: by what the gradients g[n] are multiplied so that their norm is at most max_norm.
 * SPDX-License-Identifier: MIT
 *
 *   partial[c] = sum of g[i]² over the c-th CHUNK values
 *   scale = min(1, max_norm / (sqrt(sum of partial) + 1e-6)), and not a number where that is none
 *
 * A group of LANES work-items does a chunk, each of them WIDTH neighbouring values at a
 * time; one group adds up the chunks. */

#ifndef LANES
#define LANES 64 /* work-items of a group: a power of two, or 1 */
#endif
#ifndef WIDTH
#define WIDTH 8 /* values at a time: 2, 4, 8, 16 */
#endif
#ifndef CHUNK
#define CHUNK 4096 /* values of a group */
#endif

#define GROUP_ITEMS LANES
#include "group.clh"
#include "width.clh"

/* The sum over the group, for its first work-item. */
static float sum_of_group(SHARED float *shared, float mine) {
  const int item = (int)get_local_id(0);
  shared[item] = mine;
  for (int step = LANES / 2; step > 0; step /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (item < step) shared[item] += shared[item + step];
  }
  return shared[item];
}

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
