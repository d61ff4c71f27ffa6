/* folder.h: a fresh folder for the files of a test, as a fixture. SPDX-License-Identifier: MIT */
#ifndef SKP_TESTS_FOLDER_H
#define SKP_TESTS_FOLDER_H

#include "base/disk.h"
#include "base/file.h"
#include "base/thread.h"
#include "test.h"
#include <unistd.h>

static char folder[32];

static void make_folder(void) {
  int error = -1;
  for (int n = 0; error && n < 1000; n++) {
    snprintf(folder, sizeof folder, "/tmp/skp-test-%ld-%d", skp__thread_number(), n);
    error = skp__make_folder(folder);
  }
  ck_assert_int_eq(error, 0);
}

/* A path in it, until the next call. */
static inline const char *in(const char *name) {
  static char path[256];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

/* A folder with all that is in it. */
static inline void remove_below(const char *path) {
  DIR *dir = opendir(path);
  for (struct dirent *e; dir && (e = readdir(dir));) {
    char *inner;
    if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
    ck_ok(skp__path_join(&inner, path, e->d_name));
    if (remove(inner)) remove_below(inner);
    free(inner);
  }
  if (dir) closedir(dir);
  rmdir(path);
}

static void remove_folder(void) {
  struct skp__facts there;
  remove_below(folder);
  ck_assert(!skp__facts(&there, folder));
}

#endif
