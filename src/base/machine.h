/* machine.h: the machine and its user, as the system knows them: posix/machine.c, windows/machine.c.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_MACHINE_H
#define SKP_BASE_MACHINE_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

int64_t skp__machine_memory(void); /* bytes */
int skp__machine_cores(void);      /* 1 at least */
/* Its name in the network, cut to `size`; as it was where there is none. */
void skp__machine_name(char *out, size_t size);
/* The folder that is this process's user's own, in fresh memory. */
skp_status skp__home(char **out);
/* Memory that begins at a multiple of `align`, a power of 2; `bytes` is one, too. NULL: there is none. */
void *skp__aligned(size_t align, size_t bytes);
void skp__aligned_free(void *at);
/* Sets a variable of this process, for libraries that read it; one that is there stays, unless `anew`. */
void skp__variable_set(const char *name, const char *value, int anew);

#endif
