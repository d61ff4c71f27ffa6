/* optimizer.cl: updates of parameters p by their gradients g. SPDX-License-Identifier: MIT
 *
 *   h = {lr, 1 - beta1^t, 1 - beta2^t, ema_rate} is read on the device, so that a step is the same launch each time.
 *
 *   sgd     d = g + decay · p;  m' = momentum · m + d;  p' = p - lr · m'        (NESTEROV: p - lr · (d + momentum ·
 *           m')) without MOMENTUM there is no m and p' = p - lr · d
 *   adam    d = g + decay · p;  m' = beta1 · m + (1 - beta1) · d;  v' = beta2 · v + (1 - beta2) · d²
 *           p' = p - lr · (m' / h[1]) / (sqrt(v' / h[2]) + eps)
 *   adamw   (DECOUPLED) the same with d = g, and p' lessened by lr · decay · p
 *   lion    c = beta1 · m + (1 - beta1) · g;  m' = beta2 · m + (1 - beta2) · g
 *           p' = p - lr · (sign(c) + decay · p)
 *
 * FACTORS: f[2j] multiplies lr and f[2j + 1] decay for the values from j · BLOCK on. SCALE: scale[0] multiplies g.
 * AVERAGE: a' = a + ema_rate · (p' - a). GUARD: where broken[0] is not 0
 * p, m and v stay as they are.
 *
 * A work-item does WIDTH neighbouring values. A result may lie where its input does. */

#ifndef WIDTH
#define WIDTH 8 /* values of a work-item: 2, 4, 8, 16 */
#endif
#ifndef MOMENTUM
#define MOMENTUM 1 /* sgd: 0: there is no m */
#endif
#ifndef NESTEROV
#define NESTEROV 0 /* sgd: 1: look ahead */
#endif
#ifndef DECOUPLED
#define DECOUPLED 0 /* adam: 1: AdamW's weight decay */
#endif

#ifndef BLOCK
#define BLOCK 128 /* values with the same factors; WIDTH divides it */
#endif
#ifndef FACTORS
#define FACTORS 0 /* 1: there is f */
#endif
#ifndef SCALE
#define SCALE 0 /* 1: there is scale */
#endif
#ifndef AVERAGE
#define AVERAGE 0 /* 1: there is a */
#endif
#ifndef GUARD
#define GUARD 0 /* 1: there is broken */
#endif

#include "width.clh"

/* The first `left` of WIDTH values (all of them but at the very end), the others 0. */
static FLOATS load(global const float *p, int left) {
  if (left >= WIDTH) return LOAD(p);
  float part[WIDTH];
  for (int j = 0; j < WIDTH; j++) part[j] = j < left ? p[j] : 0.0f;
  return LOAD(part);
}

static void store(FLOATS v, global float *p, int left) {
  if (left >= WIDTH) {
    STORE(v, p);
  } else {
    float part[WIDTH];
    STORE(v, part);
    for (int j = 0; j < WIDTH; j++) /* a constant number, that the array may be registers */
      if (j < left) p[j] = part[j];
  }
}

/* The factor of lr (which 0) or of decay (which 1) for the values from i on. */
static float factor(global const float *f, int i, int which) { return FACTORS ? f[i / BLOCK * 2 + which] : 1.0f; }

static FLOATS gradient(global const float *g, global const float *scale, int left) {
  FLOATS d = load(g, left);
#if SCALE
  d *= scale[0];
#endif
  return d;
}

/* The new values of p, and what they make of the average. */
static void finish(FLOATS p, global float *new_p, global float *new_a, global const float *a, float ema_rate, int i,
                   int left) {
  store(p, new_p + i, left);
#if AVERAGE
  FLOATS old = load(a + i, left);
  store(old + ema_rate * (p - old), new_a + i, left);
#endif
}

/* Whether p stays as it is: then this is done. */
static int keep(global const float *broken, global const float *p, global float *new_p, global float *new_a,
                global const float *a, float ema_rate, int i, int left) {
  if (!GUARD || broken[0] == 0.0f) return 0;
  finish(load(p + i, left), new_p, new_a, a, ema_rate, i, left);
  return 1;
}

kernel void sgd(global float *new_p, global float *new_m, global float *new_a, global const float *p,
                global const float *restrict g, global const float *m, global const float *restrict h,
                global const float *restrict f, global const float *restrict scale, global const float *a,
                 global const float *restrict broken, int n,
                float momentum, float decay) {
  const int i = (int)get_global_id(0) * WIDTH, left = n - i;
  if (left <= 0 || keep(broken, p, new_p, new_a, a, h[3], i, left)) return;
  FLOATS at = load(p + i, left), d = gradient(g + i, scale, left) + decay * factor(f, i, 1) * at;
#if MOMENTUM
  FLOATS kept = momentum * load(m + i, left) + d;
  store(kept, new_m + i, left);
  d = NESTEROV ? d + momentum * kept : kept;
#endif
  finish(at - h[0] * factor(f, i, 0) * d, new_p, new_a, a, h[3], i, left);
}

kernel void adam(global float *new_p, global float *new_m, global float *new_v, global float *new_a,
                 global const float *p, global const float *restrict g, global const float *m, global const float *v,
                 global const float *restrict h, global const float *restrict f, global const float *restrict scale,
                 global const float *a,
                 global const float *restrict broken, int n, float beta1, float beta2, float eps, float decay) {
  const int i = (int)get_global_id(0) * WIDTH, left = n - i;
  if (left <= 0 || keep(broken, p, new_p, new_a, a, h[3], i, left)) return;
  const float lr = h[0] * factor(f, i, 0), pull = decay * factor(f, i, 1), of_m = lr / h[1], of_v = 1.0f / h[2];
  FLOATS at = load(p + i, left), d = gradient(g + i, scale, left);
  if (!DECOUPLED) d += pull * at;
  FLOATS mean = beta1 * load(m + i, left) + (1.0f - beta1) * d;
  FLOATS square = beta2 * load(v + i, left) + (1.0f - beta2) * d * d;
  store(mean, new_m + i, left);
  store(square, new_v + i, left);
  FLOATS step = of_m * mean / (sqrt(square * of_v) + eps);
  if (DECOUPLED) step += lr * pull * at;
  finish(at - step, new_p, new_a, a, h[3], i, left);
}

kernel void lion(global float *new_p, global float *new_m, global float *new_a, global const float *p,
                 global const float *restrict g, global const float *m, global const float *restrict h,
                 global const float *restrict f, global const float *restrict scale, global const float *a,
                 global const float *restrict broken, int n,
                 float beta1, float beta2, float decay) {
  const int i = (int)get_global_id(0) * WIDTH, left = n - i;
  if (left <= 0 || keep(broken, p, new_p, new_a, a, h[3], i, left)) return;
  FLOATS at = load(p + i, left), d = gradient(g + i, scale, left), kept = load(m + i, left);
  FLOATS c = beta1 * kept + (1.0f - beta1) * d;
  c = select(sign(c), c, isnan(c)); /* the sign of NaN would be 0 */
  store(beta2 * kept + (1.0f - beta2) * d, new_m + i, left);
  finish(at - h[0] * factor(f, i, 0) * (c + decay * factor(f, i, 1) * at), new_p, new_a, a, h[3], i, left);
}
