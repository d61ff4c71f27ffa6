/* batchnorm.cl: batch normalisation, with what may follow it fused in, and its gradient. SPDX-License-Identifier: MIT
 *
 *   x, residual, y, dy, dx, dresidual {P, C},  P = N·H·W pixels
 *   mean, var    of a channel over all pixels in training, else the running ones;  rstd = 1 / sqrt(var + eps)
 *   normal       = (x - mean) · rstd
 *   y[p,c]       = act(gamma[c] · normal[p,c] + beta[c] [+ residual[p,c]])
 *   new_running  = (1 - momentum) · running + momentum · (mean, var · P / (P - 1))
 *
 *   dz           = dy where y > 0, else 0 (dy itself without FUSE);  dresidual = dz
 *   y > 0        without a residual where (x - mean) · (gamma · rstd) > -beta: y is not read
 *   dbeta[c]     = sum over p of dz,  dgamma[c] = sum over p of dz · normal
 *   dx           = gamma · rstd · (dz - dbeta / P - normal · dgamma / P) in training;  gamma · rstd · dz else
 *
 * Statistics of x that are given: means, squares {blocks, C}, of blocks of `given` pixels.
 *
 * The plain way: a work-item for each channel makes a table of two values a channel, then one for each value uses it.
 * `want` has a bit for each output that is there. */

#ifndef C
#define C 1 /* channels */
#endif
#ifndef FUSE
#define FUSE 0 /* 1: relu, 2: + residual, relu */
#endif
#ifndef BLOCK
#define BLOCK 32 /* pixels that are summed up before they join what went before; keeps rounding small */
#endif

#include "maps.clh"

/* ---- forward: table = {mean[C], rstd[C]};  want: 1 new_running_mean, 2 new_running_var, 4 mean, 8 rstd ----------- */

/* A work-item for each channel. The mean and the sum of squared distances from it grow block by block (Chan et al.
 * 1979), as differences from a mean of much the same size do not cancel; means count from the first value, so that
 * joining many blocks costs no digits. */
kernel void batchnorm_statistics(global float *restrict table, global float *new_running_mean,
                                 global float *new_running_var, global float *restrict mean_out,
                                 global float *restrict rstd_out, global const stored *restrict x,
                                 global const float *running_mean, global const float *running_var,
                                 global const float *restrict means, global const float *restrict squares, int given,
                                 int P, int want, float eps, float momentum) {
  const int c = (int)get_global_id(0), block = given ? given : BLOCK;
  const float origin = given ? means[c] : get_map(x + c);
  float mean = 0.0f, square = 0.0f;
  for (int from = 0, at = c; from < P; from += block, at += C) {
    const int to = min(from + block, P), read = given ? from : to; /* x is read up to there */
    float sum = 0.0f, own = given ? squares[at] : 0.0f;
    for (int p = from; p < read; p++) sum += get_map(x + p * C + c) - origin;
    const float centre = given ? means[at] - origin : sum / (to - from);
    const float apart = centre - mean, fraction = (float)(to - from) / to;
    for (int p = from; p < read; p++) {
      const float d = get_map(x + p * C + c) - origin - centre;
      own += d * d;
    }
    mean += apart * fraction;
    square += own + apart * apart * fraction * from;
  }
  mean += origin;
  const float rstd = 1.0f / sqrt(square / P + eps);
  table[c] = mean;
  table[C + c] = rstd;
  if (want & 1) new_running_mean[c] = (1.0f - momentum) * running_mean[c] + momentum * mean;
  if (want & 2) new_running_var[c] = (1.0f - momentum) * running_var[c] + momentum * square / max(P - 1, 1);
  if (want & 4) mean_out[c] = mean;
  if (want & 8) rstd_out[c] = rstd;
}

/* The table is read in training, the running statistics else. */
kernel void batchnorm_apply(global stored *restrict y, global float *restrict mean_out, global float *restrict rstd_out,
                            global const stored *restrict x, global const float *restrict gamma,
                            global const float *restrict beta, global const stored *restrict residual,
                            global const float *restrict table, global const float *restrict running_mean,
                            global const float *restrict running_var, int P, int training, int want, float eps) {
  const int at = (int)get_global_id(0), c = at % C;
  if (at >= P * C) return;
  const float mean = training ? table[c] : running_mean[c];
  const float rstd = training ? table[C + c] : 1.0f / sqrt(running_var[c] + eps);
  float z = (get_map(x + at) - mean) * (gamma[c] * rstd) + beta[c];
  if (FUSE == 2) z += get_map(residual + at);
  if (FUSE) z = z < 0.0f ? 0.0f : z;
  put_map(z, y + at);
  if (!training && (want & 4) && at < C) mean_out[c] = mean;
  if (!training && (want & 8) && at < C) rstd_out[c] = rstd;
}

/* ---- gradient: table = {dbeta[C], dgamma[C]};  want: 1 dx, 2 dgamma, 4 dbeta, 8 dresidual ------------------------ */

static float masked(global const stored *restrict dy, global const stored *restrict x,
                    global const stored *restrict y, int i, float mean, float scale, float beta) {
  if (FUSE == 1) return (get_map(x + i) - mean) * scale > -beta ? get_map(dy + i) : 0.0f;
  return FUSE == 0 || get_map(y + i) > 0.0f ? get_map(dy + i) : 0.0f;
}

/* A work-item for each channel. */
kernel void batchnorm_dx_sums(global float *restrict table, global float *restrict dgamma, global float *restrict dbeta,
                              global const stored *restrict dy, global const stored *restrict x,
                              global const stored *restrict y, global const float *restrict gamma,
                              global const float *restrict mean, global const float *restrict rstd,
                              global const float *restrict beta, int P, int want) {
  const int c = (int)get_global_id(0);
  const float scale = gamma[c] * rstd[c], least = FUSE == 1 ? beta[c] : 0.0f;
  float sum = 0.0f, product = 0.0f;
  for (int from = 0; from < P; from += BLOCK) {
    float part = 0.0f, part_product = 0.0f;
    for (int i = from * C + c; i < min(from + BLOCK, P) * C; i += C) {
      const float dz = masked(dy, x, y, i, mean[c], scale, least);
      part += dz;
      part_product += dz * (get_map(x + i) - mean[c]);
    }
    sum += part;
    product += part_product;
  }
  product *= rstd[c];
  table[c] = sum;
  table[C + c] = product;
  if (want & 2) dgamma[c] = product;
  if (want & 4) dbeta[c] = sum;
}

kernel void batchnorm_dx_apply(global stored *restrict dx, global stored *restrict dresidual,
                               global const stored *restrict dy, global const stored *restrict x,
                               global const stored *restrict y, global const float *restrict gamma,
                               global const float *restrict mean, global const float *restrict rstd,
                               global const float *restrict beta, global const float *restrict table, int P,
                               int training, int want) {
  const int at = (int)get_global_id(0), c = at % C;
  if (at >= P * C) return;
  const float dz = masked(dy, x, y, at, mean[c], gamma[c] * rstd[c], FUSE == 1 ? beta[c] : 0.0f);
  if (want & 8) put_map(dz, dresidual + at);
  if (want & 1) {
    float inner = dz;
    if (training) inner -= (table[c] + (get_map(x + at) - mean[c]) * rstd[c] * table[C + c]) / (float)P;
    put_map(gamma[c] * rstd[c] * inner, dx + at);
  }
}
