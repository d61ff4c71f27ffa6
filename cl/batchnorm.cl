/* batchnorm.cl: batch normalisation, with what may follow it fused in. SPDX-License-Identifier: MIT
 *
 *   x, residual, y {P, C},  P = N·H·W pixels
 *   mean, var    of a channel over all pixels (TRAINING), else the running ones;  rstd = 1 / sqrt(var + eps)
 *   y[p,c]       = act(gamma[c] · (x[p,c] - mean[c]) · rstd[c] + beta[c] [+ residual[p,c]])
 *   new_running  = (1 - momentum) · running + momentum · (mean, var · P / (P - 1))
 *
 * The plain way, and the last step of the tiled one: a table {mean[C], rstd[C]}, then each value by itself. */

#ifndef C
#define C 1 /* channels */
#endif
#ifndef TRAINING
#define TRAINING 1 /* 0: normalise by the running statistics */
#endif
#ifndef FUSE
#define FUSE 0 /* 1: relu, 2: + residual, relu */
#endif
#ifndef WANT
#define WANT 15 /* which outputs there are besides y: 1 new_running_mean, 2 new_running_var, 4 mean, 8 rstd */
#endif
#ifndef WIDTH
#define WIDTH 1 /* channels of a work-item of batchnorm_apply: 1, 2, 4, 8, 16, a divisor of C */
#endif
#ifndef BLOCK
#define BLOCK 32 /* pixels that are summed up before they join what went before; keeps rounding small */
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

/* A work-item for each channel. The mean and the sum of squared distances from it grow block by block (Chan et al. 1979), as differences from
 * a mean of much the same size do not cancel. */
kernel void batchnorm_statistics(global float *restrict table, global float *new_running_mean,
                                 global float *new_running_var, global float *restrict mean_out,
                                 global float *restrict rstd_out, global const float *restrict x,
                                 global const float *running_mean, global const float *running_var, int P, float eps,
                                 float momentum) {
  const int c = (int)get_global_id(0);
  float mean = 0.0f, squares = 0.0f;
  for (int from = 0; from < P; from += BLOCK) {
    const int to = min(from + BLOCK, P);
    float sum = 0.0f, own = 0.0f;
    for (int p = from; p < to; p++) sum += x[p * C + c];
    const float centre = sum / (to - from), apart = centre - mean, share = (float)(to - from) / to;
    for (int p = from; p < to; p++) own += (x[p * C + c] - centre) * (x[p * C + c] - centre);
    mean += apart * share;
    squares += own + apart * apart * share * from;
  }
  const float rstd = 1.0f / sqrt(squares / P + eps);
  table[c] = mean;
  table[C + c] = rstd;
  if (WANT & 1) new_running_mean[c] = (1.0f - momentum) * running_mean[c] + momentum * mean;
  if (WANT & 2) new_running_var[c] = (1.0f - momentum) * running_var[c] + momentum * squares / max(P - 1, 1);
  if (WANT & 4) mean_out[c] = mean;
  if (WANT & 8) rstd_out[c] = rstd;
}

/* WIDTH channels of a pixel for each work-item. `table` is read in training, the running statistics else. */
kernel void batchnorm_apply(global float *restrict y, global float *restrict mean_out, global float *restrict rstd_out,
                            global const float *restrict x, global const float *restrict gamma,
                            global const float *restrict beta, global const float *restrict residual,
                            global const float *restrict table, global const float *restrict running_mean,
                            global const float *restrict running_var, int P, float eps) {
  const int item = (int)get_global_id(0), p = item / (C / WIDTH), c = item % (C / WIDTH) * WIDTH, at = p * C + c;
  if (p >= P) return;
  const FLOATS mean = TRAINING ? LOAD(table + c) : LOAD(running_mean + c);
  const FLOATS rstd = TRAINING ? LOAD(table + C + c) : 1.0f / sqrt(LOAD(running_var + c) + eps);
  FLOATS z = (LOAD(x + at) - mean) * (LOAD(gamma + c) * rstd) + LOAD(beta + c);
  if (FUSE == 2) z += LOAD(residual + at);
  if (FUSE) z = z < 0.0f ? (FLOATS)(0.0f) : z;
  STORE(z, y + at);
  if (!TRAINING && (WANT & 4) && p == 0) STORE(mean, mean_out + c);
  if (!TRAINING && (WANT & 8) && p == 0) STORE(rstd, rstd_out + c);
}
