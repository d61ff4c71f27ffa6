/* log.h: a file that grows piece by piece while a program works, a text line by line. SPDX-License-Identifier: MIT */
#ifndef SKP_IO_LOG_H
#define SKP_IO_LOG_H

#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>

struct skp_log;

/* Goes on after the first `keep` bytes of the file, whose rest is cut off (after the last whole line where there are
 * fewer); 0: anew. Lines are gathered and reach the file whole, at the latest with the first line that comes half a
 * second after the last time: so logging every step costs no time worth mention, and a
 * reader never sees half a line. */
skp_status skp__log_create(struct skp_log **out, const char *path, int64_t keep);
/* Adds one line (printf format, without the newline). A NULL log takes lines, and keeps none. */
skp_status skp__log_line(struct skp_log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds n bytes, which reach the file together. */
skp_status skp__log_put(struct skp_log *log, const void *data, size_t n);
/* A disk that is full is told of here alone: what it has no room for is kept, and tried again. */
skp_status skp__log_flush(struct skp_log *log);
/* Flushes, and tells the file's size. */
skp_status skp__log_size(struct skp_log *log, int64_t *bytes);
/* Closes the file; what was not flushed is lost. NULL is fine. */
void skp__log_destroy(struct skp_log *log);

/* The number in the last line, among a log's first `bytes`, that begins with `before` and a number; 0: there is none.
 * *whole: the log is not shorter than that. */
skp_status skp__log_last(int64_t *number, bool *whole, const char *path, const char *before, int64_t bytes);

#endif
