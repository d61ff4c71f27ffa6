/* batchnorm_tiled.cl: the sums of batch normalisation and of its gradient, for GPUs. SPDX-License-Identifier: MIT
 *
 * x {P, C} is read as rows of COLUMNS = PIXELS · C values, the least multiple of C that LANES divide, so that
 * neighbouring work-items read neighbouring values whatever C is; column j is channel j mod C. A group takes LANES
 * columns (dimension 0) of chunk_rows rows (dimension 1), ROWS at a time, and leaves one result a column;
 * batchnorm_finish then joins those of each channel in a table. The workspace holds the
 * table {2, C}, then partial {2, chunks, COLUMNS}.
 *
 *   partial[0][chunk][j], partial[1][chunk][j] = mean, sum of squared distances from it     (batchnorm_tiles)
 *                                              = sum of dz, sum of dz · (x - mean)          (batchnorm_dx_tiles)
 *   dz = dy where y > 0, dy itself without FUSE
 *
 * All sums in a fixed order. */

#ifndef C
#define C 1 /* channels */
#endif
#ifndef FUSE
#define FUSE 0 /* batchnorm_dx: not 0: a relu follows */
#endif
#ifndef LANES
#define LANES 32 /* columns of a group: a power of two */
#endif
#ifndef ROWS
#define ROWS 8 /* rows of a group: a power of two */
#endif
#ifndef PIXELS
#define PIXELS 32 /* in a row: LANES / gcd(C, LANES) */
#endif
#define COLUMNS (PIXELS * C)
#define LOCAL   (LANES * ROWS)

#define GROUP_ITEMS LOCAL
#include "sum.clh"

/* How many of the rows first … first + rows - 1 hold column j. */
static int count_of(int first, int rows, int j, int total) {
  return clamp((total - j + COLUMNS - 1) / COLUMNS - first, 0, rows);
}

/* ---- a group's tile ---------------------------------------------------------------------------------------------- */

kernel void batchnorm_tiles(global float *restrict workspace, global const float *restrict x, int total,
                            int chunk_rows) {
  local float means[LOCAL], squares[LOCAL], counts[LOCAL];
  const int lane = (int)get_local_id(0), row = (int)get_local_id(1), chunk = (int)get_group_id(1);
  const int j = (int)get_group_id(0) * LANES + lane, first = chunk * chunk_rows, own = row * LANES + lane;
  const int end = min((first + chunk_rows) * COLUMNS, total), start = (first + row) * COLUMNS + j;
  const float origin = start < end ? x[start] : 0.0f; /* sums of differences from a value cancel little */
  float sum = 0.0f, square = 0.0f, n = 0.0f;
#pragma unroll 4
  for (int i = start; i < end; i += ROWS * COLUMNS) {
    const float d = x[i] - origin;
    sum += d;
    square += d * d;
    n += 1.0f;
  }
  means[own] = n > 0.0f ? origin + sum / n : 0.0f;
  square -= n > 0.0f ? sum * (sum / n) : 0.0f;
  squares[own] = square < 0.0f ? 0.0f : square; /* keeps a NaN */
  counts[own] = n;
  for (int step = ROWS / 2; step > 0; step /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (row < step) {
      const int other = own + step * LANES;
      const float all = counts[own] + counts[other], fraction = all > 0.0f ? counts[other] / all : 0.0f;
      const float apart = means[other] - means[own];
      squares[own] += squares[other] + apart * apart * counts[own] * fraction;
      means[own] += apart * fraction;
      counts[own] = all;
    }
  }
  if (row == 0) {
    global float *partial = workspace + 2 * C;
    const int at = chunk * COLUMNS + j;
    partial[at] = means[own];
    partial[(int)get_num_groups(1) * COLUMNS + at] = squares[own];
  }
}

kernel void batchnorm_dx_tiles(global float *restrict workspace, global const float *restrict dy,
                               global const float *restrict x, global const float *restrict y,
                               global const float *restrict mean, int total, int chunk_rows) {
  local float sums[LOCAL], products[LOCAL];
  const int lane = (int)get_local_id(0), row = (int)get_local_id(1), chunk = (int)get_group_id(1);
  const int j = (int)get_group_id(0) * LANES + lane, first = chunk * chunk_rows, own = row * LANES + lane;
  const int end = min((first + chunk_rows) * COLUMNS, total);
  const float centre = mean[j % C];
  float sum = 0.0f, product = 0.0f;
#pragma unroll 4
  for (int i = (first + row) * COLUMNS + j; i < end; i += ROWS * COLUMNS) {
    const float dz = !FUSE || y[i] > 0.0f ? dy[i] : 0.0f;
    sum += dz;
    product += dz * (x[i] - centre);
  }
  sums[own] = sum;
  products[own] = product;
  for (int step = ROWS / 2; step > 0; step /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (row < step) {
      sums[own] += sums[own + step * LANES];
      products[own] += products[own + step * LANES];
    }
  }
  if (row == 0) {
    global float *partial = workspace + 2 * C;
    const int at = chunk * COLUMNS + j;
    partial[at] = sums[own];
    partial[(int)get_num_groups(1) * COLUMNS + at] = products[own];
  }
}

/* ---- joining the tiles: a group for each channel ----------------------------------------------------------------- */

/* table = {mean[C], rstd[C]};  want: 1 new_running_mean, 2 new_running_var, 4 mean, 8 rstd */
kernel void batchnorm_finish(global float *restrict workspace, global float *new_running_mean,
                             global float *new_running_var, global float *restrict mean_out,
                             global float *restrict rstd_out, global const float *running_mean,
                             global const float *running_var, int total, int chunk_rows, int chunks, int want,
                             float eps, float momentum) {
  SHARED float shared[LOCAL];
  const int c = (int)get_group_id(0), P = total / C, entries = chunks * PIXELS;
  global const float *means = workspace + 2 * C + c, *squares = means + entries * C;
  const float origin = means[0];
  float sum = 0.0f;
  for (int e = (int)get_local_id(0); e < entries; e += LOCAL) {
    const int n = count_of(e / PIXELS * chunk_rows, chunk_rows, e % PIXELS * C + c, total);
    sum += n > 0 ? n * (means[e * C] - origin) : 0.0f;
  }
  const float mean = origin + sum_of_group(shared, sum) / P;
  float square = 0.0f;
  for (int e = (int)get_local_id(0); e < entries; e += LOCAL) {
    const int n = count_of(e / PIXELS * chunk_rows, chunk_rows, e % PIXELS * C + c, total);
    square += n > 0 ? squares[e * C] + n * (means[e * C] - mean) * (means[e * C] - mean) : 0.0f;
  }
  square = sum_of_group(shared, square);
  if (get_local_id(0) == 0) {
    const float rstd = 1.0f / sqrt(square / P + eps);
    workspace[c] = mean;
    workspace[C + c] = rstd;
    if (want & 1) new_running_mean[c] = (1.0f - momentum) * running_mean[c] + momentum * mean;
    if (want & 2) new_running_var[c] = (1.0f - momentum) * running_var[c] + momentum * square / max(P - 1, 1);
    if (want & 4) mean_out[c] = mean;
    if (want & 8) rstd_out[c] = rstd;
  }
}

/* table = {dbeta[C], dgamma[C]};  want: 2 dgamma, 4 dbeta */
kernel void batchnorm_dx_finish(global float *restrict workspace, global float *restrict dgamma,
                                global float *restrict dbeta, global const float *restrict rstd, int chunks,
                                int want) {
  SHARED float shared[LOCAL];
  const int c = (int)get_group_id(0), entries = chunks * PIXELS;
  global const float *sums = workspace + 2 * C + c, *products = sums + entries * C;
  float sum = 0.0f, product = 0.0f;
  for (int e = (int)get_local_id(0); e < entries; e += LOCAL) {
    sum += sums[e * C];
    product += products[e * C];
  }
  sum = sum_of_group(shared, sum);
  product = sum_of_group(shared, product) * rstd[c];
  if (get_local_id(0) == 0) {
    workspace[c] = sum;
    workspace[C + c] = product;
    if (want & 2) dgamma[c] = product;
    if (want & 4) dbeta[c] = sum;
  }
}
