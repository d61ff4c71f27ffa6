/* dropout.cl: values left out at random, the others scaled. SPDX-License-Identifier: MIT
 *
 *   y[i] = x[i] · (bits(key, stream, i / together) >> 40 < threshold ? 0 : scale)
 *   bits(s, t, i) = mix(mix(mix(s + G) + t · G + 1) + (i + 1) · G),  which is skp__random_bits of src/base/random.c
 *
 * threshold = p · 2^24, scale = 1 / (1 - p); key holds the low and the high half of s. The gradient is the same kernel
 * on dy. A work-item does WIDTH neighbouring values. In the first kernel each value has a number of its own: `together`
 * is 1. */

#ifndef WIDTH
#define WIDTH 8 /* values of a work-item */
#endif

#define G 0x9e3779b97f4a7c15UL

static ulong mix(ulong z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
  return z ^ (z >> 31);
}

kernel void dropout(global float *restrict y, global const float *restrict x, global const uint *restrict key, int n,
                    int threshold, float scale, int stream) {
  const int from = (int)get_global_id(0) * WIDTH;
  const ulong seed = (ulong)key[1] << 32 | key[0];
  const ulong layer = mix(mix(seed + G) + (ulong)stream * G + 1);
  for (int i = from; i < min(from + WIDTH, n); i++) {
    const int drawn = (int)(mix(layer + ((ulong)i + 1) * G) >> 40);
    y[i] = x[i] * (drawn < threshold ? 0.0f : scale); /* a product, so that NaN passes */
  }
}

kernel void dropout_images(global float *restrict y, global const float *restrict x, global const uint *restrict key,
                           int n, int threshold, float scale, int stream, int together) {
  const int from = (int)get_global_id(0) * WIDTH, to = min(from + WIDTH, n);
  const ulong seed = (ulong)key[1] << 32 | key[0];
  const ulong layer = mix(mix(seed + G) + (ulong)stream * G + 1);
  for (int i = from; i < to;) {
    const int image = i / together, end = min((image + 1) * together, to);
    const float factor = (int)(mix(layer + ((ulong)image + 1) * G) >> 40) < threshold ? 0.0f : scale;
    for (; i < end; i++) y[i] = x[i] * factor;
  }
}
