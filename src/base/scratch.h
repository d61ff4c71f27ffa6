/* scratch.h: a private folder of this process, for what others must be able to write. SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_SCRATCH_H
#define SKP_BASE_SCRATCH_H

#include "base/error.h"
#include <stdbool.h>

/* A folder that only this user may enter. It is made at the first call, where skp__host says, in /tmp, /var/tmp or
 * /dev/shm, the first that can be written. It goes when the process ends, or with the next one if it is killed. The
 * text lives as long. */
skp_status skp__scratch_folder(const char **out);
/* Removes it now: for a process that ends by _exit. A child that was forked leaves it alone. */
void skp__scratch_remove(void);
/* Whether files can be written in `folder` and code be loaded from there; if it is not there yet, the same of the one
 * in which it would be made. */
bool skp__can_run_from(const char *folder);

#endif
