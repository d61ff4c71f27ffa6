/* resize_bilinear.cl: bilinear scaling of images, antialiased. SPDX-License-Identifier: MIT
 *
 *   x {N, H, W, C},  y {N, P, Q, C}
 *   y[n,p,q,c] = sum over h, w of  a_p[h] · a_q[w] · x[n,h,w,c]
 *   a_p[h] = t((h + 1/2 - centre) / reach) / (sum of these),  t(d) = max(1 - |d|, 0)
 *   centre = (p + 1/2) · H / P,  reach = max(H / P, 1);  likewise along w
 *
 * The centre is kept as a whole number and a fraction, (2p + 1) · H = 2P · whole + rest, so that float32 is exact
 * enough for images of any size. A work-item does WIDTH neighbouring channels of one pixel; WIDTH divides C. */

#include "pixels.clh"
#include "width.clh"

/* The pixels from <= i < to of an axis that one position of the result is made of. */
struct window {
  int whole, from, to; /* whole: the centre's integer part */
  float rest, reach;   /* rest: its fraction */
};

static struct window window_of(int p, int in, int out) {
  struct window v;
  const long centre = (2L * p + 1) * in; /* times 2 · out */
  v.whole = (int)(centre / (2L * out));
  v.rest = (float)(centre % (2L * out)) / (2.0f * out);
  v.reach = max((float)in / out, 1.0f);
  v.from = max(v.whole + (int)floor(v.rest - v.reach + 0.5f), 0);
  v.to = min(v.whole + (int)floor(v.rest + v.reach + 0.5f), in);
  return v;
}

static float weight(struct window v, int i) { return max(1.0f - fabs(i - v.whole + 0.5f - v.rest) / v.reach, 0.0f); }

static float weights(struct window v) {
  float sum = 0.0f;
  for (int i = v.from; i < v.to; i++) sum += weight(v, i);
  return sum;
}

kernel void resize_bilinear(global float *restrict y, global const float *restrict x, int pixels, int H, int W, int P,
                            int Q) {
  const int item = (int)get_global_id(0), pixel = item / (C / WIDTH), c = item % (C / WIDTH) * WIDTH;
  if (pixel >= pixels) return;
  const int q = pixel % Q, p = pixel / Q % P, n = pixel / Q / P;
  const struct window rows = window_of(p, H, P), columns = window_of(q, W, Q);
  global const float *image = x + n * H * W * C + c;
  FLOATS sum = 0.0f;
  for (int h = rows.from; h < rows.to; h++) {
    FLOATS part = 0.0f;
    for (int w = columns.from; w < columns.to; w++) part += weight(columns, w) * LOAD(image + (h * W + w) * C);
    sum += weight(rows, h) * part;
  }
  STORE(sum / (weights(rows) * weights(columns)), y + pixel * C + c);
}
