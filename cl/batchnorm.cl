/* batchnorm.cl: batch normalisation, with what may follow it fused in, and its gradient. SPDX-License-Identifier: MIT
 *
 *   x, residual, y, dy, dx, dresidual {P, C},  P = N·H·W pixels
 *   mean, var    of a channel over all pixels in training, else the running ones;  rstd = 1 / sqrt(var + eps)
 *   normal       = (x - mean) · rstd
 *   y[p,c]       = act(gamma[c] · normal[p,c] + beta[c] [+ residual[p,c]])
 *   new_running  = (1 - momentum) · running + momentum · (mean, var · P / (P - 1))
 *
 *   dz           = dy where y > 0, else 0 (dy itself without FUSE);  dresidual = dz
 *   dbeta[c]     = sum over p of dz,  dgamma[c] = sum over p of dz · normal
 *   dx           = gamma · rstd · (dz - dbeta / P - normal · dgamma / P) in training;  gamma · rstd · dz else
 *
 * The plain way, and the last step of the tiled one: a table of two values a channel, then each value by itself. `want`
 * has a bit for each output that is there. */

#ifndef C
#define C 1 /* channels */
#endif
#ifndef FUSE
#define FUSE 0 /* 1: relu, 2: + residual, relu */
#endif
#ifndef WIDTH
#define WIDTH 1 /* channels of a work-item of the last step: 1, 2, 4, 8, 16, a divisor of C */
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
                                 global const float *running_mean, global const float *running_var, int P, int want,
                                 float eps, float momentum) {
  const int c = (int)get_global_id(0);
  const float origin = get_map(x + c);
  float mean = 0.0f, squares = 0.0f;
  for (int from = 0; from < P; from += BLOCK) {
    const int to = min(from + BLOCK, P);
    float sum = 0.0f, own = 0.0f;
    for (int p = from; p < to; p++) sum += get_map(x + p * C + c) - origin;
    const float centre = sum / (to - from), apart = centre - mean, fraction = (float)(to - from) / to;
    for (int p = from; p < to; p++) {
      const float d = get_map(x + p * C + c) - origin - centre;
      own += d * d;
    }
    mean += apart * fraction;
    squares += own + apart * apart * fraction * from;
  }
  mean += origin;
  const float rstd = 1.0f / sqrt(squares / P + eps);
  table[c] = mean;
  table[C + c] = rstd;
  if (want & 1) new_running_mean[c] = (1.0f - momentum) * running_mean[c] + momentum * mean;
  if (want & 2) new_running_var[c] = (1.0f - momentum) * running_var[c] + momentum * squares / max(P - 1, 1);
  if (want & 4) mean_out[c] = mean;
  if (want & 8) rstd_out[c] = rstd;
}

/* WIDTH channels of a pixel for each work-item. The table is read in training, the running statistics else. */
kernel void batchnorm_apply(global stored *restrict y, global float *restrict mean_out, global float *restrict rstd_out,
                            global const stored *restrict x, global const float *restrict gamma,
                            global const float *restrict beta, global const stored *restrict residual,
                            global const float *restrict table, global const float *restrict running_mean,
                            global const float *restrict running_var, int P, int training, int want, float eps) {
  const int item = (int)get_global_id(0), p = item / (C / WIDTH), c = item % (C / WIDTH) * WIDTH, at = p * C + c;
  if (p >= P) return;
  const FLOATS mean = training ? LOAD(table + c) : LOAD(running_mean + c);
  const FLOATS rstd = training ? LOAD(table + C + c) : 1.0f / sqrt(LOAD(running_var + c) + eps);
  FLOATS z = (LOAD_MAP(x + at) - mean) * (LOAD(gamma + c) * rstd) + LOAD(beta + c);
  if (FUSE == 2) z += LOAD_MAP(residual + at);
  if (FUSE) z = z < 0.0f ? (FLOATS)(0.0f) : z;
  STORE_MAP(z, y + at);
  if (!training && (want & 4) && p == 0) STORE(mean, mean_out + c);
  if (!training && (want & 8) && p == 0) STORE(rstd, rstd_out + c);
}

/* ---- gradient: table = {dbeta[C], dgamma[C]};  want: 1 dx, 2 dgamma, 4 dbeta, 8 dresidual ------------------------ */

/* A work-item for each channel. */
kernel void batchnorm_dx_sums(global float *restrict table, global float *restrict dgamma, global float *restrict dbeta,
                              global const stored *restrict dy, global const stored *restrict x,
                              global const stored *restrict y, global const float *restrict mean,
                              global const float *restrict rstd, int P, int want) {
  const int c = (int)get_global_id(0);
  float sum = 0.0f, product = 0.0f;
  for (int from = 0; from < P; from += BLOCK) {
    float part = 0.0f, part_product = 0.0f;
    for (int i = from * C + c; i < min(from + BLOCK, P) * C; i += C) {
      const float dz = !FUSE || get_map(y + i) > 0.0f ? get_map(dy + i) : 0.0f;
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

/* WIDTH channels of a pixel for each work-item. */
kernel void batchnorm_dx_apply(global stored *restrict dx, global stored *restrict dresidual,
                               global const stored *restrict dy, global const stored *restrict x,
                               global const stored *restrict y, global const float *restrict gamma,
                               global const float *restrict mean, global const float *restrict rstd,
                               global const float *restrict table, int P, int training, int want) {
  const int item = (int)get_global_id(0), p = item / (C / WIDTH), c = item % (C / WIDTH) * WIDTH, at = p * C + c;
  if (p >= P) return;
  FLOATS dz = LOAD_MAP(dy + at);
  if (FUSE) dz = LOAD_MAP(y + at) > 0.0f ? dz : (FLOATS)(0.0f);
  if (want & 8) STORE_MAP(dz, dresidual + at);
  if (want & 1) {
    const FLOATS r = LOAD(rstd + c);
    FLOATS inner = dz;
    if (training)
      inner -= (LOAD(table + c) + (LOAD_MAP(x + at) - LOAD(mean + c)) * r * LOAD(table + C + c)) / (float)P;
    STORE_MAP(LOAD(gamma + c) * r * inner, dx + at);
  }
}
