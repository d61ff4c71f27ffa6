/* tar.h: files in tar archives that are not compressed, through libarchive: in their order, or one by where it lies.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_IO_TAR_H
#define SKP_IO_TAR_H

#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>

struct skp__tar;

struct skp__tar_file {
  const char *name; /* in whatever bytes; lives until the next one is asked for */
  int64_t position; /* of its header in the archive */
  int64_t size;     /* bytes of its content */
  bool link;        /* to another file, in the archive or not: it has no content of its own */
};

/* Opens an archive to go through it; SKP_FORMAT: it is none, or compressed. */
skp_status skp__tar_open(struct skp__tar **out, const char *path);
void skp__tar_close(struct skp__tar *t); /* NULL is fine */
/* The next regular file or link; name NULL: there is none left. One that the archive's end cuts off is an error. */
skp_status skp__tar_next(struct skp__tar *t, struct skp__tar_file *out);
/* The first bytes, up to `room`, of the file that skp__tar_next has just met. */
skp_status skp__tar_head(struct skp__tar *t, void *out, int64_t room, int64_t *size);
/* The first bytes, up to `room`, of the file whose header lies at `position`, in fresh memory; *whole: all its bytes,
 * however many were asked for. Any thread may read, and several may at once. */
skp_status skp__tar_read(void **out, int64_t *size, int64_t *whole, const char *path, int64_t position, int64_t room);

#endif
