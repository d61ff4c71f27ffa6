/* softmax_cross_entropy.cl: the mean cross-entropy of softmax(x) and labels, and its gradient.
 * SPDX-License-Identifier: MIT
 *
 *   x {N, K}, label {N}
 *   t[k]  = (1 - s) · (k = label) + s / K                                        s: label smoothing
 *   loss  = 1 / N · sum over n of  log(sum over k of exp(x[n,k])) - sum over k of t[k] · x[n,k]
 *   dx    = dloss / N · (softmax(x) - t)
 * Mixed rows have a second label, and lambda, the weight of the first:
 *   t[k]  = (1 - s) · (lambda · (k = label) + (1 - lambda) · (k = label2)) + s / K
 *
 * A row with a label outside 0 … K-1 gives NaN; nothing outside x is read. LANES work-items (dimension 0) share a row,
 * ROWS rows (dimension 1) a group; sums are taken in a fixed order, by a tree in local memory. */

#ifndef LANES
#define LANES 1 /* work-items of a row: a power of two */
#endif
#ifndef ROWS
#define ROWS 64 /* rows of a group: a power of two */
#endif
#ifndef DLOSS
#define DLOSS 0 /* 1: the gradient begins with dloss, not with 1 */
#endif
#ifndef MIXED
#define MIXED 0 /* 1: rows have second labels */
#endif

#define GROUP_ITEMS (LANES * ROWS)
#include "group.clh"

/* Combines the values of a row's lanes; every lane gets the result. All work-items of the group must come here. */
#define REDUCE(value, at, combined)                                                                                    \
  for (int step_ = LANES / 2; step_ > 0; step_ /= 2) {                                                                 \
    (at)[0] = value;                                                                                                   \
    barrier(CLK_LOCAL_MEM_FENCE);                                                                                      \
    float other = (at)[(int)(get_local_id(0) ^ step_) - (int)get_local_id(0)];                                         \
    value = combined;                                                                                                  \
    barrier(CLK_LOCAL_MEM_FENCE);                                                                                      \
  }

struct row {
  float most, sum; /* max over k of x, sum over k of exp(x - max) */
};

static struct row row_of(global const float *restrict x, int K, bool inside, SHARED float *at) {
  const int lane = (int)get_local_id(0);
  struct row r = {-INFINITY, 0.0f};
  if (inside)
    for (int k = lane; k < K; k += LANES) r.most = x[k] > r.most ? x[k] : r.most;
  REDUCE(r.most, at, other > r.most ? other : r.most)
  if (inside)
    for (int k = lane; k < K; k += LANES) r.sum += exp(x[k] - r.most);
  REDUCE(r.sum, at, r.sum + other)
  return r;
}

static float logit_of(global const float *restrict x, int label, int K) {
  return label >= 0 && label < K ? x[label] : NAN;
}

/* partial[group] = sum of the losses of the rows group · ROWS + row, then every ROWS · groups further; with a single
 * group this is divided by N and so the loss itself. */
kernel void softmax_cross_entropy(global float *restrict partial, global const float *restrict x,
                                  global const int *restrict label, global const int *restrict label2,
                                  global const float *restrict lambda, int N, int K, float smoothing) {
  SHARED float shared[ROWS * LANES];
  const int lane = (int)get_local_id(0), row = (int)get_local_id(1), group = (int)get_group_id(1);
  const int groups = (int)get_num_groups(1);
  SHARED float *at = shared + row * LANES + lane;
  float loss = 0.0f;
  for (int first = group * ROWS; first < N; first += ROWS * groups) {
    const int n = first + row;
    const bool inside = n < N;
    global const float *restrict mine = x + (inside ? n * K : 0);
    struct row r = row_of(mine, K, inside, at);
    float all = 0.0f; /* sum over k of x[k] - max, the part that smoothing spreads over all classes */
    if (inside && smoothing > 0.0f)
      for (int k = lane; k < K; k += LANES) all += mine[k] - r.most;
    REDUCE(all, at, all + other)
    if (inside) {
      float own = logit_of(mine, label[n], K) - r.most;
      if (MIXED) own = lambda[n] * own + (1.0f - lambda[n]) * (logit_of(mine, label2[n], K) - r.most);
      loss += log(r.sum) - (1.0f - smoothing) * own - smoothing / K * all;
    }
  }
  shared[row * LANES + lane] = loss; /* each lane has the same: lane 0's counts */
  for (int step = ROWS / 2; step > 0; step /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (row < step) at[0] += at[step * LANES];
  }
  if (row == 0 && lane == 0) partial[group] = groups == 1 ? at[0] / N : at[0];
}

/* loss = 1 / N · sum of the partial ones, by one work-item. */
kernel void softmax_cross_entropy_sum(global float *restrict loss, global const float *restrict partial, int groups,
                                      int N) {
  float sum = 0.0f;
  for (int i = 0; i < groups; i++) sum += partial[i];
  *loss = sum / N;
}

kernel void softmax_cross_entropy_dx(global float *restrict dx, global const float *restrict x,
                                     global const int *restrict label, global const float *restrict dloss,
                                     global const int *restrict label2, global const float *restrict lambda, int N,
                                     int K,
                                     float smoothing) {
  SHARED float shared[ROWS * LANES];
  const int lane = (int)get_local_id(0), row = (int)get_local_id(1), n = (int)get_global_id(1);
  const bool inside = n < N;
  global const float *restrict mine = x + (inside ? n * K : 0);
  struct row r = row_of(mine, K, inside, shared + row * LANES + lane);
  if (inside) {
    const bool known = label[n] >= 0 && label[n] < K && (!MIXED || (label2[n] >= 0 && label2[n] < K));
    const float scale = (DLOSS ? dloss[0] : 1.0f) / N;
    for (int k = lane; k < K; k += LANES) {
      float target = (k == label[n] ? 1.0f - smoothing : 0.0f) + smoothing / K;
      if (MIXED) target += (1.0f - smoothing) * (1.0f - lambda[n]) * ((float)(k == label2[n]) - (float)(k == label[n]));
      dx[n * K + k] = known ? scale * (exp(mine[k] - r.most) / r.sum - target) : NAN;
    }
  }
}
