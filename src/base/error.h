/* error.h: how errors are made and passed up inside the library. SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_ERROR_H
#define SKP_BASE_ERROR_H

#include "skipper/status.h"

/* Returns from the calling function with the status of `expr` unless it is SKP_OK. */
#define SKP_TRY(expr)                                                                                                  \
  do {                                                                                                                 \
    skp_status skp_try_status_ = (expr);                                                                               \
    if (skp_try_status_ != SKP_OK) return skp_try_status_;                                                             \
  } while (0)

/* The same for lack of memory alone, where any other failure means that what was looked for is not there. */
#define SKP_TRY_MEMORY(expr)                                                                                           \
  do {                                                                                                                 \
    if ((expr) == SKP_MEMORY) return SKP_MEMORY;                                                                       \
  } while (0)

/* Sets this thread's error text (printf format, one or more whole sentences, no final newline) and returns `status`. */
skp_status skp__fail(skp_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts context in front of the present text: skp__fail_in(s, "model %s", path) makes "model PATH: old text". */
skp_status skp__fail_in(skp_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A copy of this thread's error text, NULL for lack of memory, while something else is done that may fail, or for
 * another thread. skp__error_restore makes it the text again (NULL: the present one stays), frees it and gives back
 * `status`. */
char *skp__error_keep(void);
skp_status skp__error_restore(skp_status status, char *kept);

/* skp__fail with SKP_MEMORY for a host allocation of `bytes` (0: nobody knows) that failed while doing `what`. */
skp_status skp__fail_memory(const char *what, unsigned long long bytes);

#endif
