/* error.c: the error text of each thread. SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "base/utf8.h"
#include "skipper/tools.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 8192 }; /* a compiler's log fits; longer ones are cut */

static _Thread_local char text[TEXT_SIZE];

const char *skp_status_name(skp_status status) {
  static const char *const names[] = {
#define X(name, words) #name,
      SKP_STATUS_LIST(X)
#undef X
  };
  return (unsigned)status < sizeof names / sizeof *names ? names[status] : "unknown";
}

const char *skp_status_text(skp_status status) {
  static const char *const texts[] = {
#define X(name, words) words,
      SKP_STATUS_LIST(X)
#undef X
  };
  return (unsigned)status < sizeof texts / sizeof *texts ? texts[status] : "unknown error";
}

const char *skp_error_message(void) { return text; }

static void set_text(const char *format, va_list args) {
  char fresh[TEXT_SIZE], twin[TEXT_SIZE]; /* the arguments may hold the present text */
  vsnprintf(fresh, sizeof fresh, format, args);
  skp__utf8_twin(twin, fresh, "\n\t");
  skp__utf8_show(text, sizeof text, fresh, twin);
}

skp_status skp__fail(skp_status status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  set_text(format, args);
  va_end(args);
  return status;
}

skp_status skp_fail(skp_status status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  set_text(format, args);
  va_end(args);
  return status;
}

skp_status skp__fail_in(skp_status status, const char *format, ...) {
  char raw[TEXT_SIZE / 8], context[TEXT_SIZE / 4];
  va_list args;
  va_start(args, format);
  vsnprintf(raw, sizeof raw, format, args);
  va_end(args);
  skp__utf8_show(context, sizeof context, raw, NULL); /* names: no line ends of their own */
  return skp__fail(status, "%s: %s", context, text);
}

char *skp__error_keep(void) { return strdup(text); }

skp_status skp__error_restore(skp_status status, char *kept) {
  if (kept) skp__fail(status, "%s", kept);
  free(kept);
  return status;
}

skp_status skp__fail_memory(const char *what, unsigned long long bytes) {
  if (!bytes) return skp__fail(SKP_MEMORY, "Out of memory for %s.", what);
  return skp__fail(SKP_MEMORY, "Out of memory: %llu bytes for %s.", bytes, what);
}
