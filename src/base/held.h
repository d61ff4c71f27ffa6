/* held.h: folders that one process has for itself: posix/held.c, windows/held.c. SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_HELD_H
#define SKP_BASE_HELD_H

#include <stdbool.h>

struct skp__held;
/* Holds a folder until it is let go or this process ends, however that is. What is done by `held` is done in that very
 * folder, whatever its path means meanwhile. An errno, 0: it is held. EWOULDBLOCK: another process holds it. `surely`:
 * also where a file system knows no locks, or the folder is a link, it is an error; else one without locks will do. */
int skp__hold(struct skp__held **held, const char *folder, bool surely);
/* NULL is fine. */
void skp__let_go(struct skp__held *held);
/* Whether another process holds it. */
bool skp__is_held(const char *folder);
/* Removes a file of it; moves one into it. False: it could not. */
bool skp__held_remove(const struct skp__held *held, const char *name);
bool skp__held_receive(const struct skp__held *held, const char *from, const char *name);

#endif
