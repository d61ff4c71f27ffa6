/* conv2d_direct.cl: convolution and its gradients, each result by one work-item, for any sizes.
 * SPDX-License-Identifier: MIT
 *
 *   y[n,p,q,k]   = sum over r,s,c  of x[n, p·stride - pad + r·dilation, q·stride
 *                - pad + s·dilation, c] · w[r,s,c,k]
 *   dx[n,h,w,c]  = sum over r,s,k  of dy[n, (h + pad - r·dilation) / stride, (w + pad - s·dilation) / stride, k] ·
 *                  w[r,s,c,k] where both divisions leave no rest
 *   dw[r,s,c,k]  = sum over n,p,q  of x[… as in y] · dy[n,p,q,k],     db[k] = sum over n,p,q  of dy[n,p,q,k]
 *
 *   parts[j, i]  = the same of a part of the pixels, as src/ops/conv2d_dw_parts.c says
 *
 * What is done to y and dx before they are written: epilogue.clh. x {N,H,W,C}, y {N,P,Q,K}, w {R,S,C/groups,K}; a
 * group's K/groups results see the C/groups channels of the same number. */

#include "conv2d.clh"
#include "epilogue.clh"

kernel void conv2d_direct(global stored *restrict y, global const stored *restrict x, global const float *restrict w,
                          EPILOGUE, SIZES) {
  int i = (int)get_global_id(0);
  if (i >= N * P * Q * K) return;
  int k = i % K, q = i / K % Q, p = i / K / Q % P, n = i / K / Q / P;
  int Cg = C / groups, first = k / (K / groups) * Cg;
  float sum = 0.0f;
  for (int r = 0; r < R; r++) {
    int h = p * stride - pad + r * dilation;
    if (h < 0 || h >= H) continue;
    for (int s = 0; s < S; s++) {
      int v = q * stride - pad + s * dilation;
      if (v < 0 || v >= W) continue;
      global const stored *from = x + ((n * H + h) * W + v) * C + first;
      global const float *by = w + (r * S + s) * Cg * K + k;
      for (int c = 0; c < Cg; c++) sum += get_map(from + c) * by[c * K];
    }
  }
  put_map(finish(sum, k, i, EPILOGUE_VALUES), y + i);
}

kernel void conv2d_direct_dx(global stored *restrict dx, global const stored *restrict dy,
                             global const float *restrict w, EPILOGUE, SIZES) {
  int i = (int)get_global_id(0);
  if (i >= N * H * W * C) return;
  int c = i % C, v = i / C % W, h = i / C / W % H, n = i / C / W / H;
  int Cg = C / groups, Kg = K / groups, first = c / Cg * Kg;
  float sum = 0.0f;
  for (int r = 0; r < R; r++) {
    int p = h + pad - r * dilation;
    if (p < 0 || p % stride || p / stride >= P) continue;
    for (int s = 0; s < S; s++) {
      int q = v + pad - s * dilation;
      if (q < 0 || q % stride || q / stride >= Q) continue;
      global const stored *from = dy + ((n * P + p / stride) * Q + q / stride) * K + first;
      global const float *by = w + ((r * S + s) * Cg + c % Cg) * K + first;
      for (int k = 0; k < Kg; k++) sum += get_map(from + k) * by[k];
    }
  }
  put_map(finish(sum, c, i, EPILOGUE_VALUES), dx + i);
}

/* One chunk's part: rows of y are numbered through all images, `rows` of them a chunk. Each row is summed by itself,
 * which keeps rounding small. Entries beyond the weights are those of db. */
kernel void conv2d_direct_dw(global float *restrict partial, global const stored *restrict x,
                             global const stored *restrict dy, int rows, SIZES) {
  int i = (int)get_global_id(0), Cg = C / groups, weights = R * S * Cg * K;
  if (i >= weights + K) return;
  int k = i % K, c = i / K % Cg + k / (K / groups) * Cg, s = i / K / Cg % S, r = i / K / Cg / S;
  int from = (int)get_global_id(1) * rows, to = min(from + rows, N * P);
  float sum = 0.0f;
  for (int row = from; row < to; row++) {
    int h = row % P * stride - pad + r * dilation;
    float part = 0.0f;
    if (i >= weights) {
      for (int q = 0; q < Q; q++) part += get_map(dy + (row * Q + q) * K + k);
    } else if (h >= 0 && h < H) {
      for (int q = 0; q < Q; q++) {
        int v = q * stride - pad + s * dilation;
        if (v < 0 || v >= W) continue;
        part += get_map(x + ((row / P * H + h) * W + v) * C + c) * get_map(dy + (row * Q + q) * K + k);
      }
    }
    sum += part;
  }
  partial[get_global_id(1) * (weights + K) + i] = sum;
}

/* One part of `length` pixels of y. */
kernel void conv2d_direct_dw_parts(global float *restrict parts, global const stored *restrict x,
                                   global const stored *restrict dy, int length, SIZES) {
  const int i = (int)get_global_id(0), Cg = C / groups, weights = R * S * Cg * K;
  if (i >= weights) return;
  const int k = i % K, c = i / K % Cg + k / (K / groups) * Cg, s = i / K / Cg % S, r = i / K / Cg / S;
  const int from = (int)get_global_id(1) * length, to = min(from + length, N * P * Q);
  float sum = 0.0f;
  for (int y = from; y < to; y++) {
    const int h = y / Q % P * stride - pad + r * dilation, v = y % Q * stride - pad + s * dilation;
    if (h < 0 || h >= H || v < 0 || v >= W) continue;
    sum += get_map(x + ((y / Q / P * H + h) * W + v) * C + c) * get_map(dy + y * K + k);
  }
  parts[get_global_id(1) * weights + i] = sum;
}
