/* random.h: counter-based random numbers. Each draw is a pure function of (seed, stream, index), so neither the number
 * of threads nor the order of the calls changes a result. SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_RANDOM_H
#define SKP_BASE_RANDOM_H

#include <stdint.h>

/* Well mixed 64 bits of the three values (SplitMix64 finaliser, Steele et al. 2014, chained). */
uint64_t skp__random_bits(uint64_t seed, uint64_t stream, uint64_t index);

/* A sequence of draws from one (seed, stream). */
struct skp__random {
  uint64_t seed, stream, index;
};
struct skp__random skp__random_start(uint64_t seed, uint64_t stream);
uint64_t skp__random_next(struct skp__random *r);
double skp__random_uniform(struct skp__random *r);                          /* [0, 1) */
double skp__random_between(struct skp__random *r, double low, double high); /* [low, high) */
double skp__random_normal(struct skp__random *r);                           /* mean 0, variance 1 (Box-Muller) */
double skp__random_beta(struct skp__random *r, double alpha);  /* Beta(alpha, alpha) in [0, 1], alpha > 0 */
uint32_t skp__random_below(struct skp__random *r, uint32_t n); /* 0 … n-1, n > 0, no modulo bias */

/* Fills order[0 … n-1] with a permutation of 0 … n-1 (Fisher-Yates). */
void skp__random_permutation(uint32_t *order, uint32_t n, uint64_t seed, uint64_t stream);

#endif
