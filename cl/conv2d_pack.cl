/* conv2d_pack.cl: what conv2d_cpu.cl and conv2d_cpu_dw.cl read, laid out for them: groups of one work-item.
 * SPDX-License-Identifier: MIT
 *
 * Nothing here is compiled for one tile or another, so that one program serves all networks. */
#include "vectors.clh"

/* packed[panel][tap][ci][size]: panel = (group, `size` channels co, a multiple of 16), zero beyond the last channel;
 * then `zeros` zeros. One work-item a panel and tap. w's element for a group's (tap, ci, co) stands at tap·tap_step +
 * group·group_step + ci·ci_step + co·co_step. */
kernel void conv2d_pack(global float *restrict packed, global const float *restrict w, int size, int panels, int taps,
                        int Ci, int Co, int tap_step, int group_step, int ci_step, int co_step, int zeros) {
  int panel = (int)get_global_id(0), tap = (int)get_global_id(1), of_group = (Co + size - 1) / size;
  int co = panel % of_group * size, width = min(size, Co - co);
  global const float *from = w + tap * tap_step + panel / of_group * group_step + co * co_step;
  global float *to = packed + (size_t)(panel * taps + tap) * Ci * size;
  for (int ci = 0; ci < Ci; ci++, from += ci_step, to += size) {
    if (co_step == 1 && width == size) {
      for (int l = 0; l < size; l += 16) put16(get16(from + l), to + l);
    } else {
      for (int l = 0; l < size; l++) to[l] = l < width ? from[l * co_step] : 0.0f;
    }
  }
  if (panel == panels - 1 && tap == taps - 1)
    for (int i = 0; i < zeros; i++) to[i] = 0.0f;
}

/* padded {N, H + 2·pad, W + 2·pad, C} = x {N, H, W, C} with zeros around, from float
 * `at` on. One work-item an image. WC = W·C, padC = pad·C. */
kernel void conv2d_pad(global float *restrict padded, global const float *restrict x, int at, int H, int WC,
                           int pad, int padC) {
  int n = (int)get_global_id(0), width = WC + 2 * padC;
  global float *to = padded + at + (size_t)n * (H + 2 * pad) * width;
  global const float *from = x + (size_t)n * H * WC;
  for (int i = 0; i < pad * width + padC; i++) *to++ = 0.0f;
  for (int h = 0; h < H; h++, to += width, from += WC) {
    for (int i = 0; i < WC; i++) to[i] = from[i];
    for (int i = WC; i < width; i++) to[i] = 0.0f;
  }
  for (int i = 0; i < pad * width - padC; i++) to[i] = 0.0f;
}
