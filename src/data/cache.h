/* cache.h: decoded images. SPDX-License-Identifier: MIT */
#ifndef SKP_DATA_CACHE_H
#define SKP_DATA_CACHE_H

#include "data/image.h"

/* Decoded images, kept from the first time on; safe from several threads. A NULL cache keeps nothing. */
struct skp__cache;
skp_status skp__cache_create(struct skp__cache **out, int64_t n);
void skp__cache_destroy(struct skp__cache *c);
skp_status skp__cache_get(const struct skp__cache *c, int64_t i, struct skp_image *out, bool *there);
skp_status skp__cache_put(struct skp__cache *c, int64_t i, const struct skp_image *image);

#endif
