/* escape.c: texts with other texts for bytes, in fresh memory: see utf8.h. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "base/utf8.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* `stand_in` is printed with the byte that it stands for. */
static skp_status replace(char **out, const char *text, const char *stand_in) {
  enum { LONGEST = 4 };
  size_t size = strlen(text);
  SKP_TRY(skp__alloc(out, LONGEST * size + 1, 1));
  const unsigned char *p = (const unsigned char *)text, *end = p + size;
  for (char *to = *out; p < end;) {
    char instead[LONGEST + 1];
    int n = skp__utf8_length(p, end);
    if (!n) snprintf(instead, sizeof instead, stand_in, *p);
    size_t used = n ? (size_t)n : strlen(instead);
    memcpy(to, n ? (const char *)p : instead, used);
    to += used;
    p += n ? n : 1;
  }
  return SKP_OK;
}

skp_status skp__utf8_repaired(char **out, const char *text) { return replace(out, text, "\xef\xbf\xbd"); }
skp_status skp__utf8_escaped(char **out, const char *text) { return replace(out, text, "\\x%02X"); }

skp_status skp__utf8_shown(char **out, const char *text) {
  size_t size = SKP__SHOWN_BYTE * strlen(text) + 1;
  SKP_TRY(skp__alloc(out, size, 1));
  skp__utf8_show(*out, size, text, NULL);
  return SKP_OK;
}

skp_status skp__percent_encoded(char **out, const char *bytes) {
  SKP_TRY(skp__alloc(out, 3 * strlen(bytes) + 1, 1));
  for (char *to = *out; *bytes; bytes++) {
    const unsigned char byte = (unsigned char)*bytes;
    to += sprintf(to, byte < 0x20 || byte >= 0x7f || byte == '%' ? "%%%02X" : "%c", byte);
  }
  return SKP_OK;
}

static int digit(char c) {
  static const char digits[] = "0123456789ABCDEF";
  const char *at = c ? strchr(digits, c) : NULL;
  return at ? (int)(at - digits) : -1;
}

skp_status skp__percent_decoded(char **out, const char *text) {
  SKP_TRY(skp__alloc(out, strlen(text) + 1, 1));
  for (char *to = *out; *text; to++) {
    const bool coded = *text == '%' && digit(text[1]) >= 0 && digit(text[2]) >= 0;
    *to = coded ? (char)(digit(text[1]) << 4 | digit(text[2])) : *text;
    text += coded ? 3 : 1;
  }
  return SKP_OK;
}
