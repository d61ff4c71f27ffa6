/* sum_parts.cl: partial sums added up, of several layers in one launch. SPDX-License-Identifier: MIT
 *
 *   sum_n[i] = sum over j < chunks_n of parts_n[j·size_n + i]       i < size_n
 *
 * Always added in the order of parts.clh. Work-items go through the values of the first layer, then those of the
 * second, …; a layer that is not there has size 0. */
#include "parts.clh"

#define LAYER(n) global float *restrict sum_##n, global const float *restrict parts_##n, int size_##n, int chunks_##n

/* What lies behind the values of a layer is the next one's. */
#define GO_ON(n)                                                                                                       \
  if (i >= size) {                                                                                                     \
    i -= size;                                                                                                         \
    to = sum_##n;                                                                                                      \
    from = parts_##n;                                                                                                  \
    size = size_##n;                                                                                                   \
    chunks = chunks_##n;                                                                                               \
  }

kernel void sum_parts(LAYER(1), LAYER(2), LAYER(3), LAYER(4), LAYER(5), LAYER(6), LAYER(7), LAYER(8)) {
  int i = (int)get_global_id(0), size = size_1, chunks = chunks_1;
  global float *to = sum_1;
  global const float *from = parts_1;
  GO_ON(2)
  GO_ON(3)
  GO_ON(4)
  GO_ON(5)
  GO_ON(6)
  GO_ON(7)
  GO_ON(8)
  if (i < size) to[i] = sum_of(from + i, size, chunks);
}
