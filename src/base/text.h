/* text.h: a text put together piece by piece in bounded memory, for errors and reports; what does not fit is cut, what
 * steers a terminal is shown as \xHH. SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_TEXT_H
#define SKP_BASE_TEXT_H

#include <stddef.h>

struct skp__text {
  size_t n;      /* bytes in it, without the final zero */
  char at[4000]; /* begin with an all-zero struct */
};
/* Bytes in MiB, as texts show them. */
static inline double skp__mib(double bytes) { return bytes / (1 << 20); }
void skp__text_add(struct skp__text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
