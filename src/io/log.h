/* log.h: a file that grows piece by piece while a program works, a text line by line. SPDX-License-Identifier: MIT */
#ifndef SKP_IO_LOG_H
#define SKP_IO_LOG_H

#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>

struct skp_log;

/* Opens the file for more. Its first `keep` bytes stay, the rest is cut off; 0: the file begins anew. A file that is
 * shorter than `keep` is cut after its last whole line.
 * Lines are gathered, and written together at most twice a second: to log every step costs no time worth mention. A
 * line reaches the file whole or not at all, so a reader never sees half of one. */
skp_status skp__log_create(struct skp_log **out, const char *path, int64_t keep);
/* Adds one line (printf format, without the newline). A NULL log takes lines, and keeps none. */
skp_status skp__log_line(struct skp_log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds n bytes, which reach the file together. */
skp_status skp__log_put(struct skp_log *log, const void *data, size_t n);
/* Writes what was gathered. Of these calls this one alone fails on a full disk (SKP_DISK_FULL); what the disk had no
 * room for is kept, and the next flush tries it again. */
skp_status skp__log_flush(struct skp_log *log);
/* The file's size once all that was gathered is written. NULL is fine: 0. */
skp_status skp__log_size(const struct skp_log *log, int64_t *bytes);
/* Takes away all that came after its first `bytes`, written or gathered. NULL is fine. */
skp_status skp__log_cut(struct skp_log *log, int64_t bytes);
/* Closes the file; what was not flushed is lost. NULL is fine. */
void skp__log_destroy(struct skp_log *log);

/* Checksums by which another's log is told; 0: not known. */
struct skp_log_sums {
  int64_t first, last; /* of its first lines; of its last ones */
};
/* What a log's first bytes hold. */
struct skp_log_seen {
  bool whole;     /* it has so many */
  int64_t number; /* of the last whole line that begins with certain words and a number; 0: there is none such */
  struct skp_log_sums sums;
};
skp_status skp__log_see(struct skp_log_seen *out, const char *path, const char *before, int64_t bytes);
/* The sums alone of a log that is written: of what was gathered nothing is known before it is in the file. NULL is
 * fine: 0. */
skp_status skp__log_sum(const struct skp_log *log, int64_t bytes, struct skp_log_sums *out);
/* Whether the sums of two logs may be of one. */
bool skp__log_alike(const struct skp_log_sums *a, const struct skp_log_sums *b);

#endif
