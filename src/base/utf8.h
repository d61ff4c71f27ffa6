/* utf8.h: text in UTF-8, and bytes that are none: file names may hold any. SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_UTF8_H
#define SKP_BASE_UTF8_H

#include "base/error.h"

/* Length of the UTF-8 sequence at p (shortest form, no surrogates, at most U+10FFFF); 0: there is none. */
int skp__utf8_length(const unsigned char *p, const unsigned char *end);
/* `text` with each byte that is not part of valid UTF-8 replaced by U+FFFD, or by \xHH,
 * which keeps different names apart. Fresh memory. */
skp_status skp__utf8_repaired(char **out, const char *text);
skp_status skp__utf8_escaped(char **out, const char *text);
/* Any bytes as plain ASCII and back: %HH stands for those that are none, and for % itself. Fresh memory. */
skp_status skp__percent_encoded(char **out, const char *bytes);
skp_status skp__percent_decoded(char **out, const char *text);

#endif
