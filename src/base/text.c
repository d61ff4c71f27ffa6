/* text.c: see text.h. SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "base/utf8.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void skp__text_add(struct skp__text *t, const char *format, ...) {
  char raw[sizeof t->at], twin[sizeof t->at];
  va_list args;
  va_start(args, format);
  vsnprintf(raw, sizeof raw, format, args);
  va_end(args);
  skp__utf8_twin(twin, raw, "\n\t");
  skp__utf8_show(t->at + t->n, sizeof t->at - t->n, raw, twin);
  t->n += strlen(t->at + t->n);
}
