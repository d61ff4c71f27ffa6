/* index.h: what the headers of a large set's pictures said, kept from one run to the next. SPDX-License-Identifier: MIT
 *
 *   open ─> find (and note, where it is not known): as often as there are pictures, in any order ─> close */
#ifndef SKP_DATA_INDEX_H
#define SKP_DATA_INDEX_H

#include "data/image.h"

enum { SKP_INDEX_LEAST = 10000 }; /* pictures; smaller sets are looked at as fast as an index is read */

/* A NULL index knows nothing and keeps nothing. */
struct skp__index;
/* Of the set of so many pictures that lies at `place`, a path; sets that share one, as the parts of a list do, are told
 * apart by their first picture. NULL: it is small, or skp__host names no folder. What is kept but damaged, cut or of
 * another version is as good as none. */
skp_status skp__index_open(struct skp__index **out, const char *place, const char *first, int64_t pictures);
/* Whether it is known what the header says of the picture that the set calls `name`, at byte `position` of `file`, 0
 * where that is the picture: the file has the time and the size that it had when it was read. Sets height, width and
 * channels. */
bool skp__index_find(struct skp__index *x, struct skp_image *out, const char *name, const char *file, int64_t position);
/* The picture that was asked for last is sound, and its header says so. */
void skp__index_note(struct skp__index *x, const struct skp_image *image);
/* Keeps what was asked for and known or noted, if that is news, and frees it. Where it cannot be written the next run
 * looks again, which is no error. */
void skp__index_close(struct skp__index *x);

#endif
