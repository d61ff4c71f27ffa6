/* guard.cl: what keeps numbers that are none out of what a network has learned. SPDX-License-Identifier: MIT
 *
 *   all_finite_sums   partial[c] = 0 where all of the c-th CHUNK values of g[n] are finite, else not a number
 *   all_finite        new_broken[0] = 0 where all of partial and the loss are finite, else 1; sticky: and where broken
 *                     is not 0
 *   commit            new_y[i] = x[i] where broken is 0, else new_x[i] = y[i]
 *
 * v - v is 0 unless v is infinite or not a number. A group of LANES work-items does a chunk, each of them WIDTH
 * neighbouring values at a time; one group adds up the chunks. Of commit a work-item does WIDTH values. */

#define TERM(v) ((v) - (v))
#include "chunks.clh"

kernel void all_finite_sums(global float *restrict partial, global const float *restrict g, int n) {
  SHARED float shared[LANES];
  const float sum = sum_of_chunk(shared, g, n);
  if (get_local_id(0) == 0) partial[get_group_id(0)] = sum;
}

kernel void all_finite(global float *new_broken, global const float *restrict loss, global const float *broken,
                       global const float *restrict partial, int chunks, int sticky) {
  SHARED float shared[LANES];
  const float sum = sum_of_chunks(shared, partial, chunks);
  if (get_local_id(0) == 0) {
    const int before = sticky && broken[0] != 0.0f;
    new_broken[0] = sum == 0.0f && loss[0] - loss[0] == 0.0f && !before ? 0.0f : 1.0f;
  }
}

kernel void commit(global float *new_y, global float *new_x, global const float *y, global const float *x,
                   global const float *restrict broken, int n) {
  const int begin = (int)get_global_id(0) * WIDTH, end = min(begin + WIDTH, n);
  const int back = broken[0] != 0.0f;
  for (int i = begin; i < end; i++) {
    if (back)
      new_x[i] = y[i];
    else
      new_y[i] = x[i];
  }
}
