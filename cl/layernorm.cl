/* layernorm.cl: normalisation of each row over its channels, and its gradient. SPDX-License-Identifier: MIT
 *
 *   x, y, dx, dy {rows, C},  mean, rstd {rows},  z = (x - mean) · rstd,  g = dy · gamma
 *   layernorm          y = gamma · z + beta
 *   layernorm_dx       dx = rstd · (g - mean of g - z · mean of g · z), both means over the channels
 *   layernorm_dx_sums  partial[j] = sums of dy · z {C} and of dy {C} over the j-th `length` rows
 *   layernorm_dx_join  dgamma, dbeta = the partial sums added in order
 *
 * In the first two a group of LOCAL work-items does `span` rows, one after the other; each of them takes every LOCAL-th
 * vector of WIDTH channels. In the third a work-item does WIDTH neighbouring channels. WIDTH divides C. */

#ifndef WIDTH
#define WIDTH 1 /* channels that are taken together: 1, 2, 4, 8, 16 */
#endif
#ifndef LOCAL
#define LOCAL 1 /* work-items of a group, a power of two */
#endif

#define GROUP_ITEMS LOCAL
#include "sum.clh"

/* Of all channels of v in all work-items of the group. */
static float sum_of(SHARED float *shared, FLOATS v) { return sum_of_group(shared, sum_of_width(v)); }

kernel void layernorm(global float *restrict y, global float *restrict means, global float *restrict rstds,
                      global const float *restrict x, global const float *restrict gamma,
                      global const float *restrict beta, int rows, int C, int span, int want, float eps) {
  SHARED float shared[LOCAL];
  const int first = (int)get_local_id(0) * WIDTH, from = (int)get_group_id(0) * span, to = min(from + span, rows);
  for (int row = from; row < to; row++) {
    global const float *in = x + row * C;
    FLOATS sum = 0.0f, square = 0.0f;
    for (int c = first; c < C; c += LOCAL * WIDTH) sum += LOAD(in + c);
    const float mean = sum_of(shared, sum) / (float)C;
    for (int c = first; c < C; c += LOCAL * WIDTH) {
      const FLOATS away = LOAD(in + c) - mean;
      square += away * away;
    }
    const float rstd = 1.0f / sqrt(sum_of(shared, square) / (float)C + eps);
    for (int c = first; c < C; c += LOCAL * WIDTH)
      STORE(LOAD(gamma + c) * ((LOAD(in + c) - mean) * rstd) + LOAD(beta + c), y + row * C + c);
    if (first == 0 && want & 1) means[row] = mean;
    if (first == 0 && want & 2) rstds[row] = rstd;
  }
}

kernel void layernorm_dx(global float *restrict dx, global const float *restrict dy, global const float *restrict x,
                         global const float *restrict gamma, global const float *restrict means,
                         global const float *restrict rstds, int rows, int C, int span) {
  SHARED float shared[LOCAL];
  const int first = (int)get_local_id(0) * WIDTH, from = (int)get_group_id(0) * span, to = min(from + span, rows);
  for (int row = from; row < to; row++) {
    const float mean = means[row], rstd = rstds[row];
    FLOATS sum = 0.0f, with_z = 0.0f;
    for (int c = first; c < C; c += LOCAL * WIDTH) {
      const FLOATS g = LOAD(dy + row * C + c) * LOAD(gamma + c);
      sum += g;
      with_z += g * ((LOAD(x + row * C + c) - mean) * rstd);
    }
    const float mean_g = sum_of(shared, sum) / (float)C, mean_gz = sum_of(shared, with_z) / (float)C;
    for (int c = first; c < C; c += LOCAL * WIDTH) {
      const FLOATS g = LOAD(dy + row * C + c) * LOAD(gamma + c), z = (LOAD(x + row * C + c) - mean) * rstd;
      STORE(rstd * (g - mean_g - z * mean_gz), dx + row * C + c);
    }
  }
}

kernel void layernorm_dx_sums(global float *restrict partial, global const float *restrict dy,
                              global const float *restrict x, global const float *restrict means,
                              global const float *restrict rstds, int rows, int C, int parts, int length) {
  const int item = (int)get_global_id(0), part = item / (C / WIDTH), c = item % (C / WIDTH) * WIDTH;
  if (part >= parts) return;
  FLOATS of_gamma = 0.0f, of_beta = 0.0f;
  for (int row = part * length; row < min((part + 1) * length, rows); row++) {
    const FLOATS d = LOAD(dy + row * C + c);
    of_gamma += d * ((LOAD(x + row * C + c) - means[row]) * rstds[row]);
    of_beta += d;
  }
  STORE(of_gamma, partial + part * 2 * C + c);
  STORE(of_beta, partial + (part * 2 + 1) * C + c);
}

kernel void layernorm_dx_join(global float *restrict dgamma, global float *restrict dbeta,
                              global const float *restrict partial, int C, int parts, int want) {
  const int c = (int)get_global_id(0);
  if (c >= C) return;
  float of_gamma = 0.0f, of_beta = 0.0f;
  for (int part = 0; part < parts; part++) {
    of_gamma += partial[part * 2 * C + c];
    of_beta += partial[(part * 2 + 1) * C + c];
  }
  if (want & 1) dgamma[c] = of_gamma;
  if (want & 2) dbeta[c] = of_beta;
}
