/* utf8.c: see utf8.h. SPDX-License-Identifier: MIT */
#include "base/utf8.h"
#include "base/array.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int skp__utf8_length(const unsigned char *p, const unsigned char *end) {
  static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  int n = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;
  if (n <= 1) return n;
  if (end - p < n) return 0;
  uint32_t code = p[0] & (0x7fu >> n);
  for (int i = 1; i < n; i++) {
    if (p[i] >> 6 != 2) return 0;
    code = code << 6 | (p[i] & 0x3f);
  }
  return code < smallest[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : n;
}

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
