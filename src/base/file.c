/* file.c: files, whole or not at all. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/array.h"
#include "base/disk.h"
#include "base/machine.h"
#include "base/memory.h"
#include "base/thread.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opens a regular file; *size is what it holds. */
static skp_status open_file(int *out, int64_t *size, const char *path) {
  struct stat st;
  int fd = skp__open_any(path);
  if (fd < 0) return skp__fail(SKP_IO, "Cannot open %s: %s.", path, strerror(errno));
  skp_status status = SKP_OK;
  if (fstat(fd, &st))
    status = skp__fail(SKP_IO, "Cannot inspect %s: %s.", path, strerror(errno));
  else if (!S_ISREG(st.st_mode))
    status = skp__fail(SKP_IO, "%s is not a regular file.", path);
  if (status != SKP_OK) {
    close(fd);
    return status;
  }
  *out = fd;
  *size = st.st_size;
  return SKP_OK;
}

/* Reads up to `size` bytes; *size is what came: less where the file shrank meanwhile. */
static skp_status read_all(void *out, int64_t *size, int fd, const char *path) {
  int64_t n = 0;
  while (n < *size) {
    ssize_t got = read(fd, (char *)out + n, (size_t)(*size - n));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return skp__fail(SKP_IO, "Cannot read %s: %s.", path, strerror(errno));
    if (got == 0) break;
    n += got;
  }
  *size = n;
  return SKP_OK;
}

static skp_status read_whole(void **out, int64_t *size, int fd, const char *path, int64_t limit) {
  char *bytes;
  if (*size > limit)
    return skp__fail(SKP_FORMAT, "%s has %lld bytes; at most %lld are expected here.", path, (long long)*size,
                     (long long)limit);
  SKP_TRY(skp__alloc(&bytes, (size_t)*size + 1, 1));
  skp_status status = read_all(bytes, size, fd, path);
  if (status != SKP_OK) {
    free(bytes);
    return status;
  }
  bytes[*size] = 0;
  *out = bytes;
  return SKP_OK;
}

skp_status skp__file_read(void **out, int64_t *size, const char *path, int64_t limit) {
  int fd;
  *out = NULL;
  SKP_TRY(open_file(&fd, size, path));
  skp_status status = read_whole(out, size, fd, path, limit);
  close(fd);
  return status;
}

skp_status skp__file_head(void *out, int64_t room, int64_t *size, const char *path) {
  int fd;
  SKP_TRY(open_file(&fd, size, path));
  if (*size > room) *size = room;
  skp_status status = read_all(out, size, fd, path);
  close(fd);
  return status;
}

skp_status skp__file_start(void **out, int64_t *size, int64_t *whole, const char *path, int64_t room) {
  int fd;
  char *bytes;
  *out = NULL;
  SKP_TRY(open_file(&fd, whole, path));
  *size = *whole < room ? *whole : room;
  skp_status status = skp__alloc(&bytes, (size_t)*size + 1, 1);
  if (status == SKP_OK) status = read_all(bytes, size, fd, path);
  close(fd);
  if (status == SKP_OK)
    *out = bytes;
  else
    free(bytes);
  return status;
}

static int write_all(int fd, const void *data, int64_t bytes) {
  for (int64_t done = 0; done < bytes;) {
    ssize_t n = write(fd, (const char *)data + done, (size_t)(bytes - done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 ? errno : EIO;
    done += n;
  }
  return 0;
}

const char *skp__write_advice(int error) {
  if (skp__disk_full(error)) return "The disk is full: free some space or choose another folder.";
  if (error == EFBIG)
    return "Raise the limit on file sizes (ulimit -f) or choose a folder whose file system has a higher one.";
  return "Check the folder's permissions or choose another folder.";
}

skp_status skp__write_status(int error) { return skp__disk_full(error) ? SKP_DISK_FULL : SKP_IO; }

static skp_status fail_write(const char *path, int error, int64_t bytes) {
  return skp__fail(skp__write_status(error), "Cannot write %s: %s; %lld bytes are needed. %s", path, strerror(error),
                   (long long)bytes, skp__write_advice(error));
}

static void flush_folder(const char *path) {
  char *copy = strdup(path);
  if (copy) skp__sync_folder(dirname(copy));
  free(copy);
}

/* Of two threads that write the same file each has a temporary one of its own. */
static skp_status temporary_of(char **out, const char *path) {
  return skp__format(out, "%s.%ld.tmp", path, skp__thread_number());
}

static int close_written(int fd, const struct skp__file_part *part, size_t parts, bool flush) {
  int error = fd < 0 ? errno : 0;
  for (size_t i = 0; !error && i < parts; i++) error = write_all(fd, part[i].data, part[i].bytes);
  if (!error && flush && skp__sync(fd)) error = errno;
  if (fd >= 0 && close(fd) && !error) error = errno;
  return error;
}

static int open_beside(const char *temporary) { return skp__open(temporary, O_WRONLY | O_CREAT | O_TRUNC); }

static int write_beside(const char *path, const char *temporary, const struct skp__file_part *part, size_t parts,
                        bool flush) {
  const int fd = open_beside(temporary);
  int error = close_written(fd, part, parts, flush);
  if (!error && skp__rename(temporary, path)) error = errno;
  if (error && fd >= 0) unlink(temporary);
  return error;
}

static skp_status write_parts(const char *path, const struct skp__file_part *part, size_t parts, bool flush) {
  const bool stream = skp__is_stream(path);
  char *temporary;
  int64_t total = 0;
  for (size_t i = 0; i < parts; i++) total += part[i].bytes;
  SKP_TRY(temporary_of(&temporary, path));
  const int error = stream ? close_written(skp__open_stream(path), part, parts, false)
                           : write_beside(path, temporary, part, parts, flush);
  free(temporary);
  if (error) return fail_write(path, error, total);
  if (flush && !stream) flush_folder(path);
  return SKP_OK;
}

skp_status skp__file_write_atomic(const char *path, const struct skp__file_part *part, size_t parts) {
  return write_parts(path, part, parts, true);
}

skp_status skp__file_write_quick(const char *path, const struct skp__file_part *part, size_t parts) {
  return write_parts(path, part, parts, false);
}

/* The error of what would be written beside it: nothing has no name, and a folder stays one. */
static int try_beside(const char *path, const char *temporary) {
  if (!*path || skp__folder_exists(path)) return *path ? EISDIR : ENOENT;
  const int error = close_written(open_beside(temporary), NULL, 0, false);
  if (!error) unlink(temporary);
  return error;
}

skp_status skp__file_try(const char *path) {
  char *temporary;
  SKP_TRY(temporary_of(&temporary, path));
  /* a pipe that was opened and closed would be at its end */
  const int error = !skp__is_stream(path) ? try_beside(path, temporary) : access(path, W_OK) ? errno : 0;
  free(temporary);
  if (!error) return SKP_OK;
  return skp__fail(skp__write_status(error), "Cannot write %s: %s. %s", path, strerror(error),
                   skp__write_advice(error));
}

skp_status skp__file_print_atomic(const char *path, void (*put)(FILE *to, void *user), void *user) {
  struct skp__memory m;
  if (skp__memory_open(&m)) put(m.to, user);
  const bool written = skp__memory_close(&m);
  skp_status status = written ? skp__file_write_atomic(path, &(struct skp__file_part){m.text, (int64_t)m.bytes}, 1)
                              : skp__fail_memory(path, m.bytes);
  free(m.text);
  return status;
}

bool skp__file_exists(const char *path) {
  struct skp__facts there;
  return skp__facts(&there, path) && there.kind == SKP_FILE;
}

bool skp__folder_exists(const char *path) {
  struct skp__facts there;
  return skp__facts(&there, path) && there.kind == SKP_FOLDER;
}

skp_status skp__folder_create(const char *path) {
  char *copy;
  SKP_TRY(skp__strdup(&copy, path));
  int error = 0;
  for (char *p = copy + (*copy == '/'); !error; p++) { /* each prefix that ends before a slash, then the whole */
    if (*p != '/' && *p) continue;
    char end = *p;
    *p = 0;
    if (skp__make_folder(copy) && errno != EEXIST) error = errno;
    *p = end;
    if (!end) break;
  }
  free(copy);
  if (!error && !skp__folder_exists(path)) error = ENOTDIR;
  return error ? skp__fail(SKP_IO, "Cannot create the folder %s: %s.", path, strerror(error)) : SKP_OK;
}

skp_status skp__path_join(char **out, const char *dir, const char *name) {
  size_t n = strlen(dir);
  return skp__format(out, "%s%s%s", dir, n && dir[n - 1] == '/' ? "" : "/", name);
}

skp_status skp__path_folder(char **out, const char *path) {
  const char *slash = strrchr(path, '/');
  return skp__format(out, "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
}

skp_status skp__path_absolute(char **out, const char *path) {
  char *here;
  if (skp__path_whole(path)) return skp__strdup(out, path);
  here = getcwd(NULL, 0);
  if (!here) return skp__fail(SKP_IO, "The present folder has no path: %s.", strerror(errno));
  skp_status status = skp__path_join(out, here, path);
  free(here);
  return status;
}

static skp_status home_cache(char **out) {
  char *home;
  SKP_TRY(skp__home(&home));
  skp_status status = skp__path_join(out, home, ".cache/skipper");
  free(home);
  return status;
}

skp_status skp__cache_folder(char **out, const char *said) {
  SKP_TRY(said ? skp__strdup(out, said) : home_cache(out));
  skp_status status = skp__folder_create(*out);
  if (status == SKP_OK && access(*out, W_OK))
    status = skp__fail(SKP_IO, "Cannot write to the cache folder %s: %s.", *out, strerror(errno));
  if (status != SKP_OK) {
    free(*out);
    *out = NULL;
  }
  return status;
}
