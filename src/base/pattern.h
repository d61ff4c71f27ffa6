/* pattern.h: names that a pattern fits, and words in texts. SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_PATTERN_H
#define SKP_BASE_PATTERN_H

#include <stdbool.h>

/* Patterns as shells have them: * stands for anything, ? for one byte, [abc] and [a-c] for one of these, [!abc] for one
 * that is none of them, [[:digit:].] for one of a class of POSIX's or a dot; \ takes its meaning from the next. A [
 * that nothing closes is one. */
bool skp__pattern_fits(const char *pattern, const char *name);

/* Whether a text ends with these bytes. */
bool skp__text_ends(const char *text, const char *end);

/* Whether a text has a word in it, in capitals or not. */
bool skp__text_has(const char *text, const char *word);

#endif
