/* admit.h: methods are admitted one by one: before one first runs in a process it is compared with the op's plain C on
 * the very device and driver, by a smaller call of the kind that the network makes (small.c).
 * SPDX-License-Identifier: MIT
 *
 *   choose (backend) ─> ask: known? ─> shrink ─> known? ─> judge ─> admitted, or refused: the next method is tried
 *
 * What was found right is remembered in a text file beside the compiled kernels, by device, driver, version, call and
 * the code of its kernels, so that it is compared once. What was found wrong is not: a driver that has been mended gets
 * its chance, and one that is wrong is said to be so in each run. */
#ifndef SKP_VERIFY_ADMIT_H
#define SKP_VERIFY_ADMIT_H

#include "backend/backend.h"

/* For skp_backend_options: its `close` frees it. `say` receives a line for each method that computes
 * wrongly, which says all that a bug report needs; NULL: nothing is said. */
skp_status skp__admission_create(struct skp_backend_check **out, FILE *say);

#endif
