/* batchnorm_dx.cl: the gradients of batch normalisation. SPDX-License-Identifier: MIT
 *
 *   x, y, dy, dx, dresidual {P, C},  P = N·H·W pixels;  normal = (x - mean) · rstd
 *   dz        = dy where y > 0, else 0 (dy itself without FUSE);  dresidual = dz
 *   dbeta[c]  = sum over p of dz,  dgamma[c] = sum over p of dz · normal
 *   dx        = gamma · rstd · (dz - dbeta / P - normal · dgamma / P) in training;  gamma · rstd · dz else
 *
 * The plain way, and the last step of the tiled one: a table {dbeta[C], dgamma[C]}, then each value by itself. */

#ifndef C
#define C 1 /* channels */
#endif
#ifndef TRAINING
#define TRAINING 1 /* 0: mean and rstd are constants */
#endif
#ifndef FUSE
#define FUSE 0 /* not 0: a relu follows */
#endif
#ifndef WANT
#define WANT 15 /* which outputs there are: 1 dx, 2 dgamma, 4 dbeta, 8 dresidual */
#endif
#ifndef WIDTH
#define WIDTH 1 /* channels of a work-item of batchnorm_dx_apply: 1, 2, 4, 8, 16, a divisor of C */
#endif
#ifndef BLOCK
#define BLOCK 32 /* pixels that are summed up before they join the sum; keeps rounding small */
#endif

#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)
#if WIDTH == 1
#define FLOATS      float
#define LOAD(p)     (*(p))
#define STORE(v, p) (*(p) = (v))
#else
#define FLOATS      JOIN(float, WIDTH)
#define LOAD(p)     JOIN(vload, WIDTH)(0, p)
#define STORE(v, p) JOIN(vstore, WIDTH)(v, 0, p)
#endif

/* A work-item for each channel. */
kernel void batchnorm_dx_sums(global float *restrict table, global float *restrict dgamma, global float *restrict dbeta,
                              global const float *restrict dy, global const float *restrict x,
                              global const float *restrict y, global const float *restrict mean,
                              global const float *restrict rstd, int P) {
  const int c = (int)get_global_id(0);
  float sum = 0.0f, product = 0.0f;
  for (int from = 0; from < P; from += BLOCK) {
    float part = 0.0f, part_product = 0.0f;
    for (int i = from * C + c; i < min(from + BLOCK, P) * C; i += C) {
      const float dz = !FUSE || y[i] > 0.0f ? dy[i] : 0.0f;
      part += dz;
      part_product += dz * (x[i] - mean[c]);
    }
    sum += part;
    product += part_product;
  }
  product *= rstd[c];
  table[c] = sum;
  table[C + c] = product;
  if (WANT & 2) dgamma[c] = product;
  if (WANT & 4) dbeta[c] = sum;
}

/* WIDTH channels of a pixel for each work-item. */
kernel void batchnorm_dx_apply(global float *restrict dx, global float *restrict dresidual,
                               global const float *restrict dy, global const float *restrict x,
                               global const float *restrict y, global const float *restrict gamma,
                               global const float *restrict mean, global const float *restrict rstd,
                               global const float *restrict table, int P) {
  const int item = (int)get_global_id(0), p = item / (C / WIDTH), c = item % (C / WIDTH) * WIDTH, at = p * C + c;
  if (p >= P) return;
  FLOATS dz = LOAD(dy + at);
  if (FUSE) dz = LOAD(y + at) > 0.0f ? dz : (FLOATS)(0.0f);
  if (WANT & 8) STORE(dz, dresidual + at);
  if (WANT & 1) {
    const FLOATS r = LOAD(rstd + c);
    FLOATS inner = dz;
    if (TRAINING)
      inner -= (LOAD(table + c) + (LOAD(x + at) - LOAD(mean + c)) * r * LOAD(table + C + c)) / (float)P;
    STORE(LOAD(gamma + c) * r * inner, dx + at);
  }
}
