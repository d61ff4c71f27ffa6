/* array.h: growing arrays. struct { T *at; size_t n, capacity; } plus SKP_PUSH. SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_ARRAY_H
#define SKP_BASE_ARRAY_H

#include "base/error.h"
#include <stddef.h>

#define SKP_ARRAY(T)                                                                                                   \
  struct {                                                                                                             \
    T *at;                                                                                                             \
    size_t n, capacity;                                                                                                \
  }

/* Grows `a` to hold one more element (zeroed) and counts it in; an skp_status. The new one is a.at[a.n - 1]. */
#define SKP_GROW(a) skp__array_grow((void **)&(a)->at, &(a)->n, &(a)->capacity, sizeof *(a)->at)

/* Frees the elements' memory and leaves an empty array. */
#define SKP_FREE(a) skp__array_free((void **)&(a)->at, &(a)->n, &(a)->capacity)

skp_status skp__array_grow(void **at, size_t *n, size_t *capacity, size_t size);
void skp__array_free(void **at, size_t *n, size_t *capacity);

/* calloc with the error text; `*out` is NULL on failure. Freed with free(). */
skp_status skp__alloc(void *out, size_t count, size_t size);
/* strdup likewise; printf into fresh memory likewise. */
skp_status skp__strdup(char **out, const char *text);
skp_status skp__format(char **out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sets numbers, none of which is NaN, in ascending order; the median of n > 0 that are. */
void skp__sort(double *x, size_t n);
double skp__median(const double *x, size_t n);

#endif
