/* names.h: lists of names, and those of what lies in a folder. SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_NAMES_H
#define SKP_BASE_NAMES_H

#include "base/array.h"

typedef SKP_ARRAY(char *) skp__names;
void skp__names_free(skp__names *list);
skp_status skp__names_add(skp__names *list, const char *name);
void skp__names_sort(skp__names *list); /* by their bytes */

/* Appends the names of all that lies in a folder but of what begins with a dot, sorted by their bytes; skp__names_free
 * also after a failure, which appends nothing. SKP_IO: it cannot be listed, or not all of it. */
skp_status skp__names_in(skp__names *list, const char *folder);

#endif
