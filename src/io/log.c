/* log.c: see log.h. SPDX-License-Identifier: MIT */
#include "io/log.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/disk.h"
#include "base/file.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

enum { GATHERED = 1 << 16, LINE = 2048 };
static const double interval = 0.5; /* seconds */

struct skp_log {
  int fd;
  char *path;
  size_t n;
  double flushed; /* when it was tried last */
  char *text;
  size_t room;
};

/* The end of the last whole line within the first `bytes`. */
static off_t whole_lines(int fd, off_t bytes) {
  char c = 0;
  while (bytes > 0 && (skp__read_at(fd, &c, 1, bytes - 1) != 1 || c != '\n')) bytes--;
  return bytes;
}

static int cut(int fd, int64_t keep) {
  off_t end = lseek(fd, 0, SEEK_END);
  return end < 0 || ftruncate(fd, whole_lines(fd, keep < end ? keep : end)) ? errno : 0;
}

skp_status skp__log_create(struct skp_log **out, const char *path, int64_t keep) {
  struct skp_log *log;
  *out = NULL;
  SKP_TRY(skp__alloc(&log, 1, sizeof *log));
  log->fd = skp__open(path, O_RDWR | O_CREAT | O_APPEND);
  log->flushed = skp__clock();
  int error = log->fd < 0 ? errno : cut(log->fd, keep);
  skp_status status = error ? skp__fail(SKP_IO, "Cannot write %s: %s.", path, strerror(error)) : SKP_OK;
  if (status == SKP_OK) status = skp__strdup(&log->path, path);
  if (status == SKP_OK)
    *out = log;
  else
    skp__log_destroy(log);
  return status;
}

void skp__log_destroy(struct skp_log *log) {
  if (!log) return;
  if (log->fd >= 0) close(log->fd);
  free(log->path);
  free(log->text);
  free(log);
}

skp_status skp__log_flush(struct skp_log *log) {
  if (!log) return SKP_OK;
  off_t end = lseek(log->fd, 0, SEEK_END);
  log->flushed = skp__clock();
  for (size_t done = 0; done < log->n;) {
    ssize_t n = write(log->fd, log->text + done, log->n - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      int error = errno;
      if (done && end >= 0 && ftruncate(log->fd, end)) error = errno; /* no half line stays */
      return skp__fail(skp__write_status(error), "Cannot write %zu bytes to %s: %s. %s", log->n, log->path,
                       strerror(error), skp__write_advice(error));
    }
    done += (size_t)n;
  }
  log->n = 0;
  return SKP_OK;
}

/* On a full disk lines stay in memory until a flush that is asked for tells of it, or a later one succeeds. */
static skp_status try_flush(struct skp_log *log) {
  skp_status status = skp__log_flush(log);
  return status == SKP_DISK_FULL ? SKP_OK : status;
}

/* Room for so many bytes more. */
static skp_status make_room(struct skp_log *log, size_t bytes) {
  size_t room = log->room ? log->room : GATHERED;
  if (log->n + bytes <= log->room) return SKP_OK;
  SKP_TRY(try_flush(log));
  while (room < log->n + bytes) room *= 2;
  if (room == log->room) return SKP_OK;
  char *text = realloc(log->text, room);
  if (!text) return skp__fail_memory(log->path, room);
  log->text = text;
  log->room = room;
  return SKP_OK;
}

/* n bytes more have been gathered. */
static skp_status grown(struct skp_log *log, size_t n) {
  log->n += n;
  return skp__clock() - log->flushed > interval ? try_flush(log) : SKP_OK;
}

skp_status skp__log_put(struct skp_log *log, const void *data, size_t n) {
  if (!log) return SKP_OK;
  SKP_TRY(make_room(log, n));
  memcpy(log->text + log->n, data, n);
  return grown(log, n);
}

static skp_status fail(const struct skp_log *log, int error) {
  return skp__fail(SKP_IO, "Cannot write %s: %s.", log->path, strerror(error));
}

skp_status skp__log_size(const struct skp_log *log, int64_t *bytes) {
  const off_t written = log ? lseek(log->fd, 0, SEEK_END) : 0;
  if (written < 0) return fail(log, errno);
  *bytes = log ? written + (int64_t)log->n : 0;
  return SKP_OK;
}

skp_status skp__log_cut(struct skp_log *log, int64_t bytes) {
  const off_t written = log ? lseek(log->fd, 0, SEEK_END) : 0;
  if (!log) return SKP_OK;
  const int64_t gathered = bytes - written;
  if ((int64_t)log->n > gathered) log->n = gathered > 0 ? (size_t)gathered : 0;
  const int error = written < 0 ? errno : gathered < 0 ? cut(log->fd, bytes) : 0;
  return error ? fail(log, error) : SKP_OK;
}

skp_status skp__log_line(struct skp_log *log, const char *format, ...) {
  if (!log) return SKP_OK;
  SKP_TRY(make_room(log, LINE));
  va_list args;
  va_start(args, format);
  int n = vsnprintf(log->text + log->n, LINE - 1, format, args);
  va_end(args);
  if (n < 0 || n >= LINE - 1) return skp__fail(SKP_INTERNAL, "A line for %s is too long.", log->path);
  log->text[log->n + (size_t)n] = '\n';
  return grown(log, (size_t)n + 1);
}

struct ends {
  char text[4096]; /* of a log's last lines, which are short */
  bool whole;
  struct skp_log_sums sums;
};

/* JSON has whole numbers of so many bits. */
static int64_t sum_of(const char *text, int64_t n) {
  enum { BITS = 53 };
  return n > 0 ? (int64_t)(XXH3_64bits(text, (size_t)n) >> (64 - BITS)) : 0;
}

/* The last `n` of the bytes before `end`; how many they are, -1: an error. */
static int64_t read_before(struct ends *out, int fd, int64_t end, int64_t n) {
  memset(out->text, 0, sizeof out->text);
  if (n > end) n = end;
  return n > 0 ? skp__read_at(fd, out->text, (size_t)n, end - n) : 0;
}

/* The first lines are few, so that a log that lost its end in a loss of power still has them. */
static int read_ends(struct ends *out, int fd, int64_t bytes) {
  enum { FIRST = 128 };
  const int64_t there = lseek(fd, 0, SEEK_END), first = bytes < FIRST ? bytes : FIRST;
  out->whole = there > 0 && there >= bytes;
  if (there < 0) return errno;
  int64_t n = there < first ? 0 : read_before(out, fd, first, first);
  out->sums.first = sum_of(out->text, n);
  if (n >= 0) n = read_before(out, fd, there < bytes ? there : bytes, sizeof out->text - 1);
  out->sums.last = out->whole ? sum_of(out->text, n) : 0;
  return n < 0 ? errno : 0;
}

static int64_t last_number(const char *text, const char *before) {
  const size_t n = strlen(before);
  int64_t last = 0;
  for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
    if (strncmp(line, before, n) == 0 && isdigit((unsigned char)line[n])) last = strtoll(line + n, NULL, 10);
  return last;
}

skp_status skp__log_see(struct skp_log_seen *out, const char *path, const char *before, int64_t bytes) {
  struct ends ends = {.whole = false};
  int fd = skp__open(path, O_RDONLY);
  int error = fd >= 0 ? read_ends(&ends, fd, bytes) : errno;
  if (fd >= 0) close(fd);
  if (error && error != ENOENT) return skp__fail(SKP_IO, "Cannot read %s: %s.", path, strerror(error));
  *out = (struct skp_log_seen){ends.whole, last_number(ends.text, before), ends.sums};
  return SKP_OK;
}

skp_status skp__log_sum(const struct skp_log *log, int64_t bytes, struct skp_log_sums *out) {
  struct ends ends = {.whole = false};
  const int error = log ? read_ends(&ends, log->fd, bytes) : 0;
  *out = ends.sums;
  return error ? skp__fail(SKP_IO, "Cannot read %s: %s.", log->path, strerror(error)) : SKP_OK;
}

bool skp__log_alike(const struct skp_log_sums *a, const struct skp_log_sums *b) {
  const bool first = !a->first || !b->first || a->first == b->first;
  return first && (!a->last || !b->last || a->last == b->last);
}
