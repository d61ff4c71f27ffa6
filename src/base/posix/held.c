/* held.c: see held.h. SPDX-License-Identifier: MIT */
#include "base/held.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

struct skp__held {
  int fd;
};

static int lock(int fd, bool surely) {
  if (!flock(fd, LOCK_EX | LOCK_NB) || (!surely && errno != EWOULDBLOCK)) return 0;
  return errno;
}

int skp__hold(struct skp__held **held, const char *folder, bool surely) {
  struct skp__held *h = *held = NULL;
  const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (surely ? O_NOFOLLOW : 0));
  int error = fd < 0 ? errno : lock(fd, surely);
  if (!error) h = malloc(sizeof *h);
  if (!error && !h) error = ENOMEM;
  if (error && fd >= 0) close(fd);
  if (error) return error;
  h->fd = fd;
  *held = h;
  return 0;
}

void skp__let_go(struct skp__held *held) {
  if (held) close(held->fd);
  free(held);
}

bool skp__is_held(const char *folder) {
  const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool held = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
  if (fd >= 0) close(fd);
  return held;
}

bool skp__held_remove(const struct skp__held *held, const char *name) { return !unlinkat(held->fd, name, 0); }

bool skp__held_receive(const struct skp__held *held, const char *from, const char *name) {
  return !renameat(AT_FDCWD, from, held->fd, name);
}
