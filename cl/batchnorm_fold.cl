/* batchnorm_fold.cl: batch normalisation in evaluation as a factor and an addend for each channel.
 * SPDX-License-Identifier: MIT
 *
 *   scale[c] = gamma[c] / sqrt(var[c] + eps)
 *   shift[c] = beta[c] + scale[c] · (b[c] - mean[c])          b may be absent: 0 */

kernel void batchnorm_fold(global float *restrict scale, global float *restrict shift,
                           global const float *restrict gamma, global const float *restrict beta,
                           global const float *restrict mean, global const float *restrict var,
                           global const float *restrict b, int has_b, float eps, int C) {
  int c = (int)get_global_id(0);
  if (c >= C) return;
  float factor = gamma[c] / sqrt(var[c] + eps);
  scale[c] = factor;
  shift[c] = beta[c] + factor * ((has_b ? b[c] : 0.0f) - mean[c]);
}
