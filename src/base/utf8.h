/* utf8.h: text in UTF-8, and bytes that are none: file names may hold any. SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_UTF8_H
#define SKP_BASE_UTF8_H

#include "base/error.h"
#include <stdio.h>

enum { SKP__SHOWN_BYTE = 4 }; /* of \xHH, as a byte is shown that is not printed as it is */

/* Length of the UTF-8 sequence at p (shortest form, no surrogates, at most U+10FFFF); 0: there is none. */
int skp__utf8_length(const unsigned char *p, const unsigned char *end);
/* `text` behind what spreadsheets and editors may put before the first letter of a file in UTF-8. */
const char *skp__utf8_unmarked(const char *text);
/* `text` with each byte that is not part of valid UTF-8 replaced by U+FFFD, or by \xHH,
 * which keeps different names apart. Fresh memory. */
skp_status skp__utf8_repaired(char **out, const char *text);
skp_status skp__utf8_escaped(char **out, const char *text);
/* A name as it is shown: the same with \xHH also for the bytes of characters that steer a terminal or break a line. */
skp_status skp__utf8_shown(char **out, const char *text);
/* The same in bounded memory, cut where it does not fit. What steers stays where `twin`, a text of the same length,
 * differs from `text`; NULL: nowhere. */
void skp__utf8_show(char *out, size_t size, const char *text, const char *twin);
/* Makes the twin of a text: a copy in which blanks stand for those of the characters `kept` that are in it. */
void skp__utf8_twin(char *out, const char *text, const char *kept);
/* Length of the character at p that steers a terminal or breaks a line (C0, DEL, C1, Unicode's line separators and
 * turns of direction); 0: it does neither. */
int skp__utf8_steers(const unsigned char *p, const unsigned char *end);
/* Prints lines by a stranger; skp_print (skipper/status.h) prints lines of ours with words of theirs. */
void skp__print_lines(FILE *to, const char *text);
/* Any bytes as plain ASCII and back: %HH stands for those that are none, and for % itself. Fresh memory. */
skp_status skp__percent_encoded(char **out, const char *bytes);
skp_status skp__percent_decoded(char **out, const char *text);

#endif
