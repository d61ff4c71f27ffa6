/* utf8.c: see utf8.h. SPDX-License-Identifier: MIT */
#include "base/utf8.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
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

const char *skp__utf8_unmarked(const char *text) { return strncmp(text, "\xef\xbb\xbf", 3) ? text : text + 3; }

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

/* ---- what strangers wrote, on a terminal ------------------------------------------------------------------------- */

void skp__utf8_twin(char *out, const char *text, const char *kept) {
  for (; *text; text++) *out++ = strchr(kept, *text) ? ' ' : *text;
  *out = 0;
}

enum { PIECE = 4 * SKP__SHOWN_BYTE + 1 };

/* How the character at `p` is shown, as a text in `piece`; the bytes that it takes of `p`. */
static int show_one(char piece[PIECE], const unsigned char *p, const unsigned char *end, bool own) {
  const int n = skp__utf8_length(p, end), steers = own ? 0 : skp__utf8_steers(p, end);
  const int plain = steers || !n ? 0 : n, escaped = steers ? steers : 1;
  memcpy(piece, p, (size_t)plain);
  piece[plain] = 0;
  for (int i = 0; !plain && i < escaped; i++) sprintf(piece + i * SKP__SHOWN_BYTE, "\\x%02X", p[i]);
  return plain ? plain : escaped;
}

void skp__utf8_show(char *out, size_t size, const char *text, const char *twin) {
  const unsigned char *p = (const unsigned char *)text, *end = p + strlen(text);
  char *last = out + size - 1, piece[PIECE];
  while (p < end) {
    p += show_one(piece, p, end, twin && twin[(const char *)p - text] != (char)*p);
    const size_t n = strlen(piece);
    if (last - out < (ptrdiff_t)n) break;
    memcpy(out, piece, n);
    out += n;
  }
  *out = 0;
}

/* Prints `text` so that what steers is its own where the twin differs. */
static void put_shown(FILE *to, const char *text, const char *twin) {
  const unsigned char *p = (const unsigned char *)text, *end = p + strlen(text);
  char piece[PIECE];
  while (p < end) {
    p += show_one(piece, p, end, twin[(const char *)p - text] != (char)*p);
    fputs(piece, to);
  }
}

enum { USUAL = 2048 }; /* bytes: texts up to this need no memory, and longer ones are cut where it lacks */

/* The text in `room` or, where that is too small, in fresh memory. */
static char *make_text(char room[USUAL], const char *format, va_list args) {
  va_list again;
  char *fresh;
  va_copy(again, args);
  const bool fits = vsnprintf(room, USUAL, format, args) < USUAL;
  if (fits || vasprintf(&fresh, format, again) < 0) fresh = room;
  va_end(again);
  return fresh;
}

static void free_text(char *text, const char *room) {
  if (text != room) free(text);
}

/* The text is made twice, with the format and with its twin: where the two differ, line ends are the format's own. */
void skp_print(FILE *to, const char *format, ...) {
  static const char controls[] = "\n\t\r\033";
  char own_room[USUAL], text_room[USUAL], twin_room[USUAL];
  char *own = strlen(format) < USUAL ? own_room : malloc(strlen(format) + 1);
  va_list args, again;
  if (!own) return;
  skp__utf8_twin(own, format, controls);
  va_start(args, format);
  va_copy(again, args);
  char *text = make_text(text_room, format, args), *twin = make_text(twin_room, own, again);
  va_end(again);
  va_end(args);
  if (strlen(text) > strlen(twin)) text[strlen(twin)] = 0; /* only one was cut */
  put_shown(to, text, twin);
  free_text(text, text_room);
  free_text(twin, twin_room);
  free_text(own, own_room);
}

void skp__print_lines(FILE *to, const char *text) {
  const unsigned char *p = (const unsigned char *)text, *end = p + strlen(text);
  char piece[PIECE];
  while (p < end) {
    p += show_one(piece, p, end, *p == '\n' || *p == '\t');
    fputs(piece, to);
  }
}
