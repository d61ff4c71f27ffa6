/* tune.h: methods whose best choice depends on the machine are timed once for a device and a call.
 * SPDX-License-Identifier: MIT
 *
 *   plan ─> ready: which calls are not known? ─> race, the most work first ─> tuned file ─> choose (backend) asks */
#ifndef SKP_VERIFY_TUNE_H
#define SKP_VERIFY_TUNE_H

#include "backend/backend.h"

/* For skp_backend_options: its `close` frees it. `how`: "quick", which takes less than a second of a process, or
 * "full", which times all; "off" or NULL: none is made. SKP_USAGE: another word. `say` (may be NULL) receives a line
 * about the file that is used. */
skp_status skp__tuner_create(struct skp_backend_tuner **out, const char *how, FILE *say);

#endif
