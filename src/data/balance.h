/* balance.h: classes that come equally often (balance.c). SPDX-License-Identifier: MIT */
#ifndef SKP_DATA_BALANCE_H
#define SKP_DATA_BALANCE_H

#include "data/source.h"

struct skp__balance;
skp_status skp__balance_create(struct skp__balance **out, const struct skp_source *s, uint64_t seed, bool shuffle);
void skp__balance_destroy(struct skp__balance *b); /* NULL is fine */
/* The images of an epoch, as many as the set has: sample + samples × (how often all of its class came before). They are
 * in the order of their classes' turns, which is to be shuffled. */
void skp__balance_epoch(struct skp__balance *b, int64_t *number, int64_t epoch);

#endif
