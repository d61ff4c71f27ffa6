/* prune.h: folders of what can be had again, kept from growing. SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_PRUNE_H
#define SKP_BASE_PRUNE_H

#include <stdint.h>

/* Where the files in a folder take more bytes than `limit`, those unused for longest go: the time of a file is that of
 * its last use. What somebody has begun to write and not finished is such a file too. */
void skp__folder_prune(const char *folder, int64_t limit);

#endif
