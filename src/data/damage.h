/* damage.h: images that cannot be read. SPDX-License-Identifier: MIT */
#ifndef SKP_DATA_DAMAGE_H
#define SKP_DATA_DAMAGE_H

#include "base/error.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/* The damaged images of a set. So many are borne: one in 100, or 5 where that is more, but never all. Safe from several
 * threads. */
struct skp_damage;
enum { SKP_DAMAGE_USUAL = -1 };
/* `set`: the name of the set, which must outlive the record. */
skp_status skp__damage_create(struct skp_damage **out, const char *set, int64_t samples);
void skp__damage_destroy(struct skp_damage *d); /* NULL is fine */
/* What is noted in a part of a set, and will be, counts as damage of the whole, where the part's sample 0 is sample
 * `first`: it is borne and listed there. The whole must live as long as the part is asked. part NULL is fine. */
skp_status skp__damage_join(struct skp_damage *part, struct skp_damage *whole, int64_t first);
/* Sample `sample` cannot be read; `why` is the status of the present error. SKP_OK: the damage is noted. An error that
 * is not the image's fault (a lack of memory) is not noted; its status `why` is returned. */
skp_status skp__damage_note(struct skp_damage *d, int64_t sample, skp_status why);
bool skp__damage_known(struct skp_damage *d, int64_t sample);
/* SKP_OK if no more images are damaged than are borne; else the error lists them. */
skp_status skp__damage_judge(struct skp_damage *d);
/* From now on `most` damaged images are borne; then judges those noted so far. NULL is fine. */
skp_status skp__damage_bear(struct skp_damage *d, int64_t most);
/* Returns how many images are noted, and appends a line about each, from number `from` on, to the text. d NULL: 0. */
int64_t skp__damage_list(struct skp_damage *d, int64_t from, struct skp__text *text);
/* What the images noted from number `from` on are: "damaged", "missing" or both. */
const char *skp__damage_word(struct skp_damage *d, int64_t from);

#endif
