/* conv2d_pack.cl: what conv2d_cpu.cl and conv2d_cpu_dw.cl read, laid out for them: groups of one work-item.
 * SPDX-License-Identifier: MIT
 *
 * Nothing here is compiled for one tile or another, so that one program serves all networks. */
#include "dot.clh"

/* 16 weights that lie `step` apart, zeros from number n on. */
static float16 weights_of(global const float *from, int n, int step) {
  float some[16];
  if (step == 1 && n >= 16) return get16(from);
  for (int l = 0; l < 16; l++) some[l] = l < n ? from[l * step] : 0.0f;
  return vload16(0, some);
}

/* The same as terms: of one channel ci, or of `rows` that lie ci_step apart. */
static terms terms_of(global const float *from, int n, int rows, int ci_step, int co_step) {
#if PAIR == 1
  return weights_of(from, n, co_step);
#else
  return pairs16(weights_of(from, n, co_step), rows > 1 ? weights_of(from + ci_step, n, co_step) : (float16)(0.0f));
#endif
}

/* packed[panel][tap][ci][size]: panel = (group, `size` channels co, a multiple of 16), zero beyond the last channel;
 * then `zeros` zeros. One work-item a panel and tap. w's element for a group's (tap, ci, co) stands at tap·tap_step +
 * group·group_step + ci·ci_step + co·co_step. */
kernel void conv2d_pack(global float *restrict packed, global const float *restrict w, int size, int panels, int taps,
                        int Ci, int Co, int tap_step, int group_step, int ci_step, int co_step, int zeros) {
  int panel = (int)get_global_id(0), tap = (int)get_global_id(1), of_group = (Co + size - 1) / size;
  int co = panel % of_group * size, width = min(size, Co - co);
  global const float *from = w + tap * tap_step + panel / of_group * group_step + co * co_step;
  global term *to = (global term *)packed + (size_t)(panel * taps + tap) * ((Ci + PAIR - 1) / PAIR) * size;
  for (int ci = 0; ci < Ci; ci += PAIR, from += PAIR * ci_step, to += size)
    for (int l = 0; l < size; l += 16)
      put_terms(terms_of(from + l * co_step, width - l, min(PAIR, Ci - ci), ci_step, co_step), to + l);
  if (panel == panels - 1 && tap == taps - 1)
    for (int i = 0; i < zeros; i++) to[i] = 0;
}

/* padded {N, H + 2·pad, W + 2·pad, C} = x {N, H, W, C} with zeros around and one behind, from float
 * `at` on. One work-item an image. WC = W·C, padC = pad·C. */
kernel void conv2d_pad(global float *restrict padded, global const stored *restrict x, int at, int H, int WC, int pad,
                       int padC) {
  int n = (int)get_global_id(0), width = WC + 2 * padC;
  global stored *to = (global stored *)(padded + at) + (size_t)n * (H + 2 * pad) * width;
  global const stored *from = x + (size_t)n * H * WC;
  for (int i = 0; i < pad * width + padC; i++) *to++ = 0;
  for (int h = 0; h < H; h++, to += width, from += WC) {
    for (int i = 0; i < WC; i++) to[i] = from[i];
    for (int i = WC; i < width; i++) to[i] = 0;
  }
  for (int i = 0; i < pad * width - padC; i++) *to++ = 0;
  if (n == (int)get_global_size(0) - 1) *to = 0;
}
