/* listing.c: see listing.h. SPDX-License-Identifier: MIT */
#include "base/listing.h"
#include "base/array.h"
#include <errno.h>
#include <string.h>

static skp_status fail(const char *path) {
  if (errno == ENOMEM) return skp__fail_memory(path, 0);
  return skp__fail(SKP_IO, "The folder %s cannot be listed: %s.", path, strerror(errno));
}

skp_status skp__listing_open(struct skp__listing *out, const char *path) {
  *out = (struct skp__listing){.path = path, .dir = opendir(path)};
  return out->dir ? SKP_OK : fail(path);
}

static bool is_own(const char *name) { return !strcmp(name, ".") || !strcmp(name, ".."); }

bool skp__listing_next(struct skp__listing *l, skp_status *status) {
  if (!l->dir || *status != SKP_OK) return false;
  do {
    errno = 0; /* by which the end differs from an error */
    l->entry = readdir(l->dir);
  } while (l->entry && is_own(l->entry->d_name));
  if (!l->entry && errno) *status = fail(l->path);
  return l->entry;
}

void skp__listing_close(struct skp__listing *l) {
  if (l->dir) closedir(l->dir);
}
