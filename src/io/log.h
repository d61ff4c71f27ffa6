/* log.h: a text file that grows line by line while a program works. SPDX-License-Identifier: MIT */
#ifndef SKP_IO_LOG_H
#define SKP_IO_LOG_H

#include "base/error.h"

struct skp_log;

/* Creates the file anew. Lines are gathered and reach the file whole, at the latest with the first line that comes half a second after
 * the last time: so logging every step costs no time worth mention, and a reader never sees half a line. */
skp_status skp__log_create(struct skp_log **out, const char *path);
/* Adds one line (printf format, without the newline). */
skp_status skp__log_line(struct skp_log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
skp_status skp__log_flush(struct skp_log *log);
/* Closes the file; what was not flushed is lost. NULL is fine. */
void skp__log_destroy(struct skp_log *log);

#endif
