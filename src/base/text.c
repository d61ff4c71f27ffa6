/* text.c: see text.h. SPDX-License-Identifier: MIT */
#include "base/text.h"
#include <stdarg.h>
#include <stdio.h>

void skp__text_add(struct skp__text *t, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int n = vsnprintf(t->at + t->n, sizeof t->at - t->n, format, args);
  va_end(args);
  if (n > 0) t->n += (size_t)n;
  if (t->n >= sizeof t->at) t->n = sizeof t->at - 1;
}
