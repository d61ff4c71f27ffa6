/* prune.c: see prune.h. SPDX-License-Identifier: MIT */
#include "base/prune.h"
#include "base/array.h"
#include "base/file.h"
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct file {
  char *path;
  struct timespec used;
  int64_t bytes;
};

typedef SKP_ARRAY(struct file) file_list;

static int by_age(const void *a, const void *b) {
  const struct timespec *x = &((const struct file *)a)->used, *y = &((const struct file *)b)->used;
  if (x->tv_sec != y->tv_sec) return x->tv_sec < y->tv_sec ? -1 : 1;
  return (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

static int64_t list_files(file_list *out, const char *folder) {
  int64_t total = 0;
  struct stat st;
  DIR *dir = opendir(folder);
  for (struct dirent *e; dir && (e = readdir(dir));) {
    char *path;
    if (e->d_name[0] == '.' || skp__path_join(&path, folder, e->d_name) != SKP_OK) continue;
    if (stat(path, &st) || !S_ISREG(st.st_mode) || SKP_GROW(out) != SKP_OK) {
      free(path);
      continue;
    }
    out->at[out->n - 1] = (struct file){path, st.st_mtim, st.st_size};
    total += st.st_size;
  }
  if (dir) closedir(dir);
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
