/* accuracy.cl: how many rows of x {N, K} have their label's value as the largest, and among the five largest.
 * SPDX-License-Identifier: MIT
 *
 *   place[n] = number of k with x[n,k] > x[n,label], or equal with k < label; a NaN counts as the largest
 *   correct = count of place < 1,  correct5 = count of place < 5;  a label outside 0 … K-1 is wrong
 *
 * One group of LOCAL work-items; each takes every LOCAL-th row. */

#ifndef LOCAL
#define LOCAL 64 /* work-items of the group: a power of two */
#endif
#ifndef FIVE
#define FIVE 1 /* 0: correct5 is not wanted */
#endif

static int place(global const float *restrict x, int K, int label) {
  const float own = x[label];
  int ahead = 0;
  for (int k = 0; k < label; k++) ahead += !(x[k] < own);
  for (int k = label + 1; k < K; k++) ahead += !(x[k] <= own);
  return ahead;
}

kernel void accuracy(global float *restrict correct, global float *restrict correct5, global const float *restrict x,
                     global const int *restrict label, int N, int K) {
  local int2 shared[LOCAL];
  const int item = (int)get_local_id(0);
  int2 count = 0;
  for (int n = item; n < N; n += LOCAL) {
    const int own = label[n], at = own >= 0 && own < K ? place(x + n * K, K, own) : K + 5;
    count += (int2)(at < 1, at < 5);
  }
  shared[item] = count;
  for (int step = LOCAL / 2; step > 0; step /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (item < step) shared[item] += shared[item + step];
  }
  if (item == 0) {
    correct[0] = shared[0].x;
    if (FIVE) correct5[0] = shared[0].y;
  }
}
