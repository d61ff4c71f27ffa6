/* folder.h: a fresh folder for the files of a test, as a fixture. SPDX-License-Identifier: MIT */
#ifndef SKP_TESTS_FOLDER_H
#define SKP_TESTS_FOLDER_H

#include "test.h"
#include <unistd.h>

static char folder[32];

static void make_folder(void) {
  strcpy(folder, "/tmp/skp-test-XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(folder));
}

/* A path in it, until the next call. */
static inline const char *in(const char *name) {
  static char path[256];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static void remove_folder(void) {
  char command[64];
  snprintf(command, sizeof command, "rm -rf %s", folder);
  ck_assert_int_eq(system(command), 0);
}

#endif
