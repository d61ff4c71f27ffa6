/* prune.c: see prune.h. SPDX-License-Identifier: MIT */
#include "base/prune.h"
#include "base/disk.h"
#include "base/file.h"
#include "base/names.h"
#include <stdlib.h>
#include <unistd.h>

struct file {
  char *path;
  int64_t used, bytes; /* used: when, in ns */
};

typedef SKP_ARRAY(struct file) file_list;

static int by_age(const void *a, const void *b) {
  const int64_t x = ((const struct file *)a)->used, y = ((const struct file *)b)->used;
  return (x > y) - (x < y);
}

static int64_t list_files(file_list *out, const char *folder) {
  int64_t total = 0;
  skp__names names = {NULL, 0, 0};
  (void)skp__names_in(&names, folder);
  for (size_t i = 0; i < names.n; i++) {
    struct skp__facts there;
    char *path;
    if (skp__path_join(&path, folder, names.at[i]) != SKP_OK) continue;
    if (!skp__facts(&there, path) || there.kind != SKP_FILE || SKP_GROW(out) != SKP_OK) {
      free(path);
      continue;
    }
    out->at[out->n - 1] = (struct file){path, there.time, there.bytes};
    total += there.bytes;
  }
  skp__names_free(&names);
  return total;
}

void skp__folder_prune(const char *folder, int64_t limit) {
  file_list files = {0};
  int64_t total = list_files(&files, folder);
  if (total > limit) qsort(files.at, files.n, sizeof *files.at, by_age);
  for (size_t i = 0; i < files.n; i++) {
    if (total > limit && !unlink(files.at[i].path)) total -= files.at[i].bytes;
    free(files.at[i].path);
  }
  SKP_FREE(&files);
}
