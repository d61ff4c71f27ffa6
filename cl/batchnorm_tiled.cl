/* batchnorm_tiled.cl: batch normalisation and its gradient for GPUs, in two launches. SPDX-License-Identifier: MIT
 *
 *   x, residual, y {P, C},  P = N·H·W pixels;  formulas: batchnorm.cl
 *
 * x is read as rows of columns = pixels · C values, the least multiple of C that LANES divide, so that neighbouring
 * work-items read neighbouring values whatever C is; column j is channel j mod C. A group takes LANES columns
 * (dimension 0) of chunk_rows rows (dimension 1). One program serves all: C, columns and fuse (1: relu, 2: + residual,
 * relu) are arguments.
 *
 *   tiles   leave two results for each column of a chunk, in partial {2, chunks, columns}:
 *             mean, sum of squared distances from it     (batchnorm_tiles)
 *             sum of dz, sum of dz · (x - mean)          (batchnorm_dx_tiles)
 *   apply   each group first joins those of its channels, all in the same order, then goes over its values
 *
 * Where the convolution that made x left its statistics, they are the first ones: columns of C in chunks of a block.
 *
 * training 0: the running statistics, or in the gradient mean and rstd, are constants.
 * `want` has a bit for each output that is there. All sums in a fixed order. */

#ifndef LANES
#define LANES 32 /* columns of a group: a power of two, of fours */
#endif
#ifndef ROWS
#define ROWS 8 /* rows of work-items in a group: a power of two */
#endif
#define LOCAL (LANES * ROWS)
#define QUADS (LANES / 4)     /* while applying, a work-item takes four columns, */
#define DEEP  (LOCAL / QUADS) /* and the group that many rows at a time */

#include "lanes.clh"

/* How many values column j has in the chunk that begins with row `first`. */
static int count_of(int first, int chunk_rows, int j, int total, int columns) {
  return clamp(total / columns + (j < total % columns) - first, 0, chunk_rows);
}

/* v[0 … 3] = four values, of `left` that there are: the last vector of a map may be cut short. */
static void put4(float4 value, global float *to, int left) {
  if (left >= 4) {
    vstore4(value, 0, to);
    return;
  }
  to[0] = value.x;
  if (left > 1) to[1] = value.y;
  if (left > 2) to[2] = value.z;
}

static float4 take4(global const float *from, int left) {
  if (left >= 4) return vload4(0, from);
  return (float4)(from[0], left > 1 ? from[1] : 0.0f, left > 2 ? from[2] : 0.0f, 0.0f);
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

kernel void batchnorm_tiles(global float *restrict partial, global const float *restrict x, int columns, int total,
                            int chunk_rows) {
  local float means[LOCAL], squares[LOCAL], counts[LOCAL];
  const int lane = (int)get_local_id(0), row = (int)get_local_id(1), chunk = (int)get_group_id(1);
  const int j = (int)get_group_id(0) * LANES + lane, first = chunk * chunk_rows, own = row * LANES + lane;
  const int end = min((first + chunk_rows) * columns, total), start = (first + row) * columns + j;
  const float origin = start < end ? x[start] : 0.0f; /* sums of differences from a value cancel little */
  float sum = 0.0f, square = 0.0f, n = 0.0f;
#pragma unroll 4
  for (int i = start; i < end; i += ROWS * columns) {
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
    const int at = chunk * columns + j;
    partial[at] = means[own];
    partial[(int)get_num_groups(1) * columns + at] = squares[own];
  }
}

/* Four channels from c on of a row of C, the first one behind the last. */
static float4 quad_of(global const float *row, int c, int C) {
  if (C % 4 == 0) return vload4(0, row + c);
  return (float4)(row[c], row[(c + 1) % C], row[(c + 2) % C], row[(c + 3) % C]);
}

/* The mean of n values and the sum of their squared distances become those of these and `more` others (Chan et al.
 * 1979). */
static void add_values(float4 *mean, float4 *square, float *n, float4 others, float4 other_square, float more) {
  if (more == 0.0f) return;
  const float fraction = more / (*n + more);
  const float4 apart = others - *mean;
  *square += other_square + apart * apart * (*n * fraction);
  *mean += apart * fraction;
  *n += more;
}

/* What is known of the C channels of x: `entries` rows of means and of sums of squared distances from them, those of
 * `rows` rows of `columns` columns, one behind the other. The last ones may have fewer. */
typedef struct {
  global const float *means, *squares;
  int C, entries, columns, rows, total;
} table;

/* Leaves in the first QUADS of `mean`, less the channel's first one, and of `square` those of this group's lanes, the
 * first of which is column j. All must come here. Each quad's entries go round its DEEP work-items. */
static void join(local float4 *mean, local float4 *square, local float *n, const table t, int j) {
  const int own = (int)get_local_id(1) * LANES + (int)get_local_id(0), quad = own % QUADS, first = own / QUADS;
  const int c = (j + 4 * quad) % t.C, pixels = t.columns / t.C;
  const float4 origin = quad_of(t.means, c, t.C); /* means of much the same size cost no digits */
  float4 my_mean = 0.0f, my_square = 0.0f;
  float mine = 0.0f;
#pragma unroll 4
  for (int e = first; e < t.entries; e += DEEP) {
    const int more = count_of(e / pixels * t.rows, t.rows, e % pixels * t.C, t.total, t.columns);
    add_values(&my_mean, &my_square, &mine, quad_of(t.means + e * t.C, c, t.C) - origin,
               quad_of(t.squares + e * t.C, c, t.C), more);
  }
  mean[own] = my_mean, square[own] = my_square, n[own] = mine;
  for (int step = DEEP / 2; step > 0; step /= 2) {
    const int other = own + step * QUADS;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (first < step) {
      add_values(&my_mean, &my_square, &mine, mean[other], square[other], n[other]);
      mean[own] = my_mean, square[own] = my_square, n[own] = mine;
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
}

/* want: 1 new_running_mean, 2 new_running_var, 4 mean, 8 rstd */
kernel void batchnorm_apply(global float *restrict y, global float *new_running_mean, global float *new_running_var,
                            global float *restrict mean_out, global float *restrict rstd_out,
                            global const float *restrict x, global const float *restrict gamma,
                            global const float *restrict beta, global const float *restrict residual,
                            global const float *running_mean, global const float *running_var,
                            global const float *restrict means, global const float *restrict squares, int squares_from,
                            int entries, int entry_columns, int entry_rows, int C, int columns, int fuse, int total,
                            int chunk_rows, int training, int want, float eps, float momentum) {
  local float4 joined_mean[LOCAL], joined_square[LOCAL];
  local float joined_n[LOCAL], centre[LANES], scale[LANES], shift[LANES];
  const int lane = (int)get_local_id(0), row = (int)get_local_id(1), chunk = (int)get_group_id(1);
  const int j = (int)get_group_id(0) * LANES, c = (j + lane) % C, P = total / C, own = row * LANES + lane;
  const table t = {means, squares + squares_from, C, entries, entry_columns, entry_rows, total};
  if (training) join(joined_mean, joined_square, joined_n, t, j);
  if (row == 0) {
    const float2 of = training ? (float2)(means[c] + ((local const float *)joined_mean)[lane],
                                          ((local const float *)joined_square)[lane] / P)
                               : (float2)(running_mean[c], running_var[c]);
    const float rstd = 1.0f / sqrt(of.y + eps);
    centre[lane] = of.x;
    scale[lane] = gamma[c] * rstd;
    shift[lane] = beta[c];
    if (chunk == 0 && j + lane < C) {
      const float unbiased = of.y * P / max(P - 1, 1);
      if (training && (want & 1)) new_running_mean[c] = (1.0f - momentum) * running_mean[c] + momentum * of.x;
      if (training && (want & 2)) new_running_var[c] = (1.0f - momentum) * running_var[c] + momentum * unbiased;
      if (want & 4) mean_out[c] = of.x;
      if (want & 8) rstd_out[c] = rstd;
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  const int quad = own % QUADS, end = min((chunk + 1) * chunk_rows * columns, total);
  const float4 centre4 = vload4(quad, centre), scale4 = vload4(quad, scale), shift4 = vload4(quad, shift);
  const float4 least = fuse ? 0.0f : -INFINITY;
#pragma unroll 4
  for (int i = (chunk * chunk_rows + own / QUADS) * columns + j + 4 * quad; i < end; i += DEEP * columns) {
    float4 z = (take4(x + i, end - i) - centre4) * scale4 + shift4;
    if (fuse == 2) z += take4(residual + i, end - i);
    put4(z < least ? least : z, y + i, end - i);
  }
}

/* ---- gradient ---------------------------------------------------------------------------------------------------- */

/* What of a gradient passes a relu behind (x - mean) · scale + beta. The reference takes the same float operations. */
static float passed(float dy, float x, float mean, float scale, float beta) {
  return (x - mean) * scale > -beta ? dy : 0.0f;
}

static float4 passed4(float4 dy, float4 x, float4 mean, float4 scale, float4 beta) {
  return (x - mean) * scale > -beta ? dy : (float4)(0.0f);
}

/* Where dresidual is wanted, dz is written there, too, and apply reads no more than that. */
kernel void batchnorm_dx_tiles(global float *restrict partial, global float *restrict dresidual,
                               global const float *restrict dy, global const float *restrict x,
                               global const float *restrict y, global const float *restrict gamma,
                               global const float *restrict mean, global const float *restrict rstd,
                               global const float *restrict beta, int C, int columns, int fuse, int total,
                               int chunk_rows, int want) {
  local float shared[LOCAL];
  const int lane = (int)get_local_id(0), row = (int)get_local_id(1), chunk = (int)get_group_id(1);
  const int j = (int)get_group_id(0) * LANES + lane, first = chunk * chunk_rows;
  const int end = min((first + chunk_rows) * columns, total);
  const float centre = mean[j % C], scale = gamma[j % C] * rstd[j % C], least = fuse == 1 ? beta[j % C] : 0.0f;
  float sum = 0.0f, product = 0.0f;
#pragma unroll 4
  for (int i = (first + row) * columns + j; i < end; i += ROWS * columns) {
    float dz = dy[i];
    if (fuse == 1) dz = passed(dz, x[i], centre, scale, least);
    if (fuse == 2) dz = y[i] > 0.0f ? dz : 0.0f;
    if (want & 8) dresidual[i] = dz;
    sum += dz;
    product += dz * (x[i] - centre);
  }
  sum = sum_of_lane(shared, sum);
  product = sum_of_lane(shared, product);
  if (row == 0) {
    const int at = chunk * columns + j;
    partial[at] = sum;
    partial[(int)get_num_groups(1) * columns + at] = product;
  }
}

/* dx = scale · (dz - (slope · (x - mean) + shift));  slope and shift are 0 unless in training. `joins`: the sums are
 * there, and so is dresidual, if that is wanted.  want: 1 dx, 2 dgamma, 4 dbeta, 8 dresidual */
kernel void batchnorm_dx_apply(global float *restrict dx, global float *restrict dgamma, global float *restrict dbeta,
                               global float *restrict dresidual, global const float *restrict dy,
                               global const float *restrict x, global const float *restrict y,
                               global const float *restrict gamma, global const float *restrict mean,
                               global const float *restrict rstd, global const float *restrict beta,
                               global const float *restrict partial, int C, int columns, int fuse, int total,
                               int chunk_rows, int chunks, int training, int joins, int want) {
  local float shared[LOCAL], centre[LANES], scale[LANES], slope[LANES], shift[LANES], least[LANES];
  const int lane = (int)get_local_id(0), row = (int)get_local_id(1), chunk = (int)get_group_id(1);
  const int j = (int)get_group_id(0) * LANES, c = (j + lane) % C, own = row * LANES + lane;
  const int entries = chunks * (columns / C);
  float sum = 0.0f, product = 0.0f;
  for (int e = row; joins && e < entries; e += ROWS) {
    sum += partial[e * C + c];
    product += partial[(entries + e) * C + c];
  }
  sum = sum_of_lane(shared, sum);
  product = sum_of_lane(shared, product);
  if (row == 0) {
    const float r = rstd[c];
    centre[lane] = mean[c];
    scale[lane] = gamma[c] * r;
    least[lane] = fuse == 1 ? beta[c] : 0.0f;
    slope[lane] = training ? product * r * r / (total / C) : 0.0f;
    shift[lane] = training ? sum / (total / C) : 0.0f;
    if (chunk == 0 && j + lane < C && (want & 2)) dgamma[c] = product * r;
    if (chunk == 0 && j + lane < C && (want & 4)) dbeta[c] = sum;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  const int quad = own % QUADS, end = min((chunk + 1) * chunk_rows * columns, total);
  const float4 centre4 = vload4(quad, centre), scale4 = vload4(quad, scale);
  const float4 slope4 = vload4(quad, slope), shift4 = vload4(quad, shift), least4 = vload4(quad, least);
  const bool ready = joins && (want & 8);
  if (!(want & 9)) return;
#pragma unroll 4
  for (int i = (chunk * chunk_rows + own / QUADS) * columns + j + 4 * quad; i < end; i += DEEP * columns) {
    const float4 at = take4(x + i, end - i);
    float4 dz = ready ? take4(dresidual + i, end - i) : take4(dy + i, end - i);
    if (fuse == 1) dz = passed4(dz, at, centre4, scale4, least4);
    if (fuse == 2 && !ready) dz = take4(y + i, end - i) > 0.0f ? dz : (float4)(0.0f);
    if (!ready && (want & 8)) put4(dz, dresidual + i, end - i);
    if (want & 1) put4(scale4 * (dz - (slope4 * (at - centre4) + shift4)), dx + i, end - i);
  }
}
