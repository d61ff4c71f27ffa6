/* json.h: JSON as text. SPDX-License-Identifier: MIT */
#ifndef SKP_IO_JSON_H
#define SKP_IO_JSON_H

#include "base/error.h"
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* What a text (NULL: there is none) says; *out NULL and SKP_OK: it is no JSON. cJSON itself does not tell that from
 * a lack of memory. */
skp_status skp__json_parse(cJSON **out, const char *text);
/* The same of the value that so many bytes begin with; *end is where it ends, or what is wrong. */
skp_status skp__json_parse_first(cJSON **out, const char *bytes, size_t n, const char **end);
/* The same of a text that is JSON but for the bytes in its strings, as cJSON prints it. */
skp_status skp__json_safe(char **out, const char *text);
/* Fresh memory. It is valid whatever bytes the texts in it hold: those that are not UTF-8 (file names may be of another
 * code) become U+FFFD. json NULL: it could not be made, for lack of memory. */
skp_status skp__json_text(char **out, const cJSON *json, bool formatted);
/* Puts `item` into an object (either may be NULL, for lack of memory), or destroys it and returns false. What is saved
 * is put together with these alone, so that no entry is lost unseen. */
bool skp__json_add(cJSON *to, const char *name, cJSON *item);
bool skp__json_add_text(cJSON *to, const char *name, const char *value);
bool skp__json_add_number(cJSON *to, const char *name, double value);
/* Whole numbers up to it are what they are in JSON; larger ones may be rounded by those who read it. */
#define SKP_JSON_EXACT ((int64_t)1 << 53)
/* A number, or where it might be rounded a text. */
bool skp__json_add_whole(cJSON *to, const char *name, uint64_t value);
/* The number of that name in an object (NULL: there is none), or the one to fall back on. */
double skp__json_number_of(const cJSON *from, const char *name, double fallback);

#endif
