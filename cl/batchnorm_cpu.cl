/* batchnorm_cpu.cl: batch normalisation and its gradient for CPUs, in two launches. SPDX-License-Identifier: MIT
 *
 *   x, residual, y {P, C},  P = N·H·W pixels;  formulas: batchnorm.cl
 *
 * x is read as rows of columns = pixels · C values, the least multiple of C that STRIP divides; column j is channel j
 * mod C. So vectors have no tails whatever C is. One program serves all: C, columns and fuse (1: relu, 2: + residual,
 * relu) are arguments. Each work-item is a group of its own: it walks over chunk_rows rows, BLOCK rows of a strip of
 * STRIP columns at a time, the strip's sums or factors in registers. The last row may be
 * cut short; its values are done one by one.
 *
 *   statistics, sums   leave two results for each column of a chunk: partial[0][chunk][j], partial[1][chunk][j]
 *   apply              each work-item first joins them all (they are few), then goes over its rows
 *
 * training 0: the running statistics, or in the gradient mean and rstd, are constants.
 * `want` has a bit for each output that is there. */

#include "maps.clh"

#ifndef BLOCK
#define BLOCK 32 /* rows that are summed up before they join what went before; keeps rounding small */
#endif
#ifndef MOST
#define MOST 4096 /* columns that the tables have room for */
#endif
#ifndef FAR
/* Values: more of them are not there any more when the next kernel wants them, and go past the caches. */
#define FAR (1 << 20)
#endif
#define STRIP 32
#define SHORT 64 /* columns of a row: of longer ones one at a time is written, as they lie in memory */

/* Partial results are joined in this type, where the device has it: a young network
 * amplifies each rounding error of its statistics. */
#ifdef cl_khr_fp64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
typedef double wide;
#else
typedef float wide;
#endif

/* to[j] = values[c] for each column */
static void spread(float *to, const float *values, int C, int columns) {
  for (int pixel = 0; pixel < columns; pixel += C)
    for (int c = 0; c < C; c++) to[pixel + c] = values[c];
}

static void fetch(float *to, global const float *from, int C) {
  for (int c = 0; c < C; c++) to[c] = from[c];
}

static void put(global float *to, const float *from, int C) {
  for (int c = 0; c < C; c++) to[c] = from[c];
}

static void write16(float16 value, global stored *to, bool far) {
  if (far)
    stream_map16(value, to);
  else
    put_map16(value, to);
}

/* How many values column j has in the chunk that begins with row `first`. */
static int count_of(int first, int chunk_rows, int j, int total, int columns) {
  return clamp(total / columns + (j < total % columns) - first, 0, chunk_rows);
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

/* partial = mean of the column, sum of squared distances from it. A block has its own mean first, then joins (Chan et
 * al. 1979): nothing cancels, however large the mean. `slip` sums the distances from the block's mean as rounded, which
 * corrects it; until the end means count from the chunk's first row, so that joining many blocks costs no digits. */
kernel void batchnorm_statistics(global float *restrict partial, global const stored *restrict x, int columns,
                                 int total, int chunk_rows) {
  const int chunk = (int)get_global_id(0), chunks = (int)get_global_size(0), first = chunk * chunk_rows;
  const int last = min(first + chunk_rows, total / columns);
  global float *mean = partial + chunk * columns, *squares = mean + chunks * columns;
  global const stored *origin = x + first * columns;
  for (int j = 0; j < columns; j++) mean[j] = squares[j] = 0.0f;
  for (int from = first; from < last; from += BLOCK) {
    const int rows = min(BLOCK, last - from), before = from - first;
    const float fraction = (float)rows / (before + rows), one = 1.0f / rows;
    for (int j = 0; j < columns; j += STRIP) {
      global const stored *block = x + from * columns + j;
      float16 sum0 = 0.0f, sum1 = 0.0f, own0 = 0.0f, own1 = 0.0f, slip0 = 0.0f, slip1 = 0.0f;
      for (int r = 0; r < rows; r++) {
        sum0 += get_map16(block + r * columns);
        sum1 += get_map16(block + r * columns + 16);
      }
      sum0 *= one;
      sum1 *= one;
      for (int r = 0; r < rows; r++) {
        const float16 d0 = get_map16(block + r * columns) - sum0, d1 = get_map16(block + r * columns + 16) - sum1;
        own0 += d0 * d0;
        own1 += d1 * d1;
        slip0 += d0;
        slip1 += d1;
      }
      const float16 apart0 = sum0 - get_map16(origin + j) - get16(mean + j) + slip0 * one;
      const float16 apart1 = sum1 - get_map16(origin + j + 16) - get16(mean + j + 16) + slip1 * one;
      put16(get16(mean + j) + apart0 * fraction, mean + j);
      put16(get16(mean + j + 16) + apart1 * fraction, mean + j + 16);
      put16(get16(squares + j) + own0 + apart0 * apart0 * (fraction * before), squares + j);
      put16(get16(squares + j + 16) + own1 + apart1 * apart1 * (fraction * before), squares + j + 16);
    }
  }
  for (int j = 0; first < last && j < columns; j++) mean[j] += get_map(origin + j);
  if (chunk < chunks - 1) return;
  for (int j = 0; j < total % columns; j++) {
    const float value = get_map(x + total / columns * columns + j), apart = value - mean[j];
    mean[j] += apart / (last - first + 1);
    squares[j] += apart * (value - mean[j]);
  }
}

/* Mean and mean squared distance of each channel from those of all columns. */
static void join(wide *mean, wide *var, global const float *restrict partial, int C, int columns, int total,
                 int chunk_rows, int chunks) {
  global const float *means = partial, *parts = partial + chunks * columns;
  for (int c = 0; c < C; c++) mean[c] = var[c] = 0;
  for (int at = 0; at < chunks * columns; at += C) {
    const wide n = count_of(at / columns * chunk_rows, chunk_rows, at % columns, total, columns);
    for (int c = 0; c < C; c++) mean[c] += n * ((wide)means[at + c] - means[c]);
  }
  for (int c = 0; c < C; c++) mean[c] = means[c] + mean[c] / (total / C);
  for (int at = 0; at < chunks * columns; at += C) {
    const wide n = count_of(at / columns * chunk_rows, chunk_rows, at % columns, total, columns);
    for (int c = 0; c < C; c++) var[c] += parts[at + c] + n * (means[at + c] - mean[c]) * (means[at + c] - mean[c]);
  }
  for (int c = 0; c < C; c++) var[c] /= total / C;
}

/* What relu leaves of z; without it `least` is -infinity, and all of z is left. */
static float16 act(float16 z, float least) { return z < least ? (float16)(least) : z; }

/* want: 1 new_running_mean, 2 new_running_var, 4 mean, 8 rstd */
kernel void batchnorm_apply(global stored *restrict y, global float *new_running_mean, global float *new_running_var,
                            global float *restrict mean_out, global float *restrict rstd_out,
                            global const stored *restrict x, global const float *restrict gamma,
                            global const float *restrict beta, global const stored *restrict residual,
                            global const float *running_mean, global const float *running_var,
                            global const float *restrict partial, int C, int columns, int fuse, int total,
                            int chunk_rows, int chunks, int training, int want, float eps, float momentum) {
  const int group = (int)get_global_id(0), first = group * chunk_rows, P = total / C;
  const int last = min(first + chunk_rows, total / columns), together = columns > SHORT ? 1 : BLOCK;
  const float least = fuse ? 0.0f : -INFINITY;
  const bool far = total > FAR && aligned16(y);
  wide mean[MOST], var[MOST];
  float own[MOST], rstd[MOST], factor[MOST], addend[MOST], centre[MOST], scale[MOST], shift[MOST];
  if (training)
    join(mean, var, partial, C, columns, total, chunk_rows, chunks);
  else
    for (int c = 0; c < C; c++) mean[c] = running_mean[c], var[c] = running_var[c];
  for (int c = 0; c < C; c++) {
    own[c] = mean[c];
    rstd[c] = 1 / sqrt(var[c] + eps);
    factor[c] = gamma[c] / sqrt(var[c] + eps);
    addend[c] = beta[c] + (own[c] - mean[c]) * factor[c]; /* what rounding the mean took away */
  }
  if (group == 0) {
    const wide unbiased = (wide)P / max(P - 1, 1);
    for (int c = 0; training && c < C; c++) {
      if (want & 1) new_running_mean[c] = (1.0f - momentum) * running_mean[c] + momentum * mean[c];
      if (want & 2) new_running_var[c] = (1.0f - momentum) * running_var[c] + momentum * (var[c] * unbiased);
    }
    if (want & 4) put(mean_out, own, C);
    if (want & 8) put(rstd_out, rstd, C);
  }
  spread(centre, own, C, columns);
  spread(scale, factor, C, columns);
  spread(shift, addend, C, columns);
  for (int from = first; from < last; from += together) {
    const int rows = min(together, last - from);
    for (int j = 0; j < columns; j += STRIP) {
      const float16 centre0 = vload16(0, centre + j), scale0 = vload16(0, scale + j), shift0 = vload16(0, shift + j);
      const float16 centre1 = vload16(1, centre + j), scale1 = vload16(1, scale + j), shift1 = vload16(1, shift + j);
      for (int r = 0; r < rows; r++) {
        const int at = (from + r) * columns + j;
        float16 z0 = (get_map16(x + at) - centre0) * scale0 + shift0;
        float16 z1 = (get_map16(x + at + 16) - centre1) * scale1 + shift1;
        if (fuse == 2) z0 += get_map16(residual + at), z1 += get_map16(residual + at + 16);
        write16(act(z0, least), y + at, far);
        write16(act(z1, least), y + at + 16, far);
      }
    }
  }
  if (group < chunks - 1) return;
  for (int j = 0, at = total / columns * columns; at < total; j++, at++) {
    float z = (get_map(x + at) - centre[j]) * scale[j] + shift[j];
    if (fuse == 2) z += get_map(residual + at);
    put_map(z < least ? least : z, y + at);
  }
}

/* ---- gradient ---------------------------------------------------------------------------------------------------- */

/* dz: what of a gradient passes a relu, which of fuse 1 stands behind (x - mean) · scale + beta, apart = x - mean; of 2
 * behind y. The reference takes the same float operations. */
static float16 passed16(float16 dy, float16 apart, float16 scale, float16 beta, global const stored *restrict y,
                        int fuse) {
  if (fuse == 1) return apart * scale > -beta ? dy : (float16)(0.0f);
  return fuse == 2 ? (get_map16(y) > 0.0f ? dy : (float16)(0.0f)) : dy;
}

static float passed(float dy, float apart, float scale, float beta, global const stored *restrict y, int fuse) {
  if (fuse == 1) return apart * scale > -beta ? dy : 0.0f;
  return fuse < 2 || get_map(y) > 0.0f ? dy : 0.0f;
}

/* partial = sum of dz, sum of dz · (x - mean). Where dresidual is wanted, dz is written there, too, and apply reads no
 * more than that. */
kernel void batchnorm_dx_sums(global float *restrict partial, global stored *restrict dresidual,
                              global const stored *restrict dy, global const stored *restrict x,
                              global const stored *restrict y, global const float *restrict gamma,
                              global const float *restrict mean, global const float *restrict rstd,
                              global const float *restrict beta, int C, int columns, int fuse, int total,
                              int chunk_rows, int want) {
  const int chunk = (int)get_global_id(0), chunks = (int)get_global_size(0), first = chunk * chunk_rows;
  const int last = min(first + chunk_rows, total / columns);
  global float *sums = partial + chunk * columns, *products = sums + chunks * columns;
  const bool far = total > FAR && aligned16(dresidual);
  float channel[MOST], centre[MOST], scale[MOST], least[MOST];
  for (int c = 0; c < C; c++) channel[c] = gamma[c] * rstd[c];
  spread(scale, channel, C, columns);
  for (int c = 0; c < C; c++) channel[c] = fuse == 1 ? beta[c] : 0.0f;
  spread(least, channel, C, columns);
  fetch(channel, mean, C);
  spread(centre, channel, C, columns);
  for (int j = 0; j < columns; j++) sums[j] = products[j] = 0.0f;
  for (int from = first; from < last; from += BLOCK) {
    const int rows = min(BLOCK, last - from);
    for (int j = 0; j < columns; j += STRIP) {
      const float16 centre0 = vload16(0, centre + j), scale0 = vload16(0, scale + j), least0 = vload16(0, least + j);
      const float16 centre1 = vload16(1, centre + j), scale1 = vload16(1, scale + j), least1 = vload16(1, least + j);
      float16 sum0 = 0.0f, sum1 = 0.0f, product0 = 0.0f, product1 = 0.0f;
      for (int r = 0; r < rows; r++) {
        const int at = (from + r) * columns + j;
        const float16 apart0 = get_map16(x + at) - centre0, apart1 = get_map16(x + at + 16) - centre1;
        const float16 dz0 = passed16(get_map16(dy + at), apart0, scale0, least0, y + at, fuse);
        const float16 dz1 = passed16(get_map16(dy + at + 16), apart1, scale1, least1, y + at + 16, fuse);
        if (want & 8) {
          write16(dz0, dresidual + at, far);
          write16(dz1, dresidual + at + 16, far);
        }
        sum0 += dz0;
        sum1 += dz1;
        product0 += dz0 * apart0;
        product1 += dz1 * apart1;
      }
      put16(get16(sums + j) + sum0, sums + j);
      put16(get16(sums + j + 16) + sum1, sums + j + 16);
      put16(get16(products + j) + product0, products + j);
      put16(get16(products + j + 16) + product1, products + j + 16);
    }
  }
  if (chunk < chunks - 1) return;
  for (int j = 0, at = total / columns * columns; at < total; j++, at++) {
    const float apart = get_map(x + at) - centre[j];
    const float dz = passed(get_map(dy + at), apart, scale[j], least[j], y + at, fuse);
    if (want & 8) put_map(dz, dresidual + at);
    sums[j] += dz;
    products[j] += dz * apart;
  }
}

/* dx = scale · (dz - (slope · (x - mean) + shift));  slope and shift are 0 unless in training. `joins`: the sums are
 * there, and so is dresidual, if that is wanted.  want: 1 dx, 2 dgamma, 4 dbeta, 8 dresidual */
kernel void batchnorm_dx_apply(global stored *restrict dx, global float *restrict dgamma, global float *restrict dbeta,
                               global stored *restrict dresidual, global const stored *restrict dy,
                               global const stored *restrict x, global const stored *restrict y,
                               global const float *restrict gamma, global const float *restrict mean,
                               global const float *restrict rstd, global const float *restrict beta,
                               global const float *restrict partial, int C, int columns, int fuse, int total,
                               int chunk_rows, int chunks, int training, int joins, int want) {
  const int group = (int)get_global_id(0), first = group * chunk_rows, P = total / C;
  const int last = min(first + chunk_rows, total / columns), together = columns > SHORT ? 1 : BLOCK;
  const bool ready = joins && (want & 8), far = total > FAR && aligned16(dx) && aligned16(dresidual);
  float sum[MOST], product[MOST], factor[MOST], centre[MOST], scale[MOST], slope[MOST], shift[MOST], least[MOST];
  for (int c = 0; c < C; c++) sum[c] = product[c] = 0.0f;
  if (joins) {
    wide sums[MOST], products[MOST];
    for (int c = 0; c < C; c++) sums[c] = products[c] = 0;
    for (int at = 0; at < chunks * columns; at += C) {
      for (int c = 0; c < C; c++) sums[c] += partial[at + c];
      for (int c = 0; c < C; c++) products[c] += partial[chunks * columns + at + c];
    }
    for (int c = 0; c < C; c++) sum[c] = sums[c], product[c] = products[c] * rstd[c];
    if (group == 0 && (want & 2)) put(dgamma, product, C);
    if (group == 0 && (want & 4)) put(dbeta, sum, C);
  }
  if (!(want & 9)) return;
  for (int c = 0; c < C; c++) factor[c] = gamma[c] * rstd[c];
  spread(scale, factor, C, columns);
  for (int c = 0; c < C; c++) factor[c] = fuse == 1 ? beta[c] : 0.0f;
  spread(least, factor, C, columns);
  for (int c = 0; c < C; c++) {
    product[c] = training ? product[c] * rstd[c] / P : 0.0f;
    sum[c] = training ? sum[c] / P : 0.0f;
    factor[c] = mean[c];
  }
  spread(slope, product, C, columns);
  spread(shift, sum, C, columns);
  spread(centre, factor, C, columns);
  for (int from = first; from < last; from += together) {
    const int rows = min(together, last - from);
    for (int j = 0; j < columns; j += 16) {
      const float16 by = vload16(0, scale + j), slope0 = vload16(0, slope + j), least0 = vload16(0, least + j);
      const float16 shift0 = vload16(0, shift + j), centre0 = vload16(0, centre + j);
      for (int r = 0; r < rows; r++) {
        const int at = (from + r) * columns + j;
        const float16 apart = get_map16(x + at) - centre0;
        const float16 dz =
            ready ? get_map16(dresidual + at) : passed16(get_map16(dy + at), apart, by, least0, y + at, fuse);
        if (!ready && (want & 8)) write16(dz, dresidual + at, far);
        if (want & 1) write16(by * (dz - (slope0 * apart + shift0)), dx + at, far);
      }
    }
  }
  if (group < chunks - 1) return;
  for (int j = 0, at = total / columns * columns; at < total; j++, at++) {
    const float apart = get_map(x + at) - centre[j];
    const float dz = ready ? get_map(dresidual + at)
                           : passed(get_map(dy + at), apart, scale[j], least[j], y + at, fuse);
    if (!ready && (want & 8)) put_map(dz, dresidual + at);
    if (want & 1) put_map(scale[j] * (dz - (slope[j] * apart + shift[j])), dx + at);
  }
}
