/* utf8.c: see utf8.h. SPDX-License-Identifier: MIT */
#include "base/utf8.h"
#include "base/array.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
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

int skp__utf8_steers(const unsigned char *p, const unsigned char *end) {
  static const struct {
    uint32_t first, last;
  } ranges[] = {{0, 0x1f}, {0x7f, 0x9f}, {0x2028, 0x202e}, {0x2066, 0x2069}};
  int n = skp__utf8_length(p, end);
  uint32_t code = n > 1 ? p[0] & (0x7fu >> n) : p[0];
  for (int i = 1; i < n; i++) code = code << 6 | (p[i] & 0x3f);
  for (size_t i = 0; n && i < sizeof ranges / sizeof *ranges; i++)
    if (code >= ranges[i].first && code <= ranges[i].last) return n;
  return 0;
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

/* ---- what strangers wrote, on a terminal ------------------------------------------------------------------------- */

enum { ESCAPED = 4 }; /* bytes of \xHH */

void skp__utf8_twin(char *out, const char *text, const char *kept) {
  for (; *text; text++) *out++ = strchr(kept, *text) ? ' ' : *text;
  *out = 0;
}

void skp__utf8_show(char *out, size_t size, const char *text, const char *twin) {
  const unsigned char *p = (const unsigned char *)text, *end = p + strlen(text);
  char *to = out, *last = out + size - 1;
  while (p < end) {
    const bool own = twin && twin[(const char *)p - text] != (char)*p;
    const int n = skp__utf8_length(p, end), steers = own ? 0 : skp__utf8_steers(p, end);
    const int plain = steers || !n ? 0 : n, escaped = steers ? steers : 1;
    if (last - to < (plain ? plain : escaped * ESCAPED)) break;
    memcpy(to, p, (size_t)plain);
    to += plain;
    for (int i = 0; !plain && i < escaped; i++) to += sprintf(to, "\\x%02X", p[i]);
    p += plain ? plain : escaped;
  }
  *to = 0;
}

skp_status skp__utf8_shown(char **out, const char *text) {
  size_t size = ESCAPED * strlen(text) + 1;
  SKP_TRY(skp__alloc(out, size, 1));
  skp__utf8_show(*out, size, text, NULL);
  return SKP_OK;
}

/* Prints `text` so that what steers is its own where the twin differs. Without memory nothing is printed. */
static void put_shown(FILE *to, const char *text, const char *twin) {
  size_t size = ESCAPED * strlen(text) + 1;
  char *shown = malloc(size);
  if (!shown) return;
  skp__utf8_show(shown, size, text, twin);
  fputs(shown, to);
  free(shown);
}

/* The text is made twice, with the format and with its twin: where the two differ, line ends are the format's own. */
void skp_print(FILE *to, const char *format, ...) {
  static const char controls[] = "\n\t\r\033";
  char *own = malloc(strlen(format) + 1), *text = NULL, *twin = NULL;
  va_list args, again;
  if (!own) return;
  skp__utf8_twin(own, format, controls);
  va_start(args, format);
  va_copy(again, args);
  if (vasprintf(&text, format, args) < 0) text = NULL;
  if (vasprintf(&twin, own, again) < 0) twin = NULL;
  va_end(again);
  va_end(args);
  if (text && twin) put_shown(to, text, twin);
  free(own);
  free(text);
  free(twin);
}

void skp__print_lines(FILE *to, const char *text) {
  char *twin = malloc(strlen(text) + 1);
  if (!twin) return;
  skp__utf8_twin(twin, text, "\n\t");
  put_shown(to, text, twin);
  free(twin);
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
