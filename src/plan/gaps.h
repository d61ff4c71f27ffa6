/* gaps.h: which bytes of an arena are taken at which times, and the lowest gap. SPDX-License-Identifier: MIT */
#ifndef SKP_PLAN_GAPS_H
#define SKP_PLAN_GAPS_H

#include "base/error.h"
#include <stdint.h>

struct skp__gaps;
/* Times are 0 … times-1; nothing is taken. */
skp_status skp__gaps_create(struct skp__gaps **out, int times);
void skp__gaps_destroy(struct skp__gaps *g); /* NULL is fine */
/* The lowest offset at which `bytes` are free from the time `first` to `last`, both included. */
skp_status skp__gaps_lowest(struct skp__gaps *g, int64_t *offset, int first, int last, int64_t bytes);
/* Takes them there, which must be what was found last. */
skp_status skp__gaps_take(struct skp__gaps *g, int64_t offset, int first, int last, int64_t bytes);

#endif
