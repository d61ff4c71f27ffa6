/* json.h: JSON as text. SPDX-License-Identifier: MIT */
#ifndef SKP_IO_JSON_H
#define SKP_IO_JSON_H

#include "base/error.h"
#include <cjson/cJSON.h>
#include <stdbool.h>

/* Fresh memory. It is valid whatever bytes the texts in it hold: those that are not UTF-8 (file names may be of another
 * code) become U+FFFD. json NULL: it could not be made, for lack of memory. */
skp_status skp__json_text(char **out, const cJSON *json, bool formatted);

#endif
