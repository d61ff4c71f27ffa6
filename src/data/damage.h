/* damage.h: images that cannot be read. SPDX-License-Identifier: MIT */
#ifndef SKP_DATA_DAMAGE_H
#define SKP_DATA_DAMAGE_H

#include "base/error.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

struct skp_damage;
/* What cannot be read in a set; 1 image in 100 may be so, and 5 at least, but never all. Safe from several threads.
 * `set` is its name, and must outlive it. */
enum { SKP_DAMAGE_USUAL = -1 };
skp_status skp__damage_create(struct skp_damage **out, const char *set, int64_t samples);
void skp__damage_destroy(struct skp_damage *d); /* NULL is fine */
/* Sample `sample` cannot be read because of the present error, `why`. SKP_OK: it is noted; else it is none of the image
 * (a lack of memory), and `why` comes back. */
skp_status skp__damage_note(struct skp_damage *d, int64_t sample, skp_status why);
bool skp__damage_known(struct skp_damage *d, int64_t sample);
/* SKP_OK if there is no more of it than is borne; else the error lists it. */
skp_status skp__damage_judge(struct skp_damage *d);
/* From now on so many are borne; judges at once. NULL is fine. */
skp_status skp__damage_bear(struct skp_damage *d, int64_t most);
/* How many there are so far; appends the lines about those from number `from` on to the text. NULL: 0. */
int64_t skp__damage_list(struct skp_damage *d, int64_t from, struct skp__text *text);
/* "damaged", "missing" or both: what they are from that number on. */
const char *skp__damage_word(struct skp_damage *d, int64_t from);

#endif
