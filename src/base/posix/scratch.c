/* scratch.c: the private folder. SPDX-License-Identifier: MIT */
#include "base/scratch.h"
#include "base/disk.h"
#include "base/file.h"
#include "base/held.h"
#include "base/host.h"
#include <errno.h>
#include <ftw.h>
#include <glob.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PREFIX "skipper-"

static char folder[512]; /* "": none */
static pid_t owner;      /* the process that made it */

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at) {
  (void)st, (void)kind, (void)at;
  (void)remove(path); /* what cannot be removed stays; the others go all the same */
  return 0;
}

static void remove_folder(const char *path) {
  enum { OPEN_FOLDERS = 16 };
  nftw(path, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}

void skp__scratch_remove(void) {
  if (!*folder || owner != getpid()) return;
  remove_folder(folder);
  *folder = 0;
}

/* A folder that can be made may still lie on a full disk: a page must fit. */
static bool holds_a_file(const char *in) {
  static const char page[4096];
  char path[600];
  snprintf(path, sizeof path, "%.560s/.skipper-XXXXXX", in);
  int fd = mkstemp(path);
  if (fd < 0) return false;
  bool good = write(fd, page, sizeof page) == (ssize_t)sizeof page;
  if (close(fd)) good = false;
  unlink(path);
  return good;
}

/* Cuts `path` back to what is there of it. */
static void cut_to_existing(char *path) {
  while (access(path, F_OK) && errno == ENOENT && strcmp(path, ".") != 0) {
    char *slash = strrchr(path, '/');
    if (!slash)
      strcpy(path, ".");
    else
      slash[slash == path] = 0; /* the root keeps its slash */
  }
}

bool skp__can_run_from(const char *path) {
  char at[512] = "/";
  if (!*path || snprintf(at, sizeof at, "%s", path) >= (int)sizeof at) return false;
  cut_to_existing(at);
  if (!skp__folder_exists(at) || !skp__folder_runs_code(at)) return false;
  return holds_a_file(at);
}

/* Removes what processes left that were killed. A fresh folder may not be locked yet. */
static void sweep(const char *place) {
  enum { FRESH_S = 60 };
  char pattern[600];
  glob_t found;
  struct stat st;
  snprintf(pattern, sizeof pattern, "%.560s/" PREFIX "??????", place);
  int none = glob(pattern, 0, NULL, &found);
  for (size_t i = 0; !none && i < found.gl_pathc; i++) {
    const char *path = found.gl_pathv[i];
    if (lstat(path, &st) || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() || time(NULL) - st.st_mtime < FRESH_S)
      continue;
    struct skp__held *held;
    if (skp__hold(&held, path, true)) continue;
    remove_folder(path);
    skp__let_go(held);
  }
  globfree(&found);
}

static bool make_in(const char *place) {
  if (!place || !*place || !skp__can_run_from(place)) return false;
  sweep(place);
  if (snprintf(folder, sizeof folder, "%s/" PREFIX "XXXXXX", place) < (int)sizeof folder && mkdtemp(folder)) {
    static struct skp__held *held;
    (void)skp__hold(&held, folder, true); /* for as long as this process lives */
    return true;
  }
  *folder = 0;
  return false;
}

skp_status skp__scratch_folder(const char **out) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  const char *const places[] = {skp__host()->scratch, "/tmp", "/var/tmp", "/dev/shm"};
  pthread_mutex_lock(&lock);
  for (size_t i = 0; i < sizeof places / sizeof *places && !*folder; i++)
    if (make_in(places[i])) {
      owner = getpid();
      atexit(skp__scratch_remove); /* before a driver is loaded: after its own end */
    }
  *out = folder;
  pthread_mutex_unlock(&lock);
  if (*folder) return SKP_OK;
  return skp__fail(
      SKP_IO,
      "There is no folder for temporary files: none of /tmp, /var/tmp and /dev/shm can be written. Name one that can "
      "(%s).",
      skp__option("scratch"));
}
