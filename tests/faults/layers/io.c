/* io.c: a layer before the calls that change files: the FAULT_AT-th of those that concern something below the folder
 * FAULT_UNDER ends the process (kill; half: after it did half of its work), fails (eio, enospc), or writes less than it
 * was told to (short). SPDX-License-Identifier: MIT */
#include "layer.h"
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>

static bool below(const char *path) {
  const char *under = getenv("FAULT_UNDER");
  return under && !strncmp(path, under, strlen(under));
}

static bool open_below(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t n = readlink(link, path, sizeof path - 1);
  path[n > 0 ? n : 0] = 0;
  return below(path);
}

/* Where `name`, seen from the folder `at`, lies. */
static bool named_below(int at, const char *name) {
  char here[PATH_MAX], path[2 * PATH_MAX];
  if (*name == '/') return below(name);
  if (at != AT_FDCWD) return open_below(at);
  if (!getcwd(here, sizeof here)) return false;
  snprintf(path, sizeof path, "%s/%s", here, name);
  return below(path);
}

static void end(void) { kill(getpid(), SIGKILL); }

/* Is this call to fail? It ends the process where that is asked for; `short` concerns writes alone. */
static bool failing(bool ours) {
  const int before = errno;
  if (!ours || !layer_hit()) return false;
  if (layer_does("kill")) end();
  errno = before;
  if (layer_does("short") || layer_does("half")) return false;
  errno = layer_does("enospc") ? ENOSPC : EIO;
  return true;
}

/* For calls that are done or not: half of the work is all of it. */
static void done(bool ours) {
  if (ours && layer_does("half") && atomic_load(&layer_calls) == layer_at) end();
}

LAYER_EXPORT ssize_t write(int fd, const void *bytes, size_t n) {
  LAYER_REAL(write);
  if (!open_below(fd)) return real(fd, bytes, n);
  const bool hit = layer_hit();
  if (!hit) return real(fd, bytes, n);
  if (layer_does("kill")) end();
  if (layer_does("short")) return real(fd, bytes, n > 1 ? n / 2 : n);
  if (layer_does("half")) {
    (void)!real(fd, bytes, n / 2);
    end();
  }
  if (layer_does("enospc") && n > 1 && layer_at % 2) { /* disks fill up in the midst of a write, too */
    layer_sticky = true;
    return real(fd, bytes, n / 2);
  }
  errno = layer_does("enospc") ? ENOSPC : EIO;
  return -1;
}

LAYER_EXPORT int open(const char *path, int flags, ...) {
  LAYER_REAL(open);
  va_list args;
  va_start(args, flags);
  const mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
  va_end(args);
  const bool ours = flags & O_CREAT && named_below(AT_FDCWD, path);
  if (failing(ours)) return -1;
  const int fd = real(path, flags, mode);
  done(ours);
  return fd;
}

LAYER_EXPORT int close(int fd) {
  LAYER_REAL(close);
  const bool ours = open_below(fd), fails = failing(ours);
  const int error = errno, result = real(fd);
  done(ours);
  if (!fails) return result;
  errno = error;
  return -1;
}

#define CHANGES(name, takes_room, ours, parameters, arguments)                                                         \
  LAYER_EXPORT int name parameters {                                                                                   \
    LAYER_REAL(name);                                                                                                  \
    const bool is_ours = (ours) && (takes_room || !layer_does("enospc"));                                              \
    if (failing(is_ours)) return -1;                                                                                   \
    const int result = real arguments;                                                                                 \
    done(is_ours);                                                                                                     \
    return result;                                                                                                     \
  }
CHANGES(fsync, true, open_below(fd), (int fd), (fd))
CHANGES(rename, true, named_below(AT_FDCWD, to), (const char *from, const char *to), (from, to))
CHANGES(renameat, true, named_below(to_dir, to), (int from_dir, const char *from, int to_dir, const char *to),
        (from_dir, from, to_dir, to))
CHANGES(mkdir, true, named_below(AT_FDCWD, path), (const char *path, mode_t mode), (path, mode))
/* These work on a full disk, too. */
CHANGES(ftruncate, false, open_below(fd), (int fd, off_t size), (fd, size))
CHANGES(unlink, false, named_below(AT_FDCWD, path), (const char *path), (path))
CHANGES(unlinkat, false, named_below(dir, path), (int dir, const char *path, int flags), (dir, path, flags))
CHANGES(rmdir, false, named_below(AT_FDCWD, path), (const char *path), (path))
