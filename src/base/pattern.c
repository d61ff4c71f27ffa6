/* pattern.c: see pattern.h. SPDX-License-Identifier: MIT */
#include "base/pattern.h"
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Of a set that begins behind its [: what is behind its ]; NULL: nothing closes it. *in: whether it has the byte. */
static const char *look_in_set(bool *in, const char *set, unsigned char byte) {
  const bool others = *set == '!' || *set == '^';
  bool any = false;
  const char *at = set += others;
  for (; *at && (*at != ']' || at == set); at++) {
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

bool skp__text_has(const char *text, const char *word) {
  const size_t n = strlen(word);
  while (*text && strncasecmp(text, word, n) != 0) text++;
  return !n || *text;
}
