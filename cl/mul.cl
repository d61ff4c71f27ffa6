/* mul.cl: products value by value, and the gradient of a factor that stands for many values.
 * SPDX-License-Identifier: MIT
 *
 *   a, y, dy {pixels, C},  b, db {pixels / per, C}: `per` neighbouring pixels share a row of factors
 *   y[i,c]  = a[i,c] · b[i / per, c]
 *   db[j,c] = sum over the per pixels i of row j of dy[i,c] · a[i,c]
 *             of `parts` parts of `length` pixels each first, which are then added in order
 *
 * A work-item does WIDTH neighbouring channels; WIDTH divides C. Sums are taken in two steps, BLOCK pixels and
 * then blocks. */

#ifndef WIDTH
#define WIDTH 1 /* channels of a work-item: 1, 2, 4, 8, 16, a divisor of C */
#endif
#ifndef BLOCK
#define BLOCK 32 /* pixels that are added up before they join the sum */
#endif

#include "width.clh"

kernel void mul(global float *restrict y, global const float *restrict a, global const float *restrict b, int pixels,
                int C, int per) {
  const int item = (int)get_global_id(0), pixel = item / (C / WIDTH), c = item % (C / WIDTH) * WIDTH;
  if (pixel >= pixels) return;
  STORE(LOAD(a + pixel * C + c) * LOAD(b + pixel / per * C + c), y + pixel * C + c);
}

/* partial {rows · parts, C} */
kernel void mul_db(global float *restrict partial, global const float *restrict dy, global const float *restrict a,
                   int rows, int C, int per, int parts, int length) {
  const int item = (int)get_global_id(0), part = item / (C / WIDTH), c = item % (C / WIDTH) * WIDTH;
  if (part >= rows * parts) return;
  const int first = part / parts * per, from = first + part % parts * length, to = min(from + length, first + per);
  FLOATS sum = 0.0f;
  for (int start = from; start < to; start += BLOCK) {
    FLOATS block = 0.0f;
    for (int i = start; i < min(start + BLOCK, to); i++) block += LOAD(dy + i * C + c) * LOAD(a + i * C + c);
    sum += block;
  }
  STORE(sum, partial + part * C + c);
}

kernel void mul_db_sum(global float *restrict db, global const float *restrict partial, int n, int C, int parts) {
  const int i = (int)get_global_id(0);
  if (i >= n) return;
  float sum = 0.0f;
  for (int part = 0; part < parts; part++) sum += partial[(i / C * parts + part) * C + i % C];
  db[i] = sum;
}
