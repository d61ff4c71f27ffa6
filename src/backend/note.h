/* note.h: what is known of a device lies in text files beside its compiled kernels, CACHE/KIND/HASH.txt, one a device
 * and driver. SPDX-License-Identifier: MIT */
#ifndef SKP_BACKEND_NOTE_H
#define SKP_BACKEND_NOTE_H

#include "backend/backend.h"

enum { SKP_NOTE_DEVICE = 740 };

/* "NAME, DRIVER", and behind the next comma layers before it: one line, whatever a driver calls itself. */
void skp__note_device(char out[SKP_NOTE_DEVICE], const struct skp_backend_info *info);
/* The path of the file of `kind` for what `line` says, in fresh memory; its folder is made. NULL: the device is none
 * of which something lasts, or the folder cannot be written. */
skp_status skp__note_path(char **out, const struct skp_backend_info *info, const char *kind, const char *line);

#endif
