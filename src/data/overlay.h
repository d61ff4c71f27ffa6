/* overlay.h: a source whose images are another's. SPDX-License-Identifier: MIT */
#ifndef SKP_DATA_OVERLAY_H
#define SKP_DATA_OVERLAY_H

#include "data/source.h"

struct skp__overlay {
  struct skp_source s;            /* first */
  const struct skp_source *whole; /* must outlive it */
  uint32_t *pick;                 /* [n] which image of whole each is; NULL: all of them, as they are */
  int32_t *place;                 /* [classes of whole] the label that each becomes, or -1; NULL: labels stay */
};

/* All images of `whole` under its name. What it picks, which labels they get and its classes are the caller's to set;
 * skp__source_destroy(&(*out)->s) frees all of it. */
skp_status skp__overlay_create(struct skp__overlay **out, const struct skp_source *whole);

#endif
