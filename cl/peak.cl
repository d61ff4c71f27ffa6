/* peak.cl: what a device does at best, for src/backend/opencl/peak.c. SPDX-License-Identifier: MIT
 *
 *   peak_products   multiply-adds in registers; where NARROW_MAPS is set products of bfloat16, as dot.clh makes them
 *   peak_tiles      products of tiles of bfloat16 (amx.clh)
 *   peak_read       sums over memory
 *   peak_write      what is written is never read
 *   peak_triad      a = b + 0.5 · c
 *   peak_nothing    a launch */

#ifndef CHAINS
#define CHAINS 12 /* sums of 16 that do not wait for each other; they fit the registers */
#endif
#ifndef WIDTH
#define WIDTH 16 /* neighbouring values of a work-item: 16 where they are a vector, 4 where work-items are */
#endif

#include "amx.clh"
#include "dot.clh"

#define EACH_CHAIN _Pragma("unroll") for (int i = 0; i < CHAINS; i++)

#ifdef NARROW_MAPS
/* 1 and -1 by 1 and 1: the sums stay what they are. */
#define FIRST         ((terms)(0xbf803f80u))
#define SECOND        ((terms)(0x3f803f80u))
#define MULTIPLY(sum) ADD_PRODUCT(sum, first, second)
#else
/* The product needs the sum, so that it cannot be made before the loop. */
#define FIRST         ((terms)(0.5f))
#define SECOND        ((terms)(1.0f))
#define MULTIPLY(sum) ((sum) = (sum)*first + second)
#endif

kernel void peak_products(global float *restrict y, int rounds) {
  const int item = (int)get_global_id(0);
  const terms first = FIRST, second = SECOND;
  float16 sum[CHAINS], all = 0.0f;
  EACH_CHAIN sum[i] = (float)(item + i);
  for (int r = 0; r < rounds; r++) EACH_CHAIN MULTIPLY(sum[i]);
  EACH_CHAIN all += sum[i];
  vstore16(all, item, y);
}

kernel void peak_tiles(global float *restrict y, int rounds) {
  global float *own = y + get_global_id(0) * 1024;
  float sums[256];
  TILES_BEGIN
  TILE_LOAD(4, own, 64);
  TILE_LOAD(5, own + 256, 64);
  TILE_LOAD(6, own + 512, 64);
  TILE_LOAD(7, own + 768, 64);
  ZERO_SUMS;
  for (int r = 0; r < rounds; r++) {
    TILE_PRODUCT(0, 4, 6);
    TILE_PRODUCT(1, 4, 7);
    TILE_PRODUCT(2, 5, 6);
    TILE_PRODUCT(3, 5, 7);
  }
  TILE_STORE(0, sums, 64);
  TILES_END;
  for (int i = 0; i < 256; i++) own[i] = sums[i];
}

/* The memory kernels: work-item i does `count` times WIDTH values, from i·apart on, and `step` apart, both counted in
 * WIDTH values. */
#if WIDTH == 16
#define GET(p)    get16(p)
#define PUT(v, p) stream16(v, p)
#else
#define GET(p)    LOAD(p)
#define PUT(v, p) STORE(v, p)
#endif

/* The sums go to y, what is read begins `at` values behind. */
kernel void peak_read(global float *restrict y, global const float *restrict x, int at, int apart, int step,
                      int count) {
  const int item = (int)get_global_id(0);
  global const float *from = x + at + (size_t)item * apart * WIDTH;
  FLOATS sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
  for (int r = 0; r < count; r += 4)
    _Pragma("unroll") for (int i = 0; i < 4; i++) sum[i] += GET(from + (size_t)(r + i) * step * WIDTH);
  STORE(sum[0] + sum[1] + sum[2] + sum[3], y + (size_t)item * WIDTH);
}

kernel void peak_write(global float *restrict y, int apart, int step, int count) {
  const int item = (int)get_global_id(0);
  global float *to = y + (size_t)item * apart * WIDTH;
  for (int r = 0; r < count; r++) PUT((FLOATS)((float)r), to + (size_t)r * step * WIDTH);
}

/* a, b and c lie `at` values behind each other. */
kernel void peak_triad(global float *restrict y, global const float *restrict x, int at, int apart, int step,
                       int count) {
  const size_t item = (size_t)get_global_id(0) * apart * WIDTH;
  global float *a = y + item;
  global const float *b = x + at + item, *c = b + at;
  for (int r = 0; r < count; r++) {
    const size_t next = (size_t)r * step * WIDTH;
    PUT(GET(b + next) + 0.5f * GET(c + next), a + next);
  }
}

kernel void peak_nothing(global float *restrict y, int something) {
  if (something) y[0] = 1.0f;
}
