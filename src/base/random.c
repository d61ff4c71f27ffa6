/* random.c: see random.h. SPDX-License-Identifier: MIT */
#include "base/random.h"
#include <math.h>

static uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

uint64_t skp__random_bits(uint64_t seed, uint64_t stream, uint64_t index) {
  const uint64_t gamma = 0x9e3779b97f4a7c15u;
  uint64_t h = mix(seed + gamma);
  h = mix(h + stream * gamma + 1);
  return mix(h + (index + 1) * gamma);
}

struct skp__random skp__random_start(uint64_t seed, uint64_t stream) {
  return (struct skp__random){seed, stream, 0};
}

uint64_t skp__random_next(struct skp__random *r) { return skp__random_bits(r->seed, r->stream, r->index++); }

double skp__random_uniform(struct skp__random *r) { return (double)(skp__random_next(r) >> 11) * 0x1p-53; }

double skp__random_between(struct skp__random *r, double low, double high) {
  return low + (high - low) * skp__random_uniform(r);
}

double skp__random_normal(struct skp__random *r) {
  double u = 1.0 - skp__random_uniform(r); /* in (0, 1] */
  double v = skp__random_uniform(r);
  return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

/* Gamma(shape, 1) after Marsaglia and Tsang (2000), "A Simple Method for Generating Gamma Variables". */
static double gamma_of(struct skp__random *r, double shape) {
  if (shape < 1) return gamma_of(r, shape + 1) * pow(1.0 - skp__random_uniform(r), 1 / shape);
  const double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
  for (;;) {
    double x = skp__random_normal(r), v = 1 + c * x;
    if (v <= 0) continue;
    v = v * v * v;
    if (log(1.0 - skp__random_uniform(r)) < 0.5 * x * x + d - d * v + d * log(v)) return d * v;
  }
}

double skp__random_beta(struct skp__random *r, double alpha) {
  double a = gamma_of(r, alpha), b = gamma_of(r, alpha);
  return a + b > 0 ? a / (a + b)
                   : (double)skp__random_below(r, 2); /* a tiny alpha leaves both at 0: nearly all is at the ends */
}

uint32_t skp__random_below(struct skp__random *r, uint32_t n) {
  uint32_t limit = UINT32_MAX - UINT32_MAX % n; /* draws from limit on would favour small results */
  uint32_t bits;
  do bits = (uint32_t)(skp__random_next(r) >> 32);
  while (bits >= limit);
  return bits % n;
}

void skp__random_permutation(uint32_t *order, uint32_t n, uint64_t seed, uint64_t stream) {
  struct skp__random r = skp__random_start(seed, stream);
  for (uint32_t i = 0; i < n; i++) order[i] = i;
  for (uint32_t i = n; i > 1; i--) {
    uint32_t j = skp__random_below(&r, i);
    uint32_t swap = order[i - 1];
    order[i - 1] = order[j];
    order[j] = swap;
  }
}
