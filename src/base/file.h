/* file.h: files, whole or not at all. SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_FILE_H
#define SKP_BASE_FILE_H

#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Reads a whole regular file of at most `limit` bytes into fresh memory (one zero byte
 * follows the content). free() it. */
skp_status skp__file_read(void **out, int64_t *size, const char *path, int64_t limit);

/* Reads the first bytes of a regular file, as many as there are up to `room`. */
skp_status skp__file_head(void *out, int64_t room, int64_t *size, const char *path);
/* The same in fresh memory; *whole: all its bytes, however many were asked for. */
skp_status skp__file_start(void **out, int64_t *size, int64_t *whole, const char *path, int64_t room);

/* Writes beside the target, flushes to disk, renames, flushes the folder: after a crash there is the old file or the
 * new one. On failure the old file is untouched, the temporary one is removed, and the error names path and cause
 * (errno text), and for a full disk the bytes needed. A device, a pipe or what a link into /proc says is open is
 * written to where it is. */
struct skp__file_part {
  const void *data;
  int64_t bytes;
};
skp_status skp__file_write_atomic(const char *path, const struct skp__file_part *part, size_t parts);
/* The same without waiting for the disk, for what can be had again: a crash may leave a file that is cut. */
skp_status skp__file_write_quick(const char *path, const struct skp__file_part *part, size_t parts);
/* The first with the text that `put` prints, put together in memory before. */
skp_status skp__file_print_atomic(const char *path, void (*put)(FILE *to, void *user), void *user);
/* Tries whether such a file can be written, before the work that makes it; what lies there stays as it is. */
skp_status skp__file_try(const char *path);
/* What to do when writing failed with this errno: a sentence for the end of an error's text. And the status of such an
 * error: SKP_DISK_FULL, which may pass, or SKP_IO. */
const char *skp__write_advice(int error);
skp_status skp__write_status(int error);

bool skp__file_exists(const char *path);
bool skp__folder_exists(const char *path);
/* mkdir -p; an existing folder is fine. */
skp_status skp__folder_create(const char *path);
/* "DIR/NAME" in fresh memory. */
skp_status skp__path_join(char **out, const char *dir, const char *name);
/* The folder that a path's file lies in, in fresh memory. */
skp_status skp__path_folder(char **out, const char *path);
/* The path from the root of the file system, in fresh memory. */
skp_status skp__path_absolute(char **out, const char *path);
/* The folder for compiled kernels: `said`, or if that is NULL .cache/skipper in the home of this process's user, as the
 * system's list of users names it. Created; SKP_IO if it cannot be written. free() it. */
skp_status skp__cache_folder(char **out, const char *said);

#endif
