/* listing.h: what lies in a folder, entry by entry. SPDX-License-Identifier: MIT
 *
 *   skp__listing_open ─> while (skp__listing_next(…)) … ─> skp__listing_close */
#ifndef SKP_BASE_LISTING_H
#define SKP_BASE_LISTING_H

#include "base/disk.h"
#include "base/error.h"

struct skp__listing {
  const char *path;           /* the folder's; the caller's */
  DIR *dir;                   /* NULL: it cannot be listed, and has no entries */
  const struct dirent *entry; /* the present one */
};

/* SKP_IO, SKP_MEMORY: it cannot be listed. */
skp_status skp__listing_open(struct skp__listing *out, const char *path);
/* Goes on to the next entry but . and ..; false: there is none, or *status is a failure, which it may become here:
 * SKP_IO, as the rest cannot be read. A part of what lies there is no list of it. */
bool skp__listing_next(struct skp__listing *l, skp_status *status);
/* After a failure to open it, too. */
void skp__listing_close(struct skp__listing *l);

#endif
