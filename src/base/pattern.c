/* pattern.c: see pattern.h. SPDX-License-Identifier: MIT */
#include "base/pattern.h"
#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Of a class that begins here, as [:digit:] does: where it ends; NULL: none does. *in becomes true if it has the
 * byte. */
static const char *look_in_class(bool *in, const char *at, unsigned char byte) {
  static const struct {
    const char *name;
    int (*has)(int byte);
  } classes[] = {{"[:alnum:]", isalnum}, {"[:alpha:]", isalpha}, {"[:blank:]", isblank}, {"[:cntrl:]", iscntrl},
                 {"[:digit:]", isdigit}, {"[:graph:]", isgraph}, {"[:lower:]", islower}, {"[:print:]", isprint},
                 {"[:punct:]", ispunct}, {"[:space:]", isspace}, {"[:upper:]", isupper}, {"[:xdigit:]", isxdigit}};
  for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
    const size_t n = strlen(classes[i].name);
    if (strncmp(at, classes[i].name, n) != 0) continue;
    *in = *in || classes[i].has(byte);
    return at + n - 1;
  }
  return NULL;
}

/* Of a set that begins behind its [: what is behind its ]; NULL: nothing closes it. *in: whether it has the byte. */
static const char *look_in_set(bool *in, const char *set, unsigned char byte) {
  const bool others = *set == '!' || *set == '^';
  bool any = false;
  const char *at = set += others;
  for (; *at && (*at != ']' || at == set); at++) {
    const char *class = look_in_class(&any, at, byte);
    if (class) {
      at = class;
      continue;
    }
    at += *at == '\\' && at[1];
    const unsigned char first = (unsigned char)*at;
    const bool range = at[1] == '-' && at[2] && at[2] != ']';
    if (range) at += 2;
    const unsigned char last = (unsigned char)*at;
    any = any || (byte >= first && byte <= last);
  }
  *in = any != others;
  return *at ? at + 1 : NULL;
}

/* Whether the pattern's first piece takes the byte; *behind: that piece. */
static bool takes(const char **behind, const char *pattern, unsigned char byte) {
  bool in;
  const char *end = *pattern == '[' ? look_in_set(&in, pattern + 1, byte) : NULL;
  if (end) {
    *behind = end;
    return in;
  }
  const bool any = *pattern == '?';
  pattern += *pattern == '\\' && pattern[1];
  *behind = pattern + 1;
  return any || (unsigned char)*pattern == byte;
}

bool skp__pattern_fits(const char *pattern, const char *name) {
  const char *star = NULL, *from = NULL, *behind; /* the last * and what it stands before */
  while (*name || *pattern) {
    if (*pattern == '*') {
      star = ++pattern;
      from = name;
    } else if (*name && *pattern && takes(&behind, pattern, (unsigned char)*name)) {
      pattern = behind;
      name++;
    } else if (star && *from) { /* it stands for one byte more */
      pattern = star;
      name = ++from;
    } else
      return false;
  }
  return true;
}

bool skp__text_ends(const char *text, const char *end) {
  const size_t n = strlen(text), last = strlen(end);
  return n >= last && strcmp(text + n - last, end) == 0;
}

bool skp__text_has(const char *text, const char *word) {
  const size_t n = strlen(word);
  while (*text && strncasecmp(text, word, n) != 0) text++;
  return !n || *text;
}
