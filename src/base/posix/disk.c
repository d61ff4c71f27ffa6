/* disk.c: see disk.h. SPDX-License-Identifier: MIT */
#include "base/disk.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* ---- where macOS differs from Linux ------------------------------------------------------------------------------ */

/* take_room: an errno, 0: the open file has so many bytes of the disk. */
#ifdef __APPLE__
#define st_mtim   st_mtimespec
#define ST_NOEXEC 0 /* is not told there */
static int take_room(int file, int64_t bytes) {
  fstore_t room = {.fst_flags = F_ALLOCATEALL, .fst_posmode = F_PEOFPOSMODE, .fst_length = bytes};
  return fcntl(file, F_PREALLOCATE, &room) < 0 ? errno : 0;
}
#else
static int take_room(int file, int64_t bytes) { return posix_fallocate(file, 0, bytes); }
#endif

/* ---- what is there ----------------------------------------------------------------------------------------------- */

static enum skp__there kind_of(const struct stat *st) {
  return S_ISREG(st->st_mode) ? SKP_FILE : S_ISDIR(st->st_mode) ? SKP_FOLDER : SKP_ELSE;
}

/* In ns, as far as these go: a clock that was set wrong may have written in any year. */
static int64_t in_ns(struct timespec at) {
  enum { PER_SECOND = 1000000000 };
  const int64_t most = INT64_MAX / PER_SECOND - 1;
  if (at.tv_sec > most) return INT64_MAX;
  if (at.tv_sec < -most) return INT64_MIN;
  return (int64_t)at.tv_sec * PER_SECOND + at.tv_nsec;
}

static bool take(struct skp__facts *out, bool there, const struct stat *st) {
  *out = (struct skp__facts){.kind = SKP_NOTHING};
  if (there)
    *out = (struct skp__facts){.kind = kind_of(st),
                               .bytes = st->st_size,
                               .time = in_ns(st->st_mtim),
                               .device = st->st_dev,
                               .number = st->st_ino};
  return there;
}

bool skp__facts(struct skp__facts *out, const char *path) {
  struct stat st;
  return take(out, !stat(path, &st), &st);
}

bool skp__facts_open(struct skp__facts *out, DIR *dir, const char *path) {
  struct stat st;
  (void)path;
  return take(out, !fstat(dirfd(dir), &st), &st);
}

enum skp__there skp__entry_kind(DIR *dir, const char *path, const struct dirent *entry) {
  struct stat st;
  (void)path;
  if (entry->d_type == DT_REG) return SKP_FILE;
  if (entry->d_type == DT_DIR) return SKP_FOLDER;
  return fstatat(dirfd(dir), entry->d_name, &st, 0) ? SKP_NOTHING : kind_of(&st);
}

void skp__touch(const char *path) { (void)utimensat(AT_FDCWD, path, NULL, 0); }

int skp__link_text(char *out, size_t size, const char *path) { return (int)readlink(path, out, size); }

/* ---- files ------------------------------------------------------------------------------------------------------- */

int skp__open(const char *path, int flags) { return open(path, flags | O_CLOEXEC, 0666); }

int skp__open_any(const char *path) { return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); }

int64_t skp__read_at(int file, void *out, size_t n, int64_t at) { return pread(file, out, n, at); }

int skp__sync(int file) { return fsync(file); }

void skp__sync_folder(const char *folder) {
  const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

int skp__rename(const char *from, const char *to) { return rename(from, to); }

int skp__make_folder(const char *path) { return mkdir(path, 0777); }

int skp__try_room(const char *path, int64_t bytes) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) return errno;
  int error = take_room(fd, bytes);
  close(fd);
  unlink(path);
  return error == EOPNOTSUPP || error == EINVAL ? 0 : error;
}

bool skp__disk_full(int error) { return error == ENOSPC || error == EDQUOT; }

/* ---- streams ----------------------------------------------------------------------------------------------------- */

bool skp__is_stream(const char *path) {
  char to[sizeof "/proc/"] = "";
  struct stat st;
  if (stat(path, &st)) return false;
  return kind_of(&st) == SKP_ELSE || (readlink(path, to, sizeof to - 1) > 0 && strcmp(to, "/proc/") == 0);
}

int skp__open_stream(const char *path) {
  const int fd = open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC);
  if (fd >= 0) (void)fcntl(fd, F_SETFL, O_APPEND);
  return fd;
}

/* ---- paths ------------------------------------------------------------------------------------------------------- */

bool skp__path_whole(const char *path) { return *path == '/'; }

bool skp__folder_runs_code(const char *folder) {
  struct statvfs system;
  return !statvfs(folder, &system) && !(system.f_flag & ST_NOEXEC);
}
